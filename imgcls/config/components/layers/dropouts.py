"""Noise in training against overfitting. None of these does anything in evaluation."""

from collections.abc import Iterator

from imgcls.config.components.layers.layer import Layer
from imgcls.config.components.types import Fraction


class Dropping(Layer, abstract=True):
    """What the layers share that set numbers to 0."""

    rate: Fraction
    """The share that is set to 0; less than 1."""

    def rules(self) -> Iterator[tuple[str, str]]:
        """Yields the rule that something passes."""
        if self.rate == 1:
            yield "rate", "must be less than 1, or nothing would pass"


class Dropout(Dropping):
    """Sets random numbers to 0 in training, and scales up the rest (Srivastava 2014)."""


class SpatialDropout2D(Dropping):
    """Sets whole random channels to 0 in training (https://arxiv.org/abs/1411.4280).

    Right behind convolutions, where neighbouring pixels carry the same.
    """


class GaussianNoise(Layer):
    """Adds normally distributed noise in training."""

    stddev: Fraction
    """The standard deviation of the noise; images are in 0..1."""
