"""The pixels of an image file as an array, as in a data set."""

from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from imgcls.images.decode import decode


def pixels_of(
    source: Path | bytes, channels: Literal[1, 3], at_least: int | None = None
) -> NDArray[np.uint8]:
    """Returns the pixels: uint8 [height, width, channels]."""
    picture = decode(source, channels, at_least)
    return np.array(picture).reshape(picture.height, picture.width, channels)
