"""Convolutions: small kernels that slide over the image."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from imgcls.config.components.initializers import GlorotUniform, Initializer
from imgcls.config.components.layers.biased import Biased
from imgcls.config.components.layers.building import Building, Shape, covers, needs_image
from imgcls.config.components.layers.layer import Strides
from imgcls.config.components.regularizers import Regularizer
from imgcls.config.components.types import Count, Pair

if TYPE_CHECKING:
    import keras


class Convolution(Biased, abstract=True):
    """What all convolutions have."""

    kernel_size: Pair
    """Height and width of the kernel in pixels: a number, or a list of two."""
    strides: Pair = (1, 1)
    """How far the kernel moves, down and to the right: 2 halves the image."""
    padding: Literal["valid", "same"] = "valid"
    """`same` adds zeros around the image, so that stride 1 keeps its size; `valid` adds none."""
    dilation_rate: Pair = (1, 1)
    """Distance between the pixels that the kernel sees: 1 is a dense kernel."""

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
        # TensorFlow's depthwise kernels take both and compute something else.
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            yield "dilation_rate", "must be 1 where strides are above 1; use one of the two"


class Conv2D(Convolution):
    """Slides `filters` kernels over the image; each gives one output channel."""

    _aliases = ("Convolution2D",)

    filters: Count
    """How many output channels."""
    groups: Count = 1
    """Divides the channels into this many groups, each with its own share of the filters."""
    kernel_initializer: Initializer = GlorotUniform()
    """The kernels before the first step."""
    kernel_regularizer: Regularizer | None = None
    """A penalty on the kernels, added to the loss."""

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
    """What convolutions have whose kernels see one channel each."""

    depth_multiplier: Count = 1
    """How many kernels each input channel has."""
    depthwise_initializer: Initializer = GlorotUniform()
    """The kernels of the channels before the first step."""
    depthwise_regularizer: Regularizer | None = None
    """A penalty on the kernels of the channels, added to the loss."""

    def rules(self) -> Iterator[tuple[str, str]]:  # noqa: D102 - of Section
        yield from super().rules()
        if self.strides[0] != self.strides[1]:  # TensorFlow has no such kernel
            height, width = self.strides
            yield "strides", f"must be the same down and to the right, got [{height}, {width}]"


class SeparableConv2D(Depthwise):
    """A kernel for each channel, then a 1x1 convolution over all: far fewer weights than Conv2D."""

    _aliases = ("SeparableConvolution2D",)

    filters: Count
    """How many output channels."""
    pointwise_initializer: Initializer = GlorotUniform()
    """The 1x1 kernels before the first step."""
    pointwise_regularizer: Regularizer | None = None
    """A penalty on the 1x1 kernels, added to the loss."""


class DepthwiseConv2D(Depthwise):
    """A kernel (or `depth_multiplier` of them) for each channel; channels are not mixed."""
