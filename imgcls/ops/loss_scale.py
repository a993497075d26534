"""Gradients in float16, which ends at 6e-8 below and at 65,504 above."""

from collections.abc import Callable, Sequence

import tensorflow as tf

FIRST = 2.0**15
GROWTH_STEPS = 2000
"""Steps without an overflow after which the factor is doubled."""


class LossScale:
    """Keeps small gradients from vanishing (https://arxiv.org/abs/1710.03740).

    The loss is multiplied by a factor, its gradients are divided by it in float32. A step whose
    gradients overflow is left out and halves the factor; after many without, it is doubled.

    Attributes:
        variables: the factor, and how many steps there were since it was last changed.
    """

    def __init__(self) -> None:
        self._factor = tf.Variable(FIRST, trainable=False, name="loss_scale")
        self._good = tf.Variable(0.0, trainable=False, name="good_steps")
        self.variables = [self._factor, self._good]

    def scaled(self, loss: tf.Tensor) -> tf.Tensor:
        """Returns the loss of which the gradients are to be taken."""
        return loss * self._factor

    def unscaled(self, gradients: Sequence[tf.Tensor]) -> list[tf.Tensor]:
        """Returns the gradients of the loss itself."""
        return [gradient / self._factor for gradient in gradients]

    def update(
        self, gradients: list[tf.Tensor], apply: Callable[[list[tf.Tensor]], object]
    ) -> None:
        """Applies gradients that are finite, and sets the factor for the next step."""

        def good() -> tf.Tensor:
            apply(gradients)
            self._good.assign_add(1.0)
            grown = self._good >= GROWTH_STEPS
            self._factor.assign(self._factor * tf.where(grown, 2.0, 1.0))
            self._good.assign(tf.where(grown, 0.0, self._good))
            return grown

        def bad() -> tf.Tensor:
            self._factor.assign(tf.maximum(self._factor / 2.0, 1.0))
            self._good.assign(0.0)
            return tf.constant(False)

        finite = [tf.reduce_all(tf.math.is_finite(gradient)) for gradient in gradients]
        tf.cond(tf.reduce_all(tf.stack(finite)), good, bad)
