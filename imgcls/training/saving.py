"""Writes metrics rows and checkpoints, and tolerates temporary failures.

A disk that is full at three in the morning may have space again at four. So a failed save is only a
warning and is retried at the next checkpoint; the third failure in a row ends training.
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
        self._waiting: deque[dict[str, Any]] = deque()  # rows not written yet
        self._failures = 0
        self._started = _started(run)

    def add(self, row: dict[str, Any]) -> None:
        """Writes a row now or, if that fails, with the next checkpoint."""
        self._waiting.append(row)
        try:
            self._write_rows()
        except ResourceError as error:
            if len(self._waiting) == 1:
                self._report(Warned(f"{error}; it is tried again with the next checkpoint"))

    def save(self, state: State, parts: Mapping[str, Arrays], *, last: bool = False) -> None:
        """Writes a checkpoint, the pending rows, and the status.

        Args:
            state: the training state.
            parts: the arrays, as in `checkpoints.save`.
            last: whether this is the last checkpoint, so that a retry is not possible.

        Raises:
            ResourceError: if saving failed, and it was the last or the third failure in a row.
            DivergedError: if a weight is not finite; existing checkpoints are not changed.
        """
        _check_finite(parts, state.step)
        try:
            self._write_rows()
            # A power failure must not keep a checkpoint but lose its rows.
            rows.sync(self._run.metrics)
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
        with suppress(ResourceError):  # the checkpoint is saved; the next one updates the status
            folders.set_status(self._run, "running", step=state.step)
        self._prune(state)
        self._report(Saved(state.step))

    def newest(self) -> Checkpoint | None:
        """Returns the newest undamaged checkpoint, to go back to.

        Pending rows are dropped, because they will be written again.
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
        except ResourceError as error:  # the new one is saved; extra ones do no harm
            self._report(Warned(str(error)))


def _started(run: Run) -> object:
    """Returns the start time, which tells a run from a later one in the same folder, or None."""
    try:
        return folders.read_status(run).get("started")
    except RunError:
        return None


def _check_finite(parts: Mapping[str, Arrays], step: int) -> None:
    for arrays in parts.values():
        for array in arrays.values():
            # A quick check first; the sum of finite numbers may overflow, so it is not conclusive.
            if not math.isfinite(np.sum(array, dtype=np.float64)) and not np.isfinite(array).all():
                raise DivergedError(f"a weight is not finite any more after step {step}")
