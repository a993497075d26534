"""Files to pixels of one size, one by one or all of them in threads."""

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

_BLOCK = 64  # small pictures are handed to a thread together: alone, the hand-over costs more
_LET_GO = 1024  # pictures between two times that the memory of mapped pixels is given back

_PASSING = {errno.EIO, errno.ESTALE, errno.EAGAIN}
_PAUSES = (0.02, 0.1, 0.3)  # seconds; on a dead disk, every file has to wait through them

_Result = TypeVar("_Result")


def load(
    source: Path | bytes, size: tuple[int, int], channels: int, mode: Mode
) -> NDArray[np.uint8]:
    """Returns a picture as the network's input is kept: uint8 [height, width, channels].

    Raises:
        BadImageError: if it cannot be decoded.
        ResourceError: if it does not fit into memory.
    """
    name = shown(source) if isinstance(source, Path) else "the image"

    def pixels() -> NDArray[np.uint8]:
        # Twice the size leaves the filter enough detail: 0.4 gray levels of difference, 2 at most.
        picture = decode(source, cast("Literal[1, 3]", channels), at_least=2 * max(size))
        # Fitted before it is an array: of a large picture, to and fro would take most of the time.
        return np.array(fitted(picture, size, mode)).reshape(*size, channels)

    with enough_for(f"{name} at {size[0]} x {size[1]} pixels"):
        check_fits(math.prod(size) * channels)
        return patiently(pixels)


def patiently(read: Callable[[], _Result]) -> _Result:
    """Returns what `read` does, tried again where an error of the disk or network may pass.

    Raises:
        BadImageError: if it does not pass.
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
    """Returns the pixels of all files, uint8 [n, height, width, channels], and the bad ones.

    A bad picture's pixels are zeros.

    Args:
        files: what to load.
        size: height and width of what comes out.
        channels: 1 or 3.
        mode: how a picture of another shape is fitted.
        progress: takes how many of how many are done.
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
    """Returns images that are arrays already in another size: uint8 [n, height, width, channel]."""
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
