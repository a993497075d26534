"""Converts images to one size and one number of channels."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Mode = Literal["stretch", "crop", "pad"]


def fit(picture: NDArray[np.uint8], size: tuple[int, int], mode: Mode) -> NDArray[np.uint8]:
    """Returns an image in an array resized as by `fitted`: uint8 [height, width, channel].

    Args:
        picture: uint8 [height, width, channel], with 1 or 3 channels.
        size: height and width of the result.
        mode: how an image with another aspect ratio is fitted; see `fitted`.
    """
    flat = picture[:, :, 0] if picture.shape[2] == 1 else picture
    image = fitted(Image.fromarray(np.ascontiguousarray(flat)), size, mode)
    return np.array(image).reshape(*size, picture.shape[2])


def fitted(image: Image.Image, size: tuple[int, int], mode: Mode) -> Image.Image:
    """Returns an image resized to `size`.

    Uses Pillow's bilinear filter, which averages over all pixels when it shrinks an image.

    Args:
        image: an image of mode L or RGB.
        size: height and width of the result.
        mode: `stretch` ignores the aspect ratio; `crop` keeps it and cuts off two sides; `pad`
            keeps it and fills the rest with black.
    """
    if (image.height, image.width) == size:
        return image
    if mode == "stretch":
        return image.resize((size[1], size[0]), Image.Resampling.BILINEAR)
    return _crop(image, size) if mode == "crop" else _pad(image, size)


def _crop(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    height, width = size
    scale = min(image.width / width, image.height / height)
    left, top = (image.width - width * scale) / 2, (image.height - height * scale) / 2
    # Rounding must not lead outside the image: Pillow rejects such a box.
    right, bottom = min(left + width * scale, image.width), min(top + height * scale, image.height)
    box = (max(left, 0.0), max(top, 0.0), right, bottom)
    return image.resize((width, height), Image.Resampling.BILINEAR, box=box)


def _pad(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    height, width = size
    scale = min(width / image.width, height / image.height)
    inner = (
        min(width, max(1, round(image.width * scale))),
        min(height, max(1, round(image.height * scale))),
    )
    padded = Image.new(image.mode, (width, height))
    corner = ((width - inner[0]) // 2, (height - inner[1]) // 2)
    padded.paste(image.resize(inner, Image.Resampling.BILINEAR), corner)
    return padded


def to_channels(pixels: NDArray[np.uint8], channels: int) -> NDArray[np.uint8]:
    """Returns images with this many channels, uint8 [..., channels]; gray is that of `decode`.

    Args:
        pixels: uint8 [..., height, width, channel], with 1 or 3 channels.
        channels: 1 or 3.
    """
    if pixels.shape[-1] == channels:
        return pixels
    if channels == 3:  # noqa: PLR2004 - RGB
        return np.repeat(pixels, channels, axis=-1)
    gray = np.empty((*pixels.shape[:-1], 1), np.uint8)
    # One image at a time: the sums need four times its memory.
    for at in np.ndindex(pixels.shape[:-3]):
        # Pillow's fixed-point weights of ITU-R 601, so that arrays and files give the same gray.
        sums = pixels[at].astype(np.uint32) @ np.array([19595, 38470, 7471], np.uint32)
        gray[at] = ((sums + 0x8000) >> 16)[..., np.newaxis]
    return gray
