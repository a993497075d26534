"""What a training leaves on the disk: rows of metrics and checkpoints, as far as the disk allows.

A disk that is full at three in the morning may have space again at four. So a failed save is a
warning, and is tried again at the next occasion; only the third failure in a row ends the training.
"""

import math
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import numpy as np

from imgcls.errors import DivergedError, ResourceError, RunError
from imgcls.events import EventSink, Saved, Warned
from imgcls.network.weights import Arrays
from imgcls.runs import checkpoints, folders, rows
from imgcls.runs.checkpoints import Checkpoint
from imgcls.runs.folders import Run
from imgcls.training.state import State

MOST_FAILURES = 3  # in a row


class Saver:
    """Writes a run's rows and checkpoints.

    Args:
        run: the folder.
        report: takes events.
    """

    def __init__(self, run: Run, report: EventSink) -> None:
        self._run = run
        self._report = report
        self._waiting: deque[dict[str, Any]] = deque()  # rows that are not on the disk yet
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

    def save(self, state: State, parts: Mapping[str, Arrays], *, last: bool = False) -> None:
        """Writes a checkpoint, the rows before it, and how far the run is.

        Args:
            state: where the training stands.
            parts: the arrays, as `checkpoints.save` takes them.
            last: there is no later occasion.

        Raises:
            ResourceError: if it could not be written and was the last, or the third in a row.
            DivergedError: if a weight is not finite; the checkpoints stay as they were.
        """
        _check_finite(parts, state.step)
        try:
            self._write_rows()
            rows.sync(self._run.metrics)  # a power cut must not keep a checkpoint, lose its rows
            checkpoints.save(
                self._run.checkpoints,
                state.step,
                parts,
                state.to_json(),
                {"config.yaml": self._run.config, "model.json": self._run.model},
            )
        except ResourceError as error:
            self._failures += 1
            if last or self._failures == MOST_FAILURES:
                raise
            count = f"{self._failures} of {MOST_FAILURES}"
            self._report(Warned(f"{error}; training continues and tries again later ({count})"))
            return
        self._failures = 0
        with suppress(ResourceError):  # the checkpoint is there; the next one writes it again
            folders.set_status(self._run, "running", step=state.step)
        self._prune(state)
        self._report(Saved(state.step))

    def newest(self) -> Checkpoint | None:
        """Returns the newest whole checkpoint, to go back to.

        Rows that were written since are forgotten: they will be written again.
        """
        saved, problems = checkpoints.newest(self._run.checkpoints, Checkpoint.verify)
        for problem in problems:
            self._report(Warned(f"{problem}; an older checkpoint is used"))
        self._waiting.clear()
        return saved

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
    """Returns what distinguishes a run from one that took its folder's name, if it is known."""
    try:
        return folders.read_status(run).get("started")
    except RunError:
        return None


def _check_finite(parts: Mapping[str, Arrays], step: int) -> None:
    for arrays in parts.values():
        for array in arrays.values():
            # The sum of finite numbers may overflow: it only saves the closer look.
            if not math.isfinite(np.sum(array, dtype=np.float64)) and not np.isfinite(array).all():
                raise DivergedError(f"a weight is not finite any more after step {step}")
