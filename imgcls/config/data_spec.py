"""The data spec: what a network must know of its data besides the config."""

from typing import Annotated, Literal

from annotated_types import MinLen

from imgcls.config.components.types import Count
from imgcls.config.language.registry import Section


class DataSpec(Section):
    """Classes, sizes and moments of a data set; with it, a config and weights, a run predicts.

    Read from files that may come from elsewhere, so it is checked like a config.
    """

    classes: Annotated[tuple[str, ...], MinLen(2)]
    """The names of the classes, in the order of the network's outputs."""
    size: tuple[Count, Count]
    """Height and width of the images that the network sees, in pixels."""
    stored: tuple[Count, Count]
    """Height and width at which images are kept; they are enlarged to `size` in the batch."""
    channels: Literal[1, 3]
    """1 for gray, 3 for color."""
    resize: Literal["stretch", "crop", "pad"]
    """How an image of another aspect ratio is fitted."""
    mean: tuple[float, ...] = ()
    """Mean of the training images in 0..1, per channel; empty where no layer needs it."""
    variance: tuple[float, ...] = ()
    """Variance of the training images in 0..1, per channel; empty where no layer needs it."""
