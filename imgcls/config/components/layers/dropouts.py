"""Noise in training against overfitting. None of these does anything in evaluation."""

from collections.abc import Iterator
from typing import Any

from imgcls.config.components.layers.building import Building
from imgcls.config.components.layers.layer import Layer
from imgcls.config.components.types import Fraction


class Noisy(Layer, abstract=True):
    """What layers share that draw random numbers in training."""

    def arguments(self, building: Building, key: str) -> dict[str, Any]:  # noqa: D102 - of Layer
        return super().arguments(building, key) | {"seed": building.seed_of(key, "seed")}


class Dropping(Noisy, abstract=True):
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


class GaussianNoise(Noisy):
    """Adds normally distributed noise in training."""

    stddev: Fraction
    """The standard deviation of the noise; images are in 0..1."""
