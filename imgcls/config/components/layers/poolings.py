"""Pooling layers."""

from typing import Literal

from pydantic import Field

from imgcls.config.components.layers.building import Shape, covers, needs_image
from imgcls.config.components.layers.layer import Layer, Strides
from imgcls.config.components.types import Pair


class Pooling(Layer, abstract=True):
    """The common fields of pooling layers with a window."""

    pool_size: Pair = (2, 2)
    """Height and width of the window: a number, or a list of two; 2 halves height and width."""
    strides: Pair | None = None
    """Vertical and horizontal stride: a number, or a list of two; null means pool_size."""
    padding: Literal["valid", "same"] = "valid"
    """`valid` drops windows that extend beyond the image; `same` pads the image instead."""

    @property
    def grid_strides(self) -> Strides | None:  # noqa: D102 - of Layer
        return self.strides or self.pool_size

    def check_input(self, shape: Shape) -> str | None:  # noqa: D102 - of Layer
        if message := needs_image(shape):
            return message
        if self.padding == "same" or covers(shape, self.pool_size):
            return None
        height, width = self.pool_size
        cut = "halved" if (height, width) == (2, 2) else f"pooled by {height}x{width}"
        return f"its input is {shape[1]}x{shape[2]} and cannot be {cut}"


class MaxPooling2D(Pooling):
    """Max pooling: the maximum of each window."""

    _aliases = ("MaxPool2D",)


class AveragePooling2D(Pooling):
    """Average pooling: the mean of each window."""

    _aliases = ("AvgPool2D",)

    pool_size: Pair = Field(examples=[2])
    """Height and width of the window: a number, or a list of two; 2 halves height and width."""


class GlobalPooling(Layer, abstract=True):
    """The common field of global pooling layers."""

    keepdims: bool = False
    """Whether to keep the spatial dimensions, as an image of one pixel."""

    @property
    def grid_strides(self) -> Strides | None:  # noqa: D102 - of Layer
        return None

    def check_input(self, shape: Shape) -> str | None:  # noqa: D102 - of Layer
        return needs_image(shape)


class GlobalMaxPooling2D(GlobalPooling):
    """Global max pooling: the maximum of each channel."""

    _aliases = ("GlobalMaxPool2D",)


class GlobalAveragePooling2D(GlobalPooling):
    """Global average pooling: the mean of each channel; often used before the last Dense layer."""

    _aliases = ("GlobalAvgPool2D",)
