"""Small data specs and data sets."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgcls.config.data_spec import DataSpec
from imgcls.data.dataset import Data, Split


def spec_of(
    classes: tuple[str, ...], stored: tuple[int, int] = (8, 8), channels: int = 1, **changes: Any
) -> DataSpec:
    """Returns a data spec.

    Args:
        classes: their names.
        stored: height and width of the stored images, and by default of the network's input.
        channels: 1 or 3.
        changes: other fields, such as `size`.
    """
    fields = {"classes": classes, "size": stored, "stored": stored, "channels": channels}
    return DataSpec(**fields | {"resize": "stretch"} | changes)


def data_of(
    pixels: NDArray[np.uint8],
    labels: NDArray[np.int32],
    classes: tuple[str, ...],
    **changes: Any,
) -> Data:
    """Returns a data set of training images.

    Args:
        pixels: uint8 [image, height, width, channel].
        labels: int32 [image].
        classes: the names of the classes.
        changes: other fields of the data spec, such as `size`.
    """
    split = Split(pixels, labels, tuple(map(str, range(len(labels)))))
    _, height, width, channels = pixels.shape
    spec = spec_of(classes, (height, width), channels, **changes)
    return Data(spec, {"train": split}, {})
