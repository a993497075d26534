"""Layers that scale the image before the network sees it. Images come in 0..1."""

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

from annotated_types import MinLen
from pydantic import BeforeValidator

from imgcls.config.components.layers.axes import listed
from imgcls.config.components.layers.building import Building
from imgcls.config.components.layers.layer import Layer, keras_name
from imgcls.config.components.types import NotNegative

if TYPE_CHECKING:
    import keras


class Rescaling(Layer):
    """Multiplies with a number and adds another.

    Images are in 0..1 already; `scale: 2` and `offset: -1` bring them to -1..1.
    """

    scale: float
    """The factor."""
    offset: float = 0.0
    """What is added afterwards."""

    def rules(self) -> Iterator[tuple[str, str]]:  # noqa: D102 - of Section
        # Tutorials start from 0..255; done twice, the network sees black images.
        if math.isclose(self.scale, 1 / 255, rel_tol=0.02):
            yield "scale", "images are in 0..1 here already; leave this layer out"
        if math.isclose(self.scale, 1 / 127.5, rel_tol=0.02):
            yield "scale", "images are in 0..1 here already; write 2 for a range of -1..1"


class Normalization(Layer):
    """Subtracts the mean of each channel and divides by its standard deviation.

    They are those of the training images, unless they are given. Stands first.
    """

    mean: (
        Annotated[
            tuple[float, ...],
            MinLen(1),
            BeforeValidator(listed, json_schema_input_type=float | tuple[float, ...]),
        ]
        | None
    ) = None
    """A number, or a list of one a channel, for images in 0..1; null is that of the training
    images."""
    variance: (
        Annotated[
            tuple[NotNegative, ...],
            MinLen(1),
            BeforeValidator(listed, json_schema_input_type=NotNegative | tuple[NotNegative, ...]),
        ]
        | None
    ) = None
    """The squared standard deviation, written as `mean` is."""

    def rules(self) -> Iterator[tuple[str, str]]:  # noqa: D102 - of Section
        if self.mean is None and self.variance is not None:
            yield "variance", "no effect without mean; give both or none"
        elif self.mean is not None and self.variance is None:
            yield "mean", "no effect without variance; give both or none"
        elif self.mean and self.variance and len(self.mean) != len(self.variance):
            lengths = f"{len(self.variance)} for {len(self.mean)} of mean"
            yield "variance", f"must have as many numbers as mean, got {lengths}"

    def build(  # noqa: D102 - of Layer
        self, building: Building, key: str, place: str, inputs: "keras.KerasTensor"
    ) -> "keras.Layer":
        del place, inputs
        import keras

        mean, variance = self.mean or building.spec.mean, self.variance
        if variance is None:
            # A channel that never varies is only centred; divided by epsilon, dust would be huge.
            variance = tuple(each or 1.0 for each in building.spec.variance)
        # Constants, not adapt(): restored variables would change nothing before finalize_state().
        return keras.layers.Normalization(
            mean=mean, variance=variance, dtype="float32", name=keras_name(key)
        )
