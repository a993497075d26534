"""Poolings: a window of pixels, or the whole image, becomes one."""

from typing import Literal

from imgcls.config.components.layers.building import Shape, covers, needs_image
from imgcls.config.components.layers.layer import Layer, Strides
from imgcls.config.components.types import Pair


class Pooling(Layer, abstract=True):
    """What poolings over a window have."""

    pool_size: Pair = (2, 2)
    """Height and width of the window: a number, or a list of two. 2 halves the image."""
    strides: Pair | None = None
    """How far the window moves, down and to the right; null moves it by its own size."""
    padding: Literal["valid", "same"] = "valid"
    """`valid` drops the pixels at the edge that fill no window; `same` keeps them."""

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
    """The highest number in each window."""

    _aliases = ("MaxPool2D",)


class AveragePooling2D(Pooling):
    """The mean of each window."""

    _aliases = ("AvgPool2D",)

    pool_size: Pair
    """Height and width of the window: a number, or a list of two. 2 halves the image."""


class GlobalPooling(Layer, abstract=True):
    """What poolings over the whole image have."""

    keepdims: bool = False
    """Whether the result is still an image, of one pixel."""

    @property
    def grid_strides(self) -> Strides | None:  # noqa: D102 - of Layer
        return None

    def check_input(self, shape: Shape) -> str | None:  # noqa: D102 - of Layer
        return needs_image(shape)


class GlobalMaxPooling2D(GlobalPooling):
    """The highest number of each channel."""

    _aliases = ("GlobalMaxPool2D",)


class GlobalAveragePooling2D(GlobalPooling):
    """The mean of each channel; what most networks have before their last Dense."""

    _aliases = ("GlobalAvgPool2D",)
