"""Chooses the run, the checkpoint and the weights for a command."""

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import ValidationError

from imgcls import files
from imgcls.config import changes
from imgcls.config.config import Config
from imgcls.config.data_spec import DataSpec
from imgcls.errors import RunError
from imgcls.events import Event, EventSink, Noted, Warned
from imgcls.runs import checkpoints, folders
from imgcls.runs.checkpoints import AVERAGED, MODEL, Checkpoint
from imgcls.runs.folders import Run

if TYPE_CHECKING:
    from numpy.typing import NDArray

Choice = Literal["best", "last"]
Weights = Literal["raw", "averaged"]


@dataclass(frozen=True)
class LoadedRun:
    """A run with the weights of one of its checkpoints.

    Attributes:
        run: the run folder.
        config: the config, with all changes.
        spec: the data spec.
        checkpoint: the checkpoint's name.
        weights: the network's variables by name.
    """

    run: Run
    config: Config
    spec: DataSpec
    checkpoint: str
    weights: "dict[str, NDArray[Any]]"


def load_run(
    run: Path | None,
    root: Path,
    choice: Choice | None,
    report: EventSink,
    weights: Weights | None = None,
) -> LoadedRun:
    """Returns the run in a folder, or the most recently started run that has a checkpoint.

    Args:
        run: the folder, or None.
        root: the folder that is searched for runs.
        choice: `best` is the checkpoint of the best epoch, `last` the last one; None is the best
            or, if it is damaged, the newest undamaged one.
        report: receives events: the run that is used, and damaged checkpoints.
        weights: `raw` or `averaged`; None is averaged if the checkpoint has averaged weights.

    Raises:
        RunError: if there is no such run, if the requested checkpoint, or every checkpoint, is
            damaged, or if averaged weights are requested and the checkpoint has none.
    """
    opened = folders.open_run(run) if run else folders.newest(root)
    if run is None:
        report(Noted(f"run {opened}"))
    try:
        checkpoint, arrays = _read(opened, choice, weights, report)
        config = changes.current(opened.config, opened.changes).config
    except RunError as error:
        error.run = opened.folder
        raise
    return LoadedRun(opened, config, spec_of(opened), checkpoint.path.name, arrays)


def spec_of(run: Run) -> DataSpec:
    """Returns the data spec of a run.

    Raises:
        RunError: if the file is missing or invalid.
    """
    try:
        return DataSpec.model_validate(files.read_json(run.model))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(map(str, first["loc"]))
        raise RunError(f"{run.model}: {key}: {first['msg']}") from None


def _read(
    run: Run, choice: Choice | None, weights: Weights | None, report: EventSink
) -> "tuple[Checkpoint, dict[str, NDArray[Any]]]":
    """Returns a checkpoint and its weights; unless it is damaged, no other arrays are read."""
    newest, problems = checkpoints.newest(run.checkpoints)
    if newest is not None and weights == "averaged":
        _part(run, newest, weights)  # otherwise an older one would be tried
    # Only the newest checkpoint records which one is best.
    best = _step_of_best(newest) if newest is not None and choice != "last" else None
    if best is not None:
        try:
            checkpoint = checkpoints.load(run.checkpoints / f"step-{best}")
            arrays = checkpoint.read(_part(run, checkpoint, weights))
        except RunError as error:
            if choice is not None:
                raise
            report(Warned(f"the best checkpoint cannot be used: {error}; the last one is used"))
        else:
            _report(problems, choice, report)
            return checkpoint, arrays
    read: dict[int, dict[str, NDArray[Any]]] = {}

    def check(checkpoint: Checkpoint) -> None:
        read[checkpoint.step] = checkpoint.read(_part(run, checkpoint, weights))

    newest, problems = checkpoints.newest(run.checkpoints, check)
    if newest is None:
        for problem in problems:
            report(Warned(problem))
        hint = "start a new run: imgcls train CONFIG"
        raise RunError(f"{run} has no checkpoint that can be used", hint=hint)
    _report(problems, choice, report)
    return newest, read[newest.step]


def _step_of_best(newest: Checkpoint) -> int | None:
    """Returns the step of the best checkpoint, or None if that is the newest."""
    best = newest.state.get("best")
    step = best.get("step") if isinstance(best, dict) else None
    return step if type(step) is int and step != newest.step else None


def _report(problems: list[str], choice: Choice | None, report: EventSink) -> None:
    """Warns of damaged checkpoints that are newer than the one used.

    Raises:
        RunError: if there are any and a specific checkpoint was requested.
    """
    if problems and choice is not None:
        raise RunError(f"{problems[0]}; without --checkpoint, an older one is used")
    for problem in problems:
        report(Warned(f"{problem}; an older checkpoint is used"))


def _part(run: Run, checkpoint: Checkpoint, weights: Weights | None) -> str:
    if weights == "averaged" and not checkpoint.has(AVERAGED):
        raise RunError(f"{run} has no averaged weights; training.average keeps some")
    return AVERAGED if checkpoint.has(AVERAGED) and weights != "raw" else MODEL


def warn(event: Event) -> None:
    """Handles the events of `load_run` without a console: issues warnings as Python warnings."""
    if isinstance(event, Warned):
        warnings.warn(event.message, stacklevel=2)
