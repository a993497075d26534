"""Convolutions."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from imgcls.config.components.initializers import GlorotUniform, Initializer
from imgcls.config.components.layers.biased import Biased
from imgcls.config.components.layers.building import Building, Shape, covers, needs_image
from imgcls.config.components.layers.layer import Strides
from imgcls.config.components.regularizers import Regularizer
from imgcls.config.components.types import Count, Pair

if TYPE_CHECKING:
    import keras


class Convolution(Biased, abstract=True):
    """The common fields of convolutions."""

    kernel_size: Pair = Field(examples=[3])
    """Height and width of the kernel in pixels: a number, or a list of two."""
    strides: Pair = (1, 1)
    """Vertical and horizontal stride: a number, or a list of two; 2 halves height and width."""
    padding: Literal["valid", "same"] = "valid"
    """`same` pads with zeros, so that stride 1 keeps the image size; `valid` does not pad."""
    dilation_rate: Pair = (1, 1)
    """Dilation rate: the distance between the pixels of the kernel; 1 means no dilation."""

    @property
    def grid_strides(self) -> Strides | None:  # noqa: D102 - of Layer
        return self.strides

    def check_input(self, shape: Shape) -> str | None:  # noqa: D102 - of Layer
        if message := needs_image(shape):
            return message
        reach = [
            (side - 1) * rate + 1
            for side, rate in zip(self.kernel_size, self.dilation_rate, strict=True)
        ]
        if self.padding == "same" or covers(shape, reach):
            return None
        return (
            f"its input is {shape[1]}x{shape[2]}, smaller than its {reach[0]}x{reach[1]} kernel; "
            "write padding: same, or leave out a pooling before it"
        )

    def rules(self) -> Iterator[tuple[str, str]]:  # noqa: D102 - of Section
        yield from super().rules()
        # With both, TensorFlow's depthwise kernels compute wrong results.
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            yield "dilation_rate", "must be 1 with strides above 1; use one of the two"


class Conv2D(Convolution):
    """2D convolution."""

    _aliases = ("Convolution2D",)

    filters: Count = Field(examples=[32])
    """Number of output channels."""
    groups: Count = 1
    """Number of groups of channels, each convolved separately with filters / groups filters."""
    kernel_initializer: Initializer = GlorotUniform()
    """Initializer of the kernel."""
    kernel_regularizer: Regularizer | None = None
    """Regularizer of the kernel."""

    def rules(self) -> Iterator[tuple[str, str]]:  # noqa: D102 - of Section
        yield from super().rules()
        if self.filters % self.groups:
            yield "groups", f"must divide filters ({self.filters}), got {self.groups}"

    def build(  # noqa: D102 - of Layer
        self, building: Building, key: str, place: str, inputs: "keras.KerasTensor"
    ) -> "keras.Layer":
        del place, inputs
        from imgcls.ops import convolution

        return convolution.Conv2D(**self.arguments(building, key))


class Depthwise(Convolution, abstract=True):
    """The common fields of depthwise convolutions."""

    depth_multiplier: Count = 1
    """Number of depthwise output channels per input channel."""
    depthwise_initializer: Initializer = GlorotUniform()
    """Initializer of the depthwise kernel."""
    depthwise_regularizer: Regularizer | None = None
    """Regularizer of the depthwise kernel."""

    def rules(self) -> Iterator[tuple[str, str]]:  # noqa: D102 - of Section
        yield from super().rules()
        if self.strides[0] != self.strides[1]:  # TensorFlow has no kernel for it
            height, width = self.strides
            yield "strides", f"must be equal vertically and horizontally, got [{height}, {width}]"


class SeparableConv2D(Depthwise):
    """Depthwise separable convolution: a depthwise convolution followed by a 1x1 convolution.

    It has far fewer weights than Conv2D.
    """

    _aliases = ("SeparableConvolution2D",)

    filters: Count = Field(examples=[32])
    """Number of output channels."""
    pointwise_initializer: Initializer = GlorotUniform()
    """Initializer of the 1x1 kernel."""
    pointwise_regularizer: Regularizer | None = None
    """Regularizer of the 1x1 kernel."""


class DepthwiseConv2D(Depthwise):
    """Depthwise convolution: convolves each input channel separately."""
