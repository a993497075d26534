"""Loads files as pixels of one size, one by one or all of them in threads."""

import errno
import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from imgcls.images.buffers import buffer, release
from imgcls.images.decode import BadImageError, decode
from imgcls.images.pictures import shown
from imgcls.images.resize import Mode, fit, fitted
from imgcls.images.threads import OnProgress, in_threads
from imgcls.memory import check_fits, enough_for

_BLOCK = 64  # images per job of a thread: for a single small image, the overhead is larger
_LET_GO = 1024  # images between two releases of mapped pixels

_PASSING = {errno.EIO, errno.ESTALE, errno.EAGAIN}
_PAUSES = (0.02, 0.1, 0.3)  # seconds; on a dead disk, every file waits for all of them

_Result = TypeVar("_Result")


def load(
    source: Path | bytes, size: tuple[int, int], channels: int, mode: Mode
) -> NDArray[np.uint8]:
    """Returns an image as it is stored for the network: uint8 [height, width, channels].

    Args:
        source: a file, or the bytes of one.
        size: height and width of the result.
        channels: 1 or 3.
        mode: how an image with another aspect ratio is fitted.

    Raises:
        BadImageError: if the image cannot be decoded.
        ResourceError: if it does not fit in memory.
    """
    name = shown(source) if isinstance(source, Path) else "the image"

    def pixels() -> NDArray[np.uint8]:
        # Twice the size keeps enough detail for the filter: errors of 0.4 gray levels, at most 2.
        picture = decode(source, cast("Literal[1, 3]", channels), at_least=2 * max(size))
        # Resized before it is an array: for a large image, conversions would dominate the time.
        return np.array(fitted(picture, size, mode)).reshape(*size, channels)

    with enough_for(f"{name} at {size[0]} x {size[1]} pixels"):
        check_fits(math.prod(size) * channels)
        return patiently(pixels)


def patiently(read: Callable[[], _Result]) -> _Result:
    """Returns the result of `read`, retried after disk or network errors that may be transient.

    Raises:
        BadImageError: if the error is of another kind or persists.
    """
    for seconds in _PAUSES:
        try:
            return read()
        except BadImageError as error:
            cause = error.__cause__
            if not isinstance(cause, OSError) or cause.errno not in _PASSING:
                raise
        time.sleep(seconds)
    return read()


def load_all(
    files: Sequence[Path],
    size: tuple[int, int],
    channels: int,
    mode: Mode,
    progress: OnProgress | None = None,
) -> tuple[NDArray[np.uint8], list[BadImageError]]:
    """Returns the pixels of all files, uint8 [n, height, width, channels], and errors of bad files.

    The pixels of a bad file are zeros.

    Args:
        files: the files to load.
        size: height and width of the resulting images.
        channels: 1 or 3.
        mode: how an image with another aspect ratio is fitted.
        progress: receives the number of files done and the total.

    Raises:
        ResourceError: if there is not enough memory or disk space.
    """
    pixels = buffer((len(files), *size, channels))

    def one(at: int) -> BadImageError | None:
        try:
            pixels[at] = load(files[at], size, channels, mode)
        except BadImageError as error:
            return error
        return None

    bad = []
    for at, error in enumerate(in_threads(one, len(files), progress)):
        bad += [error] if error else []
        if at % _LET_GO == 0:
            release(pixels)
    return pixels, bad


def fit_all(
    pictures: NDArray[np.uint8],
    size: tuple[int, int],
    mode: Mode,
    progress: OnProgress | None = None,
) -> NDArray[np.uint8]:
    """Returns an array of images resized to `size`: uint8 [n, height, width, channel].

    Args:
        pictures: uint8 [n, height, width, channel], with 1 or 3 channels.
        size: height and width of the resulting images.
        mode: how images with another aspect ratio are fitted.
        progress: receives the number of images done and the total.

    Raises:
        ResourceError: if there is not enough memory or disk space.
    """
    if pictures.shape[1:3] == size:
        return pictures
    pixels = buffer((len(pictures), *size, pictures.shape[3]))

    def some(block: int) -> None:
        for at in range(block * _BLOCK, min((block + 1) * _BLOCK, len(pictures))):
            pixels[at] = fit(pictures[at], size, mode)

    def blocks_done(done: int, total: int) -> None:
        del total
        if progress is not None:
            progress(min(done * _BLOCK, len(pictures)), len(pictures))

    for _ in in_threads(some, -(-len(pictures) // _BLOCK), blocks_done):
        pass
    return pixels
