"""What is odd about the pixels of a whole dataset: equal, black or almost black images."""

import math
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from imgcls.data.reading import Split

SAMPLE_IMAGES, SAMPLE_BYTES = 4096, 2**26
"""At most this many images are looked at, evenly spaced, of at most this many bytes."""

FEW_LEVELS = 16
"""Fewer gray levels than this are reported."""

DARK = 64
"""A brightest value below this is reported."""


def notes(train: Split, classes: Sequence[str]) -> Iterator[str]:
    """Yields a note for each thing that suggests that decoding has lost the content of the images.

    Typical causes are 12-bit values in 16-bit files, 8-bit values in 16-bit files, and black
    drawings on a transparent background.

    Args:
        train: the training images.
        classes: the class names.
    """
    total, size = len(train.labels), math.prod(train.pixels.shape[1:])
    count = max(1, min(total, SAMPLE_IMAGES, SAMPLE_BYTES // size))
    chosen = np.unique(np.linspace(0, total - 1, count).astype(np.intp))
    pixels, labels = train.pixels[chosen], train.labels[chosen]
    if len(pixels) > 1 and _equal(pixels):
        yield "all training images have the same pixels; transparent images are decoded on black"
        return
    for label in np.unique(labels):
        own = pixels[labels == label]
        if len(own) > 1 and _equal(own):
            yield f"all images of {classes[label]!r} have the same pixels"
    present = np.flatnonzero(np.bincount(pixels.reshape(-1), minlength=256))
    brightest = int(present[-1])
    if brightest < DARK:
        yield (
            f"almost black images: the brightest value is {brightest} of 255; if their files have "
            "16 bits but use fewer, scale their values to the full range"
        )
    elif len(present) < FEW_LEVELS:
        levels = ", ".join(map(str, present))
        yield f"the images have only {len(present)} gray levels: {levels}"


def _equal(pixels: NDArray[np.uint8]) -> bool:
    return bool((pixels == pixels[:1]).all())
