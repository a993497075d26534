"""Regularizers: what a layer's weights add to the loss. To add one, add a class."""

from typing import TYPE_CHECKING

from imgcls.config.components.types import NotNegative
from imgcls.config.language.registry import Component

if TYPE_CHECKING:
    import keras


class Regularizer(Component):
    """A penalty on large weights, added to the loss."""

    def build(self) -> "keras.Regularizer":
        """Returns the Keras regularizer of the same name."""
        import keras

        return getattr(keras.regularizers, type(self).__name__)(
            **self.model_dump()[self.identifier()]
        )


class L1(Regularizer):
    """Adds the sum of the absolute weights, times a factor: pushes weights to exactly 0."""

    l1: NotNegative = 0.01
    """The factor."""


class L2(Regularizer):
    """Adds the sum of the squared weights, times a factor: keeps all weights small."""

    l2: NotNegative = 0.01
    """The factor."""


class L1L2(Regularizer):
    """Adds both the absolute and the squared weights, each times its factor."""

    _aliases = ("l1_l2",)

    l1: NotNegative = 0.0
    """The factor of the absolute weights."""
    l2: NotNegative = 0.0
    """The factor of the squared weights."""
