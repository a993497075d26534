"""The data spec: the properties of the data that a network depends on."""

from typing import Annotated, Literal

from annotated_types import MinLen

from imgcls.config.components.types import Count
from imgcls.config.language.registry import Section


class DataSpec(Section):
    """Classes, image sizes, mean and variance of a dataset.

    Together with the config and the weights, it is all that prediction needs. It is read from files
    that may come from an untrusted source, so it is validated like a config.
    """

    classes: Annotated[tuple[str, ...], MinLen(2)]
    """The names of the classes, in the order of the network's outputs."""
    size: tuple[Count, Count]
    """Height and width of the network's input images, in pixels."""
    stored: tuple[Count, Count]
    """Height and width of the stored images, in pixels; batches are enlarged to `size`."""
    channels: Literal[1, 3]
    """1 for gray, 3 for color."""
    resize: Literal["stretch", "crop", "pad"]
    """How images with a different aspect ratio are resized."""
    mean: tuple[float, ...] = ()
    """Mean of the training images in 0..1, per channel; empty if no layer needs it."""
    variance: tuple[float, ...] = ()
    """Variance of the training images in 0..1, per channel; empty if no layer needs it."""
