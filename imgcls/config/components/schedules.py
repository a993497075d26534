"""Learning rate schedules, which stand in the place of a learning rate.

Keras' schedules with Keras' names, except that lengths are in epochs where Keras counts steps, and
that each may be preceded by a linear warm-up. To add one: subclass `Schedule` or `Decay`, say in
`_after_warmup` which Keras schedule it is.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated

from annotated_types import Gt, Le, MinLen

from imgcls.config.components.types import Fraction, NotNegative, Positive
from imgcls.config.language.registry import Component

if TYPE_CHECKING:
    from keras.optimizers.schedules import LearningRateSchedule


class Schedule(Component):
    """A learning rate that changes from step to step. Lengths are in epochs; 0.5 is half of one."""

    warmup_epochs: NotNegative = 0.0
    """Epochs in which the rate first rises linearly to where the schedule starts; 0 for none."""
    warmup_from: NotNegative = 0.0
    """The learning rate that the warm-up starts from."""

    @property
    def start(self) -> float:
        """Where the schedule starts, and its warm-up ends: a learning rate."""
        raise NotImplementedError

    @property
    def start_key(self) -> str:
        """The key that says where the schedule starts."""
        return "initial_learning_rate"

    @property
    def whole_run(self) -> bool:
        """Whether it is planned over the whole run, so that a longer run is another schedule."""
        return False

    def rules(self) -> Iterator[tuple[str, str]]:
        """Yields the broken rules of the warm-up."""
        if self.warmup_from and not self.warmup_epochs:
            yield "warmup_from", "no effect without warmup_epochs"
        elif self.warmup_from > self.start:
            bound = f"{self.start_key} ({self.start:g})"
            yield "warmup_from", f"must be at most {bound}, got {self.warmup_from:g}"

    def check_length(self, epochs: int) -> str | None:
        """Returns what is wrong with its lengths in a run of so many epochs, if anything is."""
        if self.warmup_epochs >= epochs:
            return (
                f"warmup_epochs must be less than training.epochs ({epochs}), "
                f"got {self.warmup_epochs:g}"
            )
        return None

    def build(self, steps_per_epoch: int, epochs: int) -> "LearningRateSchedule":
        """Returns the Keras schedule, which maps a step, counted from 0, to a float32 rate.

        Args:
            steps_per_epoch: lengths are rounded to whole steps, and to one at least.
            epochs: of the run; a schedule without a length of its own ends with it.
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
        """The Keras schedule from the end of the warm-up on; `left` and `warmup` are in steps."""
        raise NotImplementedError


def steps(epochs: float, steps_per_epoch: int) -> int:
    """Returns a length in epochs as whole steps, one at least."""
    return max(1, round(epochs * steps_per_epoch))


class Decay(Schedule, abstract=True):
    """What the schedules that start from one rate share."""

    initial_learning_rate: Positive
    """The learning rate at the start, or where the warm-up ends."""

    @property
    def start(self) -> float:
        """The learning rate at the start."""
        return self.initial_learning_rate


class ToTheEnd(Decay, abstract=True):
    """What the schedules share that reach their last rate once, by default when the run ends."""

    decay_epochs: Positive | None = None
    """Epochs of the decay after the warm-up; left out, the rest of the run."""

    @property
    def whole_run(self) -> bool:
        """Whether the run's own length is the schedule's."""
        return self.decay_epochs is None

    def check_length(self, epochs: int) -> str | None:
        """Returns what is wrong with its lengths in a run of so many epochs, if anything is."""
        if self.decay_epochs is None or self.warmup_epochs + self.decay_epochs <= epochs:
            return super().check_length(epochs)
        what = f"decay_epochs ({self.decay_epochs:g})"
        if self.warmup_epochs:
            what = f"warmup_epochs ({self.warmup_epochs:g}) and {what} together"
        return (
            f"{what} must be at most training.epochs ({epochs}); "
            "without decay_epochs the decay takes the rest of the run"
        )

    def _decay_steps(self, steps_per_epoch: int, left: int) -> int:
        return left if self.decay_epochs is None else steps(self.decay_epochs, steps_per_epoch)


class CosineDecay(ToTheEnd):
    """Falls along half a cosine wave (arXiv 1608.03983), then stays at its lowest rate."""

    alpha: Fraction = 0.0
    """The last rate as a share of initial_learning_rate."""

    def _after_warmup(self, steps_per_epoch: int, left: int, warmup: int) -> "LearningRateSchedule":
        del warmup
        from keras.optimizers import schedules

        return schedules.CosineDecay(
            self.initial_learning_rate, self._decay_steps(steps_per_epoch, left), self.alpha
        )


class PolynomialDecay(ToTheEnd):
    """Falls along a polynomial to end_learning_rate and stays there; with power 1 linearly."""

    end_learning_rate: NotNegative = 0.0001
    """The last learning rate."""
    power: Positive = 1.0
    """Of the polynomial: 1 falls linearly, 2 fast at first, 0.5 fast at last."""
    cycle: bool = False
    """Begins again after decay_epochs, each time with a decay twice, three times ... as long."""

    def rules(self) -> Iterator[tuple[str, str]]:
        """Yields the broken rules of the warm-up and of the decay."""
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
    """Is multiplied by decay_rate in every decay_epochs, step by step, to the end of the run."""

    decay_epochs: Positive
    """Epochs in which the rate falls by the factor decay_rate once."""
    decay_rate: Annotated[float, Gt(0), Le(1)]
    """The factor by which the rate falls in decay_epochs."""
    staircase: bool = False
    """Falls only at the end of each decay_epochs, all at once."""

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
    """Holds one rate after the other; the next begins exactly where an epoch of boundaries ends."""

    boundaries: Annotated[tuple[Positive, ...], MinLen(1)]
    """Epochs from the start of the run (its warm-up included) after which the next value holds."""
    values: Annotated[tuple[Positive, ...], MinLen(2)]
    """The learning rates: one more than there are boundaries."""

    @property
    def start(self) -> float:
        """The learning rate at the start."""
        return self.values[0]

    @property
    def start_key(self) -> str:
        """The key that says where the schedule starts."""
        return "values[0]"

    def rules(self) -> Iterator[tuple[str, str]]:
        """Yields the broken rules of the warm-up and of the lists."""
        yield from super().rules()
        wanted, given = len(self.boundaries) + 1, len(self.values)
        if given != wanted:
            yield "values", f"must be {wanted}, one more than the boundaries, got {given}"
        for index, (low, high) in enumerate(pairwise(self.boundaries), start=1):
            if low >= high:
                yield f"boundaries[{index}]", f"must be greater than {low:g}, got {high:g}"
        if self.warmup_epochs > self.boundaries[0]:
            bound = f"warmup_epochs ({self.warmup_epochs:g})"
            yield "boundaries[0]", f"must be at least {bound}, got {self.boundaries[0]:g}"

    def check_length(self, epochs: int) -> str | None:
        """Returns what is wrong with its lengths in a run of so many epochs, if anything is."""
        if self.boundaries[-1] >= epochs:
            return (
                f"boundaries must be less than training.epochs ({epochs}), "
                f"got {self.boundaries[-1]:g}; its last value would never hold"
            )
        return super().check_length(epochs)

    def _after_warmup(self, steps_per_epoch: int, left: int, warmup: int) -> "LearningRateSchedule":
        del left
        from keras.optimizers import schedules

        # Keras holds a value up to and including the boundary, one step into the next epoch.
        last = [steps(each, steps_per_epoch) - warmup - 1 for each in self.boundaries]
        return schedules.PiecewiseConstantDecay(last, list(self.values))
