"""Buffers for pixels: in memory, or in an unnamed file if they do not fit there."""

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
"""Pixels that need more than this, or more than half of the free memory, are kept in a
memory-mapped temporary file."""

BLOCK_BYTES = 2**24  # of pixels that are processed together

HINT = "set TMPDIR to a folder with more room, or lower dataset.size"


def buffer(shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Returns an array of zeros, uint8, in memory or in an unnamed file with reserved blocks.

    Raises:
        ResourceError: if neither memory nor disk has enough space.
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
            # The mapping keeps the file after it is closed; the system frees it with the array.
            return np.memmap(file, np.uint8, mode="w+", shape=shape)
    except OSError as error:
        raise ResourceError(f"{what}, {reason(error)}", hint=HINT) from error


def reserve(descriptor: int, needed: int) -> None:
    """Allocates disk blocks: in a sparse file, a write to the mapping on a full disk is fatal."""
    if hasattr(os, "posix_fallocate"):  # not on macOS
        os.posix_fallocate(descriptor, 0, needed)


def left() -> tuple[int, str]:
    """Returns the bytes available for pixels, memory plus disk, and both as text."""
    folder = Path(tempfile.gettempdir())
    disk, memory = shutil.disk_usage(folder).free, free()
    words = f"{amount(disk)} in {folder}"
    if memory is None:
        return disk + MEMORY_BYTES, words
    return disk + memory, f"{amount(memory)} of memory and {words}"


def fits(needed: int) -> bool:
    """Returns whether this many bytes of pixels would be kept in memory."""
    memory = free()
    return needed <= (MEMORY_BYTES if memory is None else min(MEMORY_BYTES, memory // 2))


def blocks(pixels: NDArray[np.uint8]) -> Iterator[NDArray[np.uint8]]:
    """Yields all pixels, a block of images at a time; mapped blocks are released after use."""
    images = max(1, BLOCK_BYTES // max(1, math.prod(pixels.shape[1:])))
    for begin in range(0, len(pixels), images):
        yield pixels[begin : begin + images]
        release(pixels)


def release(pixels: NDArray[np.uint8]) -> None:
    """Releases the resident pages of mapped pixels; the system may keep them in its page cache.

    Without this, everything that was ever read counts as memory of the process, which is killed for
    it if memory is limited and the disk is slow.
    """
    owner = pixels.base
    while isinstance(owner, np.ndarray):
        owner = owner.base
    if isinstance(owner, mmap.mmap):  # shared: writes stay in the file
        owner.madvise(mmap.MADV_DONTNEED)
