"""Noise in training against overfitting. None of these does anything in evaluation."""

from imgcls.config.layers.layer import Layer
from imgcls.config.types import Fraction


class Dropout(Layer):
    """Sets random numbers to 0 in training, and scales up the rest (Srivastava 2014)."""

    rate: Fraction
    """The share that is set to 0."""


class SpatialDropout2D(Layer):
    """Sets whole random channels to 0 in training (https://arxiv.org/abs/1411.4280).

    Right behind convolutions, where neighbouring pixels carry the same.
    """

    rate: Fraction
    """The share of the channels that is set to 0."""


class GaussianNoise(Layer):
    """Adds normally distributed noise in training."""

    stddev: Fraction
    """The standard deviation of the noise; images are in 0..1."""
