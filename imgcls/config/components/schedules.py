"""Learning rate schedules.

They have Keras' names and fields, except that lengths are in epochs where Keras counts steps, and
that each may start with a linear warmup. To add one, subclass `Schedule` or `Decay` and return the
Keras schedule from `_after_warmup`.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated

from annotated_types import Gt, Le, MinLen
from pydantic import Field

from imgcls.config.components.types import Fraction, NotNegative, Positive
from imgcls.config.language.registry import Component

if TYPE_CHECKING:
    from keras.optimizers.schedules import LearningRateSchedule


class Schedule(Component):
    """A learning rate schedule, updated at every step.

    Unlike in Keras, lengths are in epochs, which may be fractions, and not in steps.
    """

    warmup_epochs: NotNegative = 0.0
    """Number of epochs of linear warmup before the schedule starts; 0 means none."""
    warmup_from: NotNegative = 0.0
    """Learning rate at the start of the warmup."""

    @property
    def start(self) -> float:
        """The learning rate at which the schedule starts and the warmup ends."""
        raise NotImplementedError

    @property
    def start_key(self) -> str:
        """The key of `start`."""
        return "initial_learning_rate"

    @property
    def whole_run(self) -> bool:
        """Whether the schedule spans the whole run, so that more epochs change it."""
        return False

    def rules(self) -> Iterator[tuple[str, str]]:
        """Yields the violated rules of the warmup."""
        if self.warmup_from and not self.warmup_epochs:
            yield "warmup_from", "no effect without warmup_epochs"
        elif self.warmup_from > self.start:
            bound = f"{self.start_key} ({self.start:g})"
            yield "warmup_from", f"must be at most {bound}, got {self.warmup_from:g}"

    def check_length(self, epochs: int) -> str | None:
        """Returns the mistake if the schedule does not fit a run of so many epochs."""
        if self.warmup_epochs >= epochs:
            return (
                f"warmup_epochs must be less than training.epochs ({epochs}), "
                f"got {self.warmup_epochs:g}"
            )
        return None

    def build(self, steps_per_epoch: int, epochs: int) -> "LearningRateSchedule":
        """Returns the Keras schedule, which maps a step, counted from 0, to a float32 rate.

        Args:
            steps_per_epoch: lengths are rounded to whole steps, at least one.
            epochs: number of epochs of the run, where a schedule without a length ends.
        """
        if not self.warmup_epochs:
            return self._after_warmup(steps_per_epoch, steps_per_epoch * epochs, 0)
        warmup = steps(self.warmup_epochs, steps_per_epoch)
        left = max(1, steps_per_epoch * epochs - warmup)
        from imgcls.ops.warmup import Warmup

        return Warmup(
            self._after_warmup(steps_per_epoch, left, warmup),
            start=self.warmup_from,
            target=self.start,
            steps=warmup,
        )

    def _after_warmup(self, steps_per_epoch: int, left: int, warmup: int) -> "LearningRateSchedule":
        """The Keras schedule after the warmup; `left` and `warmup` are in steps."""
        raise NotImplementedError


def steps(epochs: float, steps_per_epoch: int) -> int:
    """Returns a length in epochs as a whole number of steps, at least one."""
    return max(1, round(epochs * steps_per_epoch))


class Decay(Schedule, abstract=True):
    """The common fields of schedules with an initial learning rate."""

    initial_learning_rate: Positive = Field(examples=[0.01])
    """Learning rate at the start or, with a warmup, at its end."""

    @property
    def start(self) -> float:
        """The learning rate at the start."""
        return self.initial_learning_rate


class ToTheEnd(Decay, abstract=True):
    """The common fields of schedules that decay to a final rate, by default over the whole run."""

    decay_epochs: Positive | None = None
    """Number of epochs of the decay after the warmup; null means the rest of the run."""

    @property
    def whole_run(self) -> bool:
        """Whether the decay lasts until the end of the run."""
        return self.decay_epochs is None

    def check_length(self, epochs: int) -> str | None:
        """Returns the mistake if the schedule does not fit a run of so many epochs."""
        if self.decay_epochs is None or self.warmup_epochs + self.decay_epochs <= epochs:
            return super().check_length(epochs)
        what = f"decay_epochs ({self.decay_epochs:g})"
        if self.warmup_epochs:
            what = f"warmup_epochs ({self.warmup_epochs:g}) and {what} together"
        return (
            f"{what} must be at most training.epochs ({epochs}); "
            "leave decay_epochs out to decay until the end of the run"
        )

    def _decay_steps(self, steps_per_epoch: int, left: int) -> int:
        return left if self.decay_epochs is None else steps(self.decay_epochs, steps_per_epoch)


class CosineDecay(ToTheEnd):
    """Cosine decay (arXiv 1608.03983) to a final rate, which is then kept."""

    alpha: Fraction = 0.0
    """Final learning rate as a fraction of initial_learning_rate."""

    def _after_warmup(self, steps_per_epoch: int, left: int, warmup: int) -> "LearningRateSchedule":
        del warmup
        from keras.optimizers import schedules

        return schedules.CosineDecay(
            self.initial_learning_rate, self._decay_steps(steps_per_epoch, left), self.alpha
        )


class PolynomialDecay(ToTheEnd):
    """Polynomial decay to end_learning_rate, which is then kept; linear with power 1."""

    end_learning_rate: NotNegative = 0.0001
    """Final learning rate."""
    power: Positive = 1.0
    """Power of the polynomial: 1 is linear, 2 decays fastest at the start."""
    cycle: bool = False
    """Whether to restart the decay when it ends, each time over 2, 3, ... times decay_epochs."""

    def rules(self) -> Iterator[tuple[str, str]]:
        """Yields the violated rules of the warmup and the decay."""
        yield from super().rules()
        if self.end_learning_rate > self.initial_learning_rate:
            bound = f"initial_learning_rate ({self.initial_learning_rate:g})"
            given = f"{self.end_learning_rate:g}"
            yield "end_learning_rate", f"must be at most {bound}, got {given}"
        if self.cycle and self.decay_epochs is None:
            yield "cycle", "no effect without decay_epochs"

    def _after_warmup(self, steps_per_epoch: int, left: int, warmup: int) -> "LearningRateSchedule":
        del warmup
        from keras.optimizers import schedules

        return schedules.PolynomialDecay(
            self.initial_learning_rate,
            self._decay_steps(steps_per_epoch, left),
            self.end_learning_rate,
            self.power,
            self.cycle,
        )


class ExponentialDecay(Decay):
    """Exponential decay: the rate is multiplied by decay_rate every decay_epochs."""

    decay_epochs: Positive = Field(examples=[1])
    """Number of epochs over which the rate is multiplied by decay_rate."""
    decay_rate: Annotated[float, Gt(0), Le(1)] = Field(examples=[0.9])
    """Decay factor."""
    staircase: bool = False
    """Whether to decay in discrete intervals of decay_epochs instead of at every step."""

    def _after_warmup(self, steps_per_epoch: int, left: int, warmup: int) -> "LearningRateSchedule":
        del left, warmup
        from keras.optimizers import schedules

        return schedules.ExponentialDecay(
            self.initial_learning_rate,
            steps(self.decay_epochs, steps_per_epoch),
            self.decay_rate,
            self.staircase,
        )


class PiecewiseConstantDecay(Schedule):
    """A constant rate between boundaries.

    Unlike in Keras, a new rate applies from the first step after its boundary.
    """

    boundaries: Annotated[tuple[Positive, ...], MinLen(1)] = Field(examples=[[5, 8]])
    """Epochs after which the rate changes, counted from the start of the run, warmup included."""
    values: Annotated[tuple[Positive, ...], MinLen(2)] = Field(examples=[[0.1, 0.01, 0.001]])
    """The learning rates, one more than boundaries."""

    @property
    def start(self) -> float:
        """The learning rate at the start."""
        return self.values[0]

    @property
    def start_key(self) -> str:
        """The key of `start`."""
        return "values[0]"

    def rules(self) -> Iterator[tuple[str, str]]:
        """Yields the violated rules of the warmup and the lists."""
        yield from super().rules()
        wanted, given = len(self.boundaries) + 1, len(self.values)
        if given != wanted:
            yield "values", f"expected {wanted} values, one more than boundaries, got {given}"
        for index, (low, high) in enumerate(pairwise(self.boundaries), start=1):
            if low >= high:
                yield f"boundaries[{index}]", f"must be greater than {low:g}, got {high:g}"
        if self.warmup_epochs > self.boundaries[0]:
            bound = f"warmup_epochs ({self.warmup_epochs:g})"
            yield "boundaries[0]", f"must be at least {bound}, got {self.boundaries[0]:g}"

    def check_length(self, epochs: int) -> str | None:
        """Returns the mistake if the schedule does not fit a run of so many epochs."""
        if self.boundaries[-1] >= epochs:
            return (
                f"boundaries must be less than training.epochs ({epochs}), "
                f"got {self.boundaries[-1]:g}; the last value would never be used"
            )
        return super().check_length(epochs)

    def _after_warmup(self, steps_per_epoch: int, left: int, warmup: int) -> "LearningRateSchedule":
        del left
        from keras.optimizers import schedules

        # Keras keeps a value up to and including the boundary, one step into the next epoch.
        last = [steps(each, steps_per_epoch) - warmup - 1 for each in self.boundaries]
        return schedules.PiecewiseConstantDecay(last, list(self.values))
