"""Regularization by noise during training. These layers are inactive during evaluation."""

from collections.abc import Iterator

from pydantic import Field

from imgcls.config.components.layers.layer import Layer
from imgcls.config.components.types import Fraction


class Dropping(Layer, abstract=True):
    """The common field of dropout layers."""

    rate: Fraction = Field(examples=[0.5])
    """Dropout rate: the fraction that is set to 0; less than 1."""

    def rules(self) -> Iterator[tuple[str, str]]:
        """Yields the violated rule that some inputs remain."""
        if self.rate == 1:
            yield "rate", "must be less than 1, got 1; nothing would remain"


class Dropout(Dropping):
    """Randomly sets inputs to 0 during training and scales up the others (Srivastava 2014)."""


class SpatialDropout2D(Dropping):
    """Randomly sets whole channels to 0 during training (https://arxiv.org/abs/1411.4280).

    Useful after convolutions, where adjacent pixels are strongly correlated.
    """


class GaussianNoise(Layer):
    """Adds Gaussian noise during training."""

    stddev: Fraction = Field(examples=[0.1])
    """Standard deviation of the noise; images are in the range 0..1."""
