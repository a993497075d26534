"""What a training leaves on the disk: rows of metrics and checkpoints, as far as the disk lets it.

A disk that is full at three in the morning may have room again at four. So a failed save is told
and tried again at the next occasion; only the third failure in a row ends the training.
"""

import math
from collections import deque
from contextlib import suppress
from typing import Any

import numpy as np

from imgcls.errors import DivergedError, ResourceError, RunError
from imgcls.events import EventSink, Saved, Warned
from imgcls.network import model
from imgcls.runs import checkpoints, folders, rows
from imgcls.runs.folders import Run
from imgcls.training.engine import Engine
from imgcls.training.state import State

FORMAT = 2  # of a checkpoint's arrays and state
MOST_FAILURES = 3  # in a row


class Saver:
    """Writes a run's rows and checkpoints.

    Args:
        run: the folder.
        engine: what is saved.
        report: takes events.
    """

    def __init__(self, run: Run, engine: Engine, report: EventSink) -> None:
        self._run = run
        self._engine = engine
        self._report = report
        self._waiting: deque[dict[str, Any]] = deque()  # rows that the disk has not taken yet
        self._failures = 0
        self._started = _started(run)

    def add(self, row: dict[str, Any]) -> None:
        """Writes a row now, or with the next checkpoint where that is not possible."""
        self._waiting.append(row)
        try:
            self._write_rows()
        except ResourceError as error:
            if len(self._waiting) == 1:
                self._report(Warned(f"{error}; it is tried again with the next checkpoint"))

    def save(self, state: State, *, last: bool = False) -> None:
        """Writes a checkpoint, the rows before it, and how far the run is.

        Args:
            state: where the training stands.
            last: there is no later occasion.

        Raises:
            ResourceError: if it could not be written and was the last, or the third in a row.
            DivergedError: if a weight is not finite; the checkpoints stay as they were.
        """
        arrays = self._arrays(state.step)
        state.rate = self._engine.rate
        try:
            self._write_rows()
            rows.sync(self._run.metrics)  # a power cut must not keep a checkpoint, lose its rows
            checkpoints.save(
                self._run.checkpoints,
                state.step,
                arrays,
                {"format": FORMAT, **state.to_json()},
                {"config.yaml": self._run.config, "model.json": self._run.model},
            )
        except ResourceError as error:
            self._failures += 1
            if last or self._failures == MOST_FAILURES:
                raise
            count = f"{self._failures} of {MOST_FAILURES}"
            self._report(Warned(f"{error}; training goes on and tries again later ({count})"))
            return
        self._failures = 0
        with suppress(ResourceError):  # the checkpoint is there; the next one tells anew
            folders.set_status(self._run, "running", step=state.step)
        self._prune(state)
        self._report(Saved(state.step))

    def go_back(self) -> State | None:
        """Puts the engine where the newest checkpoint left it; returns the state, if there is one.

        Rows that were written since are forgotten: they will be written anew.
        """
        saved, problems = checkpoints.newest(self._run.checkpoints)
        for problem in problems:
            self._report(Warned(f"{problem}; an older checkpoint is used"))
        self._waiting.clear()
        return None if saved is None else restore(self._engine, saved)

    def _arrays(self, step: int) -> dict[str, Any]:
        engine = self._engine
        arrays = model.arrays("model", engine.model.variables)
        arrays |= model.arrays("optimizer", engine.optimizer_state)
        arrays |= model.arrays("average", engine.averages)
        for array in arrays.values():
            # The sum of finite numbers may overflow: it only saves the closer look.
            if not math.isfinite(np.sum(array, dtype=np.float64)) and not np.isfinite(array).all():
                raise DivergedError(f"a weight is not finite any more after step {step}")
        return arrays

    def _write_rows(self) -> None:
        now = _started(self._run)
        if now != self._started and now and self._started:
            raise ResourceError(
                f"{self._run} is another run by now: it was removed while it trained"
            )
        while self._waiting:
            rows.append(self._run.metrics, self._waiting[0])
            self._waiting.popleft()

    def _prune(self, state: State) -> None:
        kept = checkpoints.steps(self._run.checkpoints)[-2:]
        best = [state.best["step"]] if state.best else []
        try:
            checkpoints.prune(self._run.checkpoints, {*kept, *best})
        except ResourceError as error:  # the new one is there; more than needed does no harm
            self._report(Warned(str(error)))


def _started(run: Run) -> object:
    """Returns what tells a run from one that took its folder's name, if it is known."""
    try:
        return folders.read_status(run).get("started")
    except RunError:
        return None


def restore(engine: Engine, checkpoint: checkpoints.Checkpoint) -> State:
    """Puts a checkpoint's arrays into an engine and returns its state.

    Raises:
        RunError: if it is of another format, or belongs to another config.
    """
    values = dict(checkpoint.state)
    if values.pop("format", None) != FORMAT:
        raise RunError(f"the checkpoint of step {checkpoint.step} is of another version of imgcls")
    state = State.from_json(values)
    model.restore("model", engine.model.variables, checkpoint.arrays)
    model.restore("optimizer", engine.optimizer_state, checkpoint.arrays)
    model.restore("average", engine.averages, checkpoint.arrays)
    return state
