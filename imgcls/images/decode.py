"""One picture file to pixels, by its content and never by its name.

Training, evaluation and prediction all decode here, so that a picture gives the same numbers
everywhere.
"""

import os
import stat
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Literal

import numpy as np
from PIL import Image, UnidentifiedImageError

from imgcls.errors import DataError
from imgcls.images.pictures import shown

FORMATS = ("JPEG", "PNG", "BMP", "GIF", "WEBP", "TIFF", "AVIF")
PIXEL_LIMIT = 100_000_000

# The limit is ours and is checked from the header; Pillow would warn below it.
Image.MAX_IMAGE_PIXELS = None
# Odd metadata (broken EXIF, TIFF tags) is no reason to trouble anyone: the pixels are what counts.
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")

# What EXIF's orientation asks for: https://exiftool.org/TagNames/EXIF.html, tag 0x0112.
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_ORIENTATION = 0x0112
_SIDEWAYS = {5, 6, 7, 8}
_BITS_PER_SAMPLE = 258

# Magic bytes at an offset, of what people have among their pictures, and what to say of it.
_HTML = "not an image but an HTML page"
_FOREIGN = (
    (0, b"%pdf", "PDF is not supported"),
    (0, b"<svg", "SVG is not supported"),
    (0, b"<?xml", "XML or SVG is not supported"),
    (0, b"<html", _HTML),
    (0, b"<!doctype html", _HTML),
    (0, b"version https://git-lfs", "a Git LFS pointer; git lfs pull fetches the picture"),
    (4, b"ftyphei", "HEIC is not supported"),
    (4, b"ftypmif1", "HEIC is not supported"),
    (0, b"8bps", "a Photoshop document is not supported"),
    (0, b"%!ps", "PostScript is not supported"),
    (0, b"\x00\x00\x00\x0cjxl ", "JPEG XL is not supported"),
    (0, b"\xff\x0a", "JPEG XL is not supported"),
)


class BadImageError(DataError):
    """A file is not an image that can be used.

    Attributes:
        path: the file, or empty where there were only bytes.
        reason: what is wrong with it.
    """

    def __init__(self, path: Path | str, reason: str) -> None:
        self.path = path
        self.reason = reason
        super().__init__(f"{shown(path) or 'the image'}: {reason}")


class _WrongValuesError(ValueError):
    """An image is intact, but its values do not say what is black and what is white."""


def decode(
    source: Path | bytes, channels: Literal[1, 3], at_least: int | None = None
) -> Image.Image:
    """Returns a picture with its right side up, 8 bits deep, in the mode L or RGB.

    EXIF orientation is applied, 16 bits are scaled to 8, transparency lies on black, of an
    animation the first frame counts.

    Args:
        source: a file, or the bytes of one.
        channels: 1 for gray (ITU-R 601 luma), 3 for RGB.
        at_least: a JPEG may come smaller, by 2, 4 or 8, as long as both sides keep this many
            pixels: 12 megapixels come to 150 x 150 in 24 ms instead of 330 (one core).

    Raises:
        BadImageError: if it is no picture, damaged, cut off, or larger than 100 megapixels.
    """
    with _opened(source) as picture:
        if at_least is not None and picture.format in {"JPEG", "MPO"}:
            # `draft` never goes below what it is asked for, and does nothing to other formats.
            picture.draft(picture.mode, (at_least, at_least))
        picture.load()
        turn = _UPRIGHT.get(_orientation(picture))
        turned = picture.transpose(turn) if turn is not None else picture
        flat = _shallow(turned, picture) if _is_deep(turned) else _opaque(turned)
        if flat.mode not in {"1", "L", "RGB"}:
            # By way of RGB, or a palette and CMYK would take another way to gray.
            flat = flat.convert("RGB")
        return _in_mode(flat, "L" if channels == 1 else "RGB")


def measure(source: Path | bytes) -> tuple[int, int]:
    """Returns height and width of a picture, upright, from its header alone.

    Raises:
        BadImageError: if the header is not that of a picture within the limits.
    """
    with _opened(source) as picture:
        # Pillow swaps a TIFF's sides itself.
        turned = picture.format != "TIFF" and _orientation(picture) in _SIDEWAYS
        return picture.size if turned else (picture.height, picture.width)


@contextmanager
def _opened(source: Path | bytes) -> Iterator[Image.Image]:
    """Yields the picture, its header read; whatever goes wrong with it is a BadImageError."""
    path = source if isinstance(source, Path) else ""
    try:
        with BytesIO(source) if isinstance(source, bytes) else open_file(source) as file:
            try:
                picture = Image.open(file, formats=FORMATS)
            except UnidentifiedImageError as error:
                raise BadImageError(path, _what_is(file)) from error
            with picture:
                _check_size(picture, path)
                yield picture
    except (BadImageError, MemoryError):
        raise
    except OSError as error:
        raise BadImageError(path, (error.strerror or str(error)).lower()) from error
    except _WrongValuesError as error:
        raise BadImageError(path, str(error)) from error
    except Exception as error:  # Pillow's parsers let through whatever a damaged file makes of them
        raise BadImageError(path, f"damaged: {str(error) or type(error).__name__}") from error


def _check_size(picture: Image.Image, path: Path | str) -> None:
    if picture.width * picture.height > PIXEL_LIMIT:
        size = f"{picture.width:,} x {picture.height:,} pixels"
        raise BadImageError(path, f"{size}, more than {PIXEL_LIMIT:,} in all")


def open_file(path: Path) -> BinaryIO:
    """Returns an open file; never waits for one, as opening a pipe would.

    Raises:
        BadImageError: if it is no regular file.
        OSError: if it is not there, or may not be read.
    """
    # Opening a FIFO would wait for ever.
    if not stat.S_ISREG(os.stat(path).st_mode):  # noqa: PTH116 - the mode itself is wanted
        raise BadImageError(path, "not a regular file")
    return path.open("rb")


def _what_is(file: BinaryIO) -> str:
    file.seek(0)
    head = file.read(64)
    if not head:
        return "empty"
    for offset, magic, reason in _FOREIGN:
        if head.lower().startswith(magic, offset):
            return reason
    return "not a JPEG, PNG, BMP, GIF, WebP, TIFF or AVIF image"


def _orientation(picture: Image.Image) -> int:
    try:
        found = picture.getexif().get(_ORIENTATION, 1)
    except Exception:  # noqa: BLE001 - broken EXIF says nothing; the pixels may still be right
        return 1
    return found if isinstance(found, int) else 1


def _is_deep(picture: Image.Image) -> bool:
    """Whether a sample has more than 8 bits; Pillow's own conversion clips those to white."""
    return picture.mode.startswith("I") or picture.mode == "F"


def _shallow(picture: Image.Image, source: Image.Image) -> Image.Image:
    values = np.asarray(picture)
    bits = getattr(source, "tag_v2", {}).get(_BITS_PER_SAMPLE, (16,))[0]
    highest = 1.0 if picture.mode == "F" else 2.0 ** min(bits, 16) - 1
    if not (np.isfinite(values).all() and values.min() >= 0 and values.max() <= highest):
        got = f"{values.min():g} to {values.max():g}"
        raise _WrongValuesError(f"its values must be within 0 to {highest:g}, got {got}")
    pixels = np.empty(values.shape, np.uint8)
    for row, scaled in zip(values, pixels, strict=True):  # all at once would need 24 bytes a pixel
        np.rint(row.astype(np.float64) * (255 / highest), out=scaled, casting="unsafe")
    return Image.fromarray(pixels)


def _opaque(picture: Image.Image) -> Image.Image:
    if not picture.has_transparency_data:
        return picture
    seen_through = _in_mode(picture, "RGBA")
    on_black = Image.new("RGB", picture.size)
    on_black.paste(seen_through, mask=seen_through)
    return on_black


def _in_mode(picture: Image.Image, mode: str) -> Image.Image:
    # `convert` copies even if there is nothing to convert: of 100 megapixels, 400 MB.
    return picture if picture.mode == mode else picture.convert(mode)
