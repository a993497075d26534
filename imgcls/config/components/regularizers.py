"""Regularizers, with Keras' names, fields and defaults. To add one, add a class."""

from typing import TYPE_CHECKING

from imgcls.config.components.types import NotNegative
from imgcls.config.language.registry import Component

if TYPE_CHECKING:
    import keras


class Regularizer(Component):
    """A penalty on the weights of a layer, added to the loss."""

    def build(self) -> "keras.Regularizer":
        """Returns the Keras regularizer of the same name."""
        import keras

        return getattr(keras.regularizers, type(self).__name__)(
            **self.model_dump()[self.identifier()]
        )


class L1(Regularizer):
    """L1 regularization: the sum of absolute weights times a factor; favors sparse weights."""

    l1: NotNegative = 0.01
    """Regularization factor."""


class L2(Regularizer):
    """L2 regularization: the sum of squared weights times a factor; favors small weights."""

    l2: NotNegative = 0.01
    """Regularization factor."""


class L1L2(Regularizer):
    """L1 and L2 regularization combined."""

    _aliases = ("l1_l2",)

    l1: NotNegative = 0.0
    """L1 regularization factor."""
    l2: NotNegative = 0.0
    """L2 regularization factor."""
