"""Thousands of damaged image files, each reproducible from its number.

    python -m tests.images.mutated FIRST COUNT FOLDER

loads COUNT files in a separate process and prints how many were used and rejected.
"""

import io
import json
import random
import struct
import sys
import time
import warnings
import zlib
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from imgcls.images.decode import BadImageError
from imgcls.images.load import load, load_all
from tests.images.pixels import pixels_of

SIZE = (24, 20)
FORMATS: dict[str, tuple[str, dict[str, Any]]] = {
    "jpeg": ("JPEG", {"quality": 90}),
    "progressive": ("JPEG", {"progressive": True}),
    "png": ("PNG", {}),
    "gif": ("GIF", {}),
    "bmp": ("BMP", {}),
    "webp": ("WEBP", {}),
    "tiff": ("TIFF", {"compression": "tiff_lzw"}),
}
_IMPOSTORS = (
    b"", b"\0", b"\0" * 3000, b"<!DOCTYPE html><title>404</title>", b"GIF89a", b"\xff\xd8\xff\xd9",
    b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n", b"hello world\n",
    b"\x89PNG\r\n\x1a\n", b"BM", b"RIFF\xff\xff\xff\xffWEBPVP8 ", b"MM\0*",
    b"II*\0\x08\0\0\0\xff\xff",
)  # fmt: skip
_SIDES = (0, 1, 2, 47, 1000, 9_999, 20_000, 60_000, 65_535)


@cache
def whole(kind: str) -> bytes:
    """Returns an undamaged file: smooth colors with some noise, 48 x 64."""
    down, across = np.mgrid[0:48, 0:64]
    smooth = np.stack([down * 5, across * 3, 250 - down * 4], axis=-1)
    noise = np.random.default_rng(0).integers(0, 12, smooth.shape)
    file = io.BytesIO()
    name, options = FORMATS[kind]
    Image.fromarray((smooth + noise).clip(0, 255).astype(np.uint8)).save(file, name, **options)
    return file.getvalue()


def cut(data: bytes, dice: random.Random) -> bytes:
    """A truncated download."""
    return data[: dice.randrange(len(data))]


def flipped(data: bytes, dice: random.Random) -> bytes:
    """Flipped bits, most often in the headers."""
    changed = bytearray(data)
    for _ in range(dice.choice((1, 1, 2, 8))):
        at = dice.randrange(min(len(data), dice.choice((64, 400, len(data)))))
        changed[at] ^= 1 << dice.randrange(8)
    return bytes(changed)


def inserted(data: bytes, dice: random.Random) -> bytes:
    """Bytes inserted, or written over others."""
    at = dice.randrange(len(data))
    return data[:at] + dice.randbytes(dice.randrange(1, 40)) + data[at + dice.choice((0, 0, 10)) :]


def zeroed(data: bytes, dice: random.Random) -> bytes:
    """A block that never reached the disk."""
    at = dice.randrange(len(data))
    size = dice.randrange(1, 600)
    return data[:at] + bytes(min(size, len(data) - at)) + data[at + size :]


def impostor(data: bytes, dice: random.Random) -> bytes:
    """A different kind of file under an image's name, or two files in one."""
    return dice.choice((*_IMPOSTORS, data + data, data[len(data) // 2 :], dice.randbytes(200)))


def lying(data: bytes, dice: random.Random) -> bytes:
    """A header that claims a wrong size, up to 65,535 pixels per side."""
    width, height = dice.choice(_SIDES), dice.choice(_SIDES)
    changed = bytearray(data)
    if data.startswith(b"\x89PNG"):
        changed[16:24] = struct.pack(">II", width, height)
        changed[29:33] = struct.pack(">I", zlib.crc32(changed[12:29]))
    elif data.startswith(b"BM"):
        changed[18:26] = struct.pack("<ii", width, dice.choice((height, -height)))
    elif data.startswith(b"GIF"):
        changed[6:10] = struct.pack("<HH", width, height)
    elif data.startswith(b"\xff\xd8"):
        at = max(data.find(b"\xff\xc0"), data.find(b"\xff\xc2")) + 5
        changed[at : at + 4] = struct.pack(">HH", height, width)
    elif data.startswith(b"RIFF"):
        at = data.index(b"\x9d\x01\x2a") + 3
        changed[at : at + 4] = struct.pack("<HH", width & 0x3FFF, height & 0x3FFF)
    else:
        for tag, value in ((256, width), (257, height)):
            at = data.find(struct.pack("<HH", tag, 4))
            at = at if at >= 0 else data.index(struct.pack("<HH", tag, 3))
            changed[at : at + 12] = struct.pack("<HHII", tag, 4, 1, value)
    return bytes(changed)


WAYS: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    *(cut, flipped, inserted, zeroed, impostor, lying),
)


def mutated(number: int) -> tuple[str, bytes]:
    """Returns the kind of damage and the format, and the damaged file."""
    dice = random.Random(number)  # noqa: S311 - no secret
    kind = dice.choice(tuple(FORMATS))
    way = dice.choice(WAYS)
    return f"{way.__name__} {kind}", way(whole(kind), dice)


def _alone(file: Path) -> NDArray[np.uint8] | BadImageError:
    try:
        return load(file, SIZE, 3, "stretch")
    except BadImageError as error:
        return error


def outcomes(first: int, count: int, folder: Path) -> Counter[str]:
    """Returns how many of the files were used and rejected, and checks each outcome.

    Raises:
        AssertionError: if training and prediction decode a file differently, an error does not name
            its file, half an image is used, or a file takes more than five seconds of CPU time.
    """
    files = []
    for number in range(first, first + count):
        files.append(folder / f"{number}.jpg")
        files[-1].write_bytes(mutated(number)[1])
    pixels, bad = load_all(files, SIZE, 3, "stretch")
    refused = {error.path: error for error in bad}
    seen: Counter[str] = Counter()
    for at, file in enumerate(files):
        way = mutated(first + at)[0]
        start = time.thread_time()
        alone = _alone(file)
        if isinstance(alone, BadImageError):
            assert file in refused, f"{file}: {way}: prediction refuses it, training does not"
            assert str(alone) == str(refused[file]) == f"{file}: {alone.reason}"
            assert alone.reason
            seen["refused"] += 1
        else:
            assert file not in refused, f"{file}: {way}: training refuses it, prediction does not"
            assert np.array_equal(alone, pixels[at]), f"{file}: {way}: decoded in two ways"
            seen["used"] += 1
            if way.startswith("cut"):
                right = pixels_of(whole(way.split()[1]), 3)
                assert np.array_equal(pixels_of(file, 3), right), f"{file}: half a picture is used"
        seen["slowest, ms"] = max(seen["slowest, ms"], round(1000 * (time.thread_time() - start)))
        assert time.thread_time() - start < 5, f"{file}: {way}: takes too long"
        file.unlink()
    return seen


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    print(json.dumps(outcomes(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))))  # noqa: T201 - its result
