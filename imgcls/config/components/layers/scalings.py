"""Layers that scale the input images, which are in the range 0..1."""

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

from annotated_types import MinLen
from pydantic import BeforeValidator, Field

from imgcls.config.components.layers.axes import as_tuple
from imgcls.config.components.layers.building import Building
from imgcls.config.components.layers.layer import Layer, keras_name
from imgcls.config.components.types import NotNegative

if TYPE_CHECKING:
    import keras


class Rescaling(Layer):
    """Multiplies by a scale and adds an offset.

    Unlike in Keras, images are in 0..1 already; `scale: 2` with `offset: -1` gives -1..1.
    """

    scale: float = Field(examples=[2])
    """Scale to multiply by."""
    offset: float = 0.0
    """Offset to add after scaling."""

    def rules(self) -> Iterator[tuple[str, str]]:  # noqa: D102 - of Section
        # Tutorials start from 0..255; scaled twice, all images are nearly black.
        if math.isclose(self.scale, 1 / 255, rel_tol=0.02):
            yield "scale", "images are in 0..1 already; leave this layer out"
        if math.isclose(self.scale, 1 / 127.5, rel_tol=0.02):
            yield "scale", "images are in 0..1 already; write 2 for a range of -1..1"


class Normalization(Layer):
    """Standardizes each channel: subtracts the mean, divides by the standard deviation.

    By default they are computed from the training images, and the layer must be the first one.
    """

    mean: (
        Annotated[
            tuple[float, ...],
            MinLen(1),
            BeforeValidator(as_tuple, json_schema_input_type=float | tuple[float, ...]),
        ]
        | None
    ) = None
    """Mean for images in 0..1: a number, or a list with one per channel; null computes it from the
    training images."""
    variance: (
        Annotated[
            tuple[NotNegative, ...],
            MinLen(1),
            BeforeValidator(as_tuple, json_schema_input_type=NotNegative | tuple[NotNegative, ...]),
        ]
        | None
    ) = None
    """Variance, in the form of `mean`."""

    def rules(self) -> Iterator[tuple[str, str]]:  # noqa: D102 - of Section
        if self.mean is None and self.variance is not None:
            yield "variance", "no effect without mean; give both or neither"
        elif self.mean is not None and self.variance is None:
            yield "mean", "no effect without variance; give both or neither"
        elif self.mean and self.variance and len(self.mean) != len(self.variance):
            lengths = f"{len(self.variance)} and {len(self.mean)}"
            yield "variance", f"must have as many entries as mean, got {lengths}"

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
