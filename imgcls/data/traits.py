"""What the data decided about a model: `model.json` of a run."""

from typing import Annotated, Literal

from annotated_types import MinLen

from imgcls.config.components.types import Count
from imgcls.config.facts import Facts
from imgcls.config.language.registry import Section


class Traits(Section):
    """What a model must know of its data besides the config; with it and the weights, it predicts.

    Read from files that may come from elsewhere, so it is checked like a config.
    """

    classes: Annotated[tuple[str, ...], MinLen(2)]
    """The names of the classes, in the order of the network's outputs."""
    size: tuple[Count, Count]
    """Height and width of the images that the network sees, in pixels."""
    stored: tuple[Count, Count]
    """Height and width at which pictures are kept; they are enlarged to `size` in the batch."""
    channels: Literal[1, 3]
    """1 for grey, 3 for colour."""
    resize: Literal["stretch", "crop", "pad"]
    """How a picture of another shape is fitted."""
    mean: tuple[float, ...] = ()
    """Of the training images in 0..1, one a channel; empty where no layer needs it."""
    variance: tuple[float, ...] = ()
    """Of the training images in 0..1, one a channel; empty where no layer needs it."""

    def facts(self, replicas: int = 1) -> Facts:
        """Returns what the layers are built from."""
        return Facts(len(self.classes), self.mean, self.variance, replicas)
