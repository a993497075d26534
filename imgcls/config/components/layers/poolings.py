"""Pooling layers."""

from typing import Literal

from pydantic import Field

from imgcls.config.components.layers.layer import Layer
from imgcls.config.components.types import Pair


class Pooling(Layer, abstract=True):
    """The common fields of poolings over a window."""

    strides: Pair | None = None
    """Vertical and horizontal stride: a number, or a list of two; null means pool_size."""
    padding: Literal["valid", "same"] = "valid"
    """`valid` drops windows that exceed the image; `same` pads the image instead."""


class MaxPooling2D(Pooling):
    """Max pooling: the maximum of each window."""

    _aliases = ("MaxPool2D",)

    pool_size: Pair = (2, 2)
    """Height and width of the window: a number, or a list of two; 2 halves the image."""


class AveragePooling2D(Pooling):
    """Average pooling: the mean of each window."""

    _aliases = ("AvgPool2D",)

    pool_size: Pair = Field(examples=[2])
    """Height and width of the window: a number, or a list of two; 2 halves the image."""


class GlobalPooling(Layer, abstract=True):
    """The common field of poolings over the whole image."""

    keepdims: bool = False
    """Whether to keep the spatial dimensions, as an image of one pixel."""


class GlobalMaxPooling2D(GlobalPooling):
    """Global max pooling: the maximum of each channel."""

    _aliases = ("GlobalMaxPool2D",)


class GlobalAveragePooling2D(GlobalPooling):
    """Global average pooling: the mean of each channel, common before the last Dense layer."""

    _aliases = ("GlobalAvgPool2D",)
