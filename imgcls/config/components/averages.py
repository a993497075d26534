"""Averages of the weights over the steps of training. To add one, add a class."""

from typing import TYPE_CHECKING, Annotated, Literal

from annotated_types import Gt, Lt

from imgcls.config.components.types import Natural
from imgcls.config.language.registry import Component

if TYPE_CHECKING:
    import tensorflow as tf


class Average(Component):
    """Average of the weights, kept next to the raw ones and used for evaluation and prediction."""

    @property
    def every(self) -> Literal["step", "epoch"]:
        """When the average is updated: after each step, or at the end of each epoch."""
        raise NotImplementedError

    @property
    def first_epoch(self) -> int:
        """The first epoch, counted from 1, in which the average is updated."""
        return 1

    def share(self, count: "tf.Tensor") -> "tf.Tensor":
        """Returns the share of the current weights in the updated average, float64.

        Args:
            count: float64, the number of updates, including this one. The share in the first update
                is 1, so that initial weights never contribute to the average.
        """
        raise NotImplementedError


class EMA(Average):
    """Exponential moving average, updated after each step and bias-corrected.

    The update is `average += (weight - average) * (1 - decay) / (1 - decay**count)`.
    """

    decay: Annotated[float, Gt(0), Lt(1)] = 0.999
    """Decay rate; 0.999 averages about the last 1,000 steps."""

    @property
    def every(self) -> Literal["step", "epoch"]:  # noqa: D102 - of Average
        return "step"

    def share(self, count: "tf.Tensor") -> "tf.Tensor":  # noqa: D102 - of Average
        import tensorflow as tf

        decay = tf.constant(self.decay, tf.float64)
        # 1 - decay**count, accurate for a decay near 1.
        return (1 - decay) / -tf.math.expm1(count * tf.math.log(decay))


class SWA(Average):
    """Stochastic weight averaging: the mean of the weights at the ends of epochs.

    Use it with a learning rate that is constant, or that decays to a value that is not small
    (https://arxiv.org/abs/1803.05407).
    """

    start_epoch: Natural = 0
    """Number of epochs before the first one whose weights are averaged."""

    @property
    def every(self) -> Literal["step", "epoch"]:  # noqa: D102 - of Average
        return "epoch"

    @property
    def first_epoch(self) -> int:  # noqa: D102 - of Average
        return self.start_epoch + 1

    def share(self, count: "tf.Tensor") -> "tf.Tensor":  # noqa: D102 - of Average
        return 1 / count
