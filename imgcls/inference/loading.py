"""Which run and which of its checkpoints a command works on."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from imgcls import files
from imgcls.config import changes
from imgcls.config.config import Config
from imgcls.data.traits import Traits
from imgcls.errors import RunError
from imgcls.events import EventSink, Noted, Warned
from imgcls.runs import checkpoints, folders
from imgcls.runs.checkpoints import Checkpoint
from imgcls.runs.folders import Run

Weights = Literal["best", "last"]


@dataclass(frozen=True)
class LoadedRun:
    """A run with one of its checkpoints, verified.

    Attributes:
        run: the folder.
        config: what was asked.
        traits: what the data decided.
        checkpoint: the verified checkpoint.
    """

    run: Run
    config: Config
    traits: Traits
    checkpoint: Checkpoint

    @property
    def name(self) -> str:
        """The checkpoint's name."""
        return f"step-{self.checkpoint.step}"


def load_run(run: Path | None, root: Path, weights: Weights | None, report: EventSink) -> LoadedRun:
    """Returns the run in a folder, or the one started last that has a checkpoint.

    Args:
        run: the folder, or None.
        root: where runs are looked for.
        weights: the checkpoint of the best epoch, or the last one; None is the best one, or, if it
            is damaged, the newest that is not.
        report: takes events.

    Raises:
        RunError: if there is no such run, or no checkpoint of it verifies, or not the one that was
            asked for.
    """
    opened = folders.open_run(run) if run else folders.newest(root)
    if run is None:
        report(Noted(f"run {opened}"))
    newest, problems = checkpoints.newest(opened.checkpoints)
    # Which one is best, too, is only known from the last.
    if newest is not None and problems and weights is not None:
        raise _of(opened, RunError(f"{problems[0]}; without --checkpoint, an older one is used"))
    for problem in problems:
        report(Warned(f"{problem}; an older checkpoint is used" if newest else problem))
    if newest is None:
        hint = "imgcls train CONFIG, anew"
        raise _of(opened, RunError(f"{opened} has no checkpoint that can be used", hint=hint))
    config = changes.current(opened.config, opened.changes).config
    return LoadedRun(opened, config, traits_of(opened), _weights(opened, newest, weights, report))


def _of(run: Run, error: RunError) -> RunError:
    error.run = run.folder
    return error


def traits_of(run: Run) -> Traits:
    """Returns what the data decided, as `model.json` has it.

    Raises:
        RunError: if the file is missing or wrong.
    """
    try:
        return Traits.model_validate(files.read_json(run.model))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(map(str, first["loc"]))
        raise RunError(f"{run.model}: {key}: {first['msg']}") from None


def _weights(
    run: Run, newest: Checkpoint, weights: Weights | None, report: EventSink
) -> Checkpoint:
    best = newest.state.get("best")
    step = best.get("step") if isinstance(best, dict) else None
    if weights == "last" or type(step) is not int or step == newest.step:
        return newest
    try:
        return checkpoints.load(run.checkpoints / f"step-{step}")
    except RunError as error:
        if weights is not None:
            raise _of(run, error) from error
        report(Warned(f"the best checkpoint cannot be used: {error}; the last one is used"))
        return newest
