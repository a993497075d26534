"""The training state without arrays: counters, sums, best epoch; JSON in a checkpoint."""

from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict, TypeAdapter, ValidationError

from imgcls.config.components.metrics import MetricName, better
from imgcls.config.components.training import EarlyStopping, ReduceLROnPlateau
from imgcls.errors import RunError
from imgcls.runs.checkpoints import Checkpoint
from imgcls.training.engine import CORRECT, IMAGES, LOSS


@dataclass
class State:
    """The progress of training.

    Attributes:
        step: the number of optimizer steps done, over all stages.
        evaluated: the number of epochs completed: evaluated if due, and their rows written.
        stage: the current stage, counted from 0. A checkpoint at a boundary belongs to the stage
            that ends there, whenever it was written.
        stage_began: the number of epochs done when the stage began.
        sums: sums over the current epoch: loss, correctly classified images, images.
        window: the same sums since the last `report_steps` row.
        best: the metrics row of the best epoch so far.
        wait: the number of evaluations since early stopping's metric improved.
        monitor: the best value of early stopping's metric.
        plateau_wait, plateau_cooldown, plateau_best: the same for reduce_lr_on_plateau.
        early: why the stage ended before its last epoch.
        retries: how often the stage went back to a checkpoint after a divergence.
        rate: the learning rate state; see `Engine.rate`.
        averaged: the number of updates of the average of the weights.
        seconds: the training time so far, including that before each resume.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    step: int = 0
    evaluated: int = 0
    stage: int = 0
    stage_began: int = 0
    sums: list[float] = field(default_factory=lambda: [0.0, 0.0, 0.0])
    window: list[float] = field(default_factory=lambda: [0.0, 0.0, 0.0])
    best: dict[str, Any] | None = None
    wait: int = 0
    monitor: float | None = None
    plateau_wait: int = 0
    plateau_cooldown: int = 0
    plateau_best: float | None = None
    early: str | None = None
    retries: int = 0
    rate: float | None = None
    averaged: int = 0
    seconds: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """Returns the state as plain values; floats are bit-identical after a JSON round trip."""
        return asdict(self)

    @classmethod
    def of(cls, checkpoint: Checkpoint) -> "State":
        """Returns the state in a checkpoint.

        Raises:
            RunError: if it is damaged.
        """
        try:
            return TypeAdapter(cls).validate_python(checkpoint.state)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            key = ".".join(map(str, first["loc"]))
            raise RunError(f"the checkpoint's state is damaged: {key}: {first['msg']}") from None

    def next_stage(self) -> None:
        """Begins the next stage and resets its monitors and the learning rate state."""
        self.stage += 1
        self.stage_began = self.evaluated
        self.wait, self.monitor, self.early = 0, None, None
        self.plateau_wait, self.plateau_cooldown, self.plateau_best = 0, 0, None
        self.retries, self.rate = 0, None

    def add(self, row: NDArray[np.float64]) -> None:
        """Adds one step, a row of `Engine.advance`.

        Sums in float64 and in order, so that the number of steps per call does not matter.
        """
        self.step += 1
        for sums in (self.sums, self.window):
            for column, value in enumerate(row):
                sums[column] += float(value)

    def note_best(self, row: dict[str, Any], metric: MetricName) -> bool:
        """Returns whether a metrics row is the best so far, and keeps it; a tie is not better."""
        value = row.get(metric)
        if value is None or not np.isfinite(value):
            return False
        if self.best is None or improved(metric, value, self.best[metric]):
            self.best = row
            return True
        return False

    def stops_early(self, row: dict[str, Any], early: EarlyStopping) -> bool:
        """Returns whether the patience of early stopping is exhausted, as in the Keras callback."""
        epoch = row["epoch"] - self.stage_began
        if epoch <= early.start_from_epoch:
            return False
        value = row.get(early.monitor)
        if value is None:
            return False
        self.wait += 1
        delta = early.min_delta
        if self.monitor is None or improved(early.monitor, value, self.monitor, delta):
            self.monitor = value
            # With a baseline, only an improvement that beats it resets the patience.
            if early.baseline is None or improved(early.monitor, value, early.baseline, delta):
                self.wait = 0
            return False
        return self.wait >= early.patience and epoch > 1

    def reduced_rate(self, row: dict[str, Any], plateau: ReduceLROnPlateau, rate: float) -> float:
        """Returns the learning rate for the next epoch, as the Keras callback computes it."""
        value = row.get(plateau.monitor)
        if value is None:
            return rate
        if self.plateau_cooldown > 0:
            self.plateau_cooldown -= 1
            self.plateau_wait = 0
        best = self.plateau_best
        if best is None or improved(plateau.monitor, value, best, plateau.min_delta):
            self.plateau_best = value
            self.plateau_wait = 0
        elif self.plateau_cooldown == 0:
            self.plateau_wait += 1
            if self.plateau_wait >= plateau.patience and rate > plateau.min_lr:
                self.plateau_cooldown = plateau.cooldown
                self.plateau_wait = 0
                return max(rate * plateau.factor, plateau.min_lr)
        return rate


def improved(metric: MetricName, value: float, before: float, min_delta: float = 0.0) -> bool:
    """Returns whether a value is better than an earlier one by more than `min_delta`."""
    if better(metric) == "min":
        return value < before - min_delta
    return value > before + min_delta


def means(sums: list[float]) -> dict[str, float]:
    """Returns the mean loss and the accuracy from sums."""
    images = max(sums[IMAGES], 1.0)
    return {"loss": sums[LOSS] / images, "accuracy": sums[CORRECT] / images}
