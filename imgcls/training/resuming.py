"""Resuming: the run, the checkpoint, and checks that config and data are unchanged."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imgcls import files
from imgcls.config import changes, reader
from imgcls.config.changes import Changes
from imgcls.config.config import Config
from imgcls.errors import ConfigError, RunError, UsageError
from imgcls.events import EventSink, Noted, Warned
from imgcls.runs import checkpoints, folders
from imgcls.runs.checkpoints import Checkpoint
from imgcls.runs.folders import Run

if TYPE_CHECKING:
    from imgcls.training.state import State


@dataclass(frozen=True)
class ResumeOptions:
    """The options of the command line for a run that is resumed.

    Attributes:
        overrides: `key=value` each.
        extend: the number of epochs to add.
    """

    overrides: Sequence[str] = ()
    extend: int | None = None


@dataclass(frozen=True)
class ResumedRun:
    """A run that is resumed.

    Attributes:
        checked: its current config.
        saved: its newest checkpoint that passes verification, or None if it has none.
        changed: all changes to its original config.
        new: the changes made by this resume.
    """

    checked: reader.CheckedConfig
    saved: Checkpoint | None
    changed: Changes
    new: Changes

    def write_changes(self, run: Run, report: EventSink) -> None:
        """Records and reports the new changes; call it once everything else is checked.

        Raises:
            ResourceError: if they cannot be written.
        """
        if self.new:
            changes.write(run.changes, self.changed)
            changed = ", ".join(f"{key} is now {each.value}" for key, each in self.new.items())
            report(Noted(changed))


def read(run: Run, wanted: ResumeOptions, report: EventSink) -> ResumedRun:
    """Returns a run to be resumed; its data is not read yet.

    Raises:
        RunError: if there is nothing to resume, or a requested change is not allowed.
        ConfigError, UsageError: if a requested change is invalid.
    """
    if not run.config.exists():
        raise RunError(
            f"{run} has no config.yaml and cannot be resumed", hint="imgcls train CONFIG"
        )
    saved, problems = checkpoints.newest(run.checkpoints, Checkpoint.verify)
    for problem in problems:
        report(Warned(f"{problem}; an older checkpoint is used" if saved else problem))
    if saved is None and problems:
        raise RunError(
            f"{run} has no checkpoint that can be used; the damaged ones are kept",
            hint="start a new run: imgcls train CONFIG",
        )
    if saved is None:
        report(Noted(f"{run} has no checkpoint yet; it begins at its first step"))
    step = saved.step if saved else 0
    before = changes.read(run.changes)
    was = changes.current(run.config, run.changes)
    done, key = _epochs_done(saved, was.config), changes.length_key(was.config)
    now = changes.current(run.config, run.changes, _overrides(wanted, saved, was.config))
    if now.config.stages[-1].epochs < done:
        raise RunError(f"{run}: {key} must be at least {done}, the epochs that are done")
    new = changes.made(was.config, now.config, step)
    return ResumedRun(now, saved, before | new, new)


def _overrides(wanted: ResumeOptions, saved: Checkpoint | None, config: Config) -> list[str]:
    if wanted.extend is None:
        return list(wanted.overrides)
    key = changes.length_key(config)
    if any(each.partition("=")[0].strip() == key for each in wanted.overrides):
        raise UsageError(f"--extend and --set {key} exclude each other")
    epochs = config.stages[-1].epochs
    if (done := _epochs_done(saved, config)) and saved and saved.state.get("early"):
        epochs = done  # early stopping has dropped the others
    return [*wanted.overrides, f"{key}={epochs + wanted.extend}"]


def _epochs_done(saved: Checkpoint | None, config: Config) -> int:
    """Returns the number of epochs done in the last stage; `State.of` validates the rest."""
    if saved is None or saved.state.get("stage") != len(config.stages) - 1:
        return 0
    done, began = (saved.state.get(key) for key in ("evaluated", "stage_began"))
    return done - began if type(done) is type(began) is int else 0


def unfinished(root: Path, checked: reader.CheckedConfig, report: EventSink) -> Run | None:
    """Returns the newest unfinished run of a config, by number.

    Runs of the same name with a different config are skipped.
    """
    for run in folders.named(root, checked.name):
        try:
            if folders.read_status(run).get("state") == "finished":
                continue
            own = changes.current(folders.check_own(run).config, run.changes).config
        except (RunError, ConfigError) as error:
            report(Warned(f"{run} is passed over: {error}"))
            continue
        differing = changes.differences(own, checked.config)
        if not differing:
            report(Noted(f"resuming {run}"))
            return run
        key, before, now = differing[0]
        report(Noted(f"{run} is passed over: its {key} is {before}, not {now}"))
    return None


def check_data(run: Run, now: dict[str, Any]) -> None:
    """Checks that the data is the same as when the run began, even if it has been moved.

    Raises:
        RunError: if the data has changed, with the changes.
    """
    from imgcls.data import fingerprint  # an invalid config must not wait for it

    difference = fingerprint.changes(files.read_object(run.data, "fingerprint"), now)
    if difference:
        raise RunError(f"the data has changed since {run} began: {difference}")


def state_of(saved: Checkpoint | None, changed: Changes, stages: int) -> "State":
    """Returns the training state of a run.

    Args:
        saved: its newest checkpoint, or None.
        changed: all changes to its original config.
        stages: the number of stages.

    Raises:
        RunError: if the checkpoint's state is damaged.
    """
    from imgcls.training.state import State

    if saved is None:
        return State()
    state = State.of(saved)
    # A change is applied until a later checkpoint includes it.
    fresh = {key for key, each in changed.items() if each.step >= saved.step}
    if any(key.endswith(".learning_rate") for key in fresh):
        state.rate = None
    longer = state.stage == stages - 1 and any(changes.is_length(key) for key in fresh)
    if longer and state.early:
        state.early, state.wait = None, 0
    return state
