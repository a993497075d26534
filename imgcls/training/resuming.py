"""Resuming: which run, from which checkpoint, and whether config and data are still the same."""

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
    """What the command line asks of a run that is resumed.

    Attributes:
        overrides: `key=value` each.
        extend: epochs more.
    """

    overrides: Sequence[str] = ()
    extend: int | None = None


@dataclass(frozen=True)
class ResumedRun:
    """A run that is resumed.

    Attributes:
        checked: its config as it is now.
        saved: its newest checkpoint that verifies, or None if it has never saved one.
        changed: what differs from the config that it began with.
        new: what of that is changed by this start.
    """

    checked: reader.CheckedConfig
    saved: Checkpoint | None
    changed: Changes
    new: Changes

    def write_changes(self, run: Run, report: EventSink) -> None:
        """Records and reports what this start changes, once everything else is checked.

        Raises:
            ResourceError: if it cannot be written.
        """
        if self.new:
            changes.write(run.changes, self.changed)
            changed = ", ".join(f"{key} is now {each.value}" for key, each in self.new.items())
            report(Noted(changed))


def read(run: Run, wanted: ResumeOptions, report: EventSink) -> ResumedRun:
    """Returns what is known of a run that is to be resumed, before its data is read.

    Raises:
        RunError: if there is nothing to resume, or what is wanted cannot be changed.
        ConfigError, UsageError: if what is wanted is wrong.
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
        epochs = done  # the others are not wanted any more
    return [*wanted.overrides, f"{key}={epochs + wanted.extend}"]


def _epochs_done(saved: Checkpoint | None, config: Config) -> int:
    """Returns how many epochs of the last stage a checkpoint has; `State.of` checks the rest."""
    if saved is None or saved.state.get("stage") != len(config.stages) - 1:
        return 0
    done, began = (saved.state.get(key) for key in ("evaluated", "stage_began"))
    return done - began if type(done) is type(began) is int else 0


def unfinished(root: Path, checked: reader.CheckedConfig, report: EventSink) -> Run | None:
    """Returns the newest run of a config, by its number, that has not finished.

    Runs of the same name with another config are passed over.
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
    """Checks that the data is what the run began with, wherever it lies now.

    Raises:
        RunError: if it is not, with what has changed.
    """
    from imgcls.data import fingerprint  # a config that is wrong must not wait for it

    difference = fingerprint.changes(files.read_object(run.data, "fingerprint"), now)
    if difference:
        raise RunError(f"the data has changed since {run} began: {difference}")


def state_of(saved: Checkpoint | None, changed: Changes, stages: int) -> "State":
    """Returns where a run stands.

    Args:
        saved: its newest checkpoint.
        changed: what differs from the config that it began with.
        stages: how many its training has.

    Raises:
        RunError: if the checkpoint's state is damaged.
    """
    from imgcls.training.state import State

    if saved is None:
        return State()
    state = State.of(saved)
    # A change counts until a checkpoint after it has taken it in.
    fresh = {key for key, each in changed.items() if each.step >= saved.step}
    if any(key.endswith(".learning_rate") for key in fresh):
        state.rate = None
    longer = state.stage == stages - 1 and any(changes.is_length(key) for key in fresh)
    if longer and state.early:
        state.early, state.wait = None, 0
    return state
