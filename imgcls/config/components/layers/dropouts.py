"""Regularization by noise during training. These layers are inactive during evaluation."""

from collections.abc import Iterator
from typing import Any

from pydantic import Field

from imgcls.config.components.layers.building import Building
from imgcls.config.components.layers.layer import Layer
from imgcls.config.components.types import Fraction


class Noisy(Layer, abstract=True):
    """What layers share that draw random numbers in training."""

    def arguments(self, building: Building, key: str) -> dict[str, Any]:  # noqa: D102 - of Layer
        return super().arguments(building, key) | {"seed": building.seed_of(key, "seed")}


class Dropping(Noisy, abstract=True):
    """What the layers share that set numbers to 0."""

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


class GaussianNoise(Noisy):
    """Adds Gaussian noise during training."""

    stddev: Fraction = Field(examples=[0.1])
    """Standard deviation of the noise; images are in the range 0..1."""
