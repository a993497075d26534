"""Room for pixels: in memory, or in a file without a name where that is too small."""

import math
import mmap
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from imgcls.errors import ResourceError
from imgcls.files import reason
from imgcls.memory import amount, enough_for, free

MEMORY_BYTES = 8 * 2**30
"""Above this, or above half of what is free, pixels are kept in a temporary file that is mapped
to memory."""

BLOCK_BYTES = 2**24  # of pixels that are looked at together

HINT = "set TMPDIR to a folder with more room, or lower dataset.size"


def buffer(shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Returns zeros, uint8, in memory or in a file without a name; their room is taken already.

    Raises:
        ResourceError: if neither has so much.
    """
    needed = math.prod(shape)
    if fits(needed):
        with enough_for(f"{amount(needed)} of pixels"):
            return np.zeros(shape, np.uint8)
    folder = Path(tempfile.gettempdir())
    what = f"{folder}: {amount(needed)} of pixels cannot be written"
    if needed > (left := shutil.disk_usage(folder).free):
        raise ResourceError(f"{what}, {amount(left)} are free", hint=HINT)
    try:
        with tempfile.TemporaryFile(prefix="imgcls-") as file:
            reserve(file.fileno(), needed)
            # The mapping holds the file after it is closed; the system frees it with the array.
            return np.memmap(file, np.uint8, mode="w+", shape=shape)
    except OSError as error:
        raise ResourceError(f"{what}, {reason(error)}", hint=HINT) from error


def reserve(descriptor: int, needed: int) -> None:
    """Takes blocks of the disk: with holes, a full disk would kill who writes to the mapping."""
    if hasattr(os, "posix_fallocate"):  # macOS has none
        os.posix_fallocate(descriptor, 0, needed)


def left() -> tuple[int, str]:
    """Returns how many bytes there are for pixels, memory and disk together, and both in words."""
    folder = Path(tempfile.gettempdir())
    disk, memory = shutil.disk_usage(folder).free, free()
    words = f"{amount(disk)} in {folder}"
    if memory is None:
        return disk + MEMORY_BYTES, words
    return disk + memory, f"{amount(memory)} of memory and {words}"


def fits(needed: int) -> bool:
    """Returns whether so many bytes of pixels are kept in memory."""
    memory = free()
    return needed <= (MEMORY_BYTES if memory is None else min(MEMORY_BYTES, memory // 2))


def blocks(pixels: NDArray[np.uint8]) -> Iterator[NDArray[np.uint8]]:
    """Yields all pixels, some images at a time; of mapped ones, memory never holds more."""
    images = max(1, BLOCK_BYTES // max(1, math.prod(pixels.shape[1:])))
    for begin in range(0, len(pixels), images):
        yield pixels[begin : begin + images]
        release(pixels)


def release(pixels: NDArray[np.uint8]) -> None:
    """Gives back the memory that was read of mapped pixels; the system may keep it as its cache.

    Without it, a process seems to grow by all that it ever read, and is ended for it where memory
    is limited and the disk slow.
    """
    owner = pixels.base
    while isinstance(owner, np.ndarray):
        owner = owner.base
    if isinstance(owner, mmap.mmap):  # shared with its file, in which all that was written stays
        owner.madvise(mmap.MADV_DONTNEED)
