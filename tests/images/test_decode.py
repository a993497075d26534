"""An image file gives the same correct pixels everywhere, or is rejected with a reason."""

import io
import os
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from PIL import Image

from imgcls.images.decode import PIXEL_LIMIT, BadImageError, measure
from tests.images.pixels import pixels_of


def colors():
    """Smooth colors, which lossy formats preserve."""
    down, across = np.mgrid[0:24, 0:32]
    return np.stack([down * 8, across * 7, 200 - down * 4], axis=-1).astype(np.uint8)


def encoded(image, kind, **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


PICTURE = Image.fromarray(colors())

EXACT: dict[str, tuple[str, dict[str, Any]]] = {
    "png": ("PNG", {}),
    "bmp": ("BMP", {}),
    "tiff": ("TIFF", {}),
    "tiff_lzw": ("TIFF", {"compression": "tiff_lzw"}),
    "webp": ("WEBP", {"lossless": True}),
}


@pytest.mark.parametrize("name", EXACT)
def test_a_picture_is_the_same_in_every_exact_format(name):
    """
    What a network learns from an image must not depend on the file format.
    """
    kind, options = EXACT[name]
    data = encoded(PICTURE, kind, **options)

    assert np.array_equal(colors(), pixels_of(data, 3))
    assert (24, 32) == measure(data)


@pytest.mark.parametrize(
    ("image", "kind", "options"),
    [
        (PICTURE, "JPEG", {"quality": 95}),
        (PICTURE, "JPEG", {"quality": 95, "progressive": True}),
        (PICTURE.convert("CMYK"), "JPEG", {"quality": 95}),
        (PICTURE.convert("CMYK"), "TIFF", {}),
        (PICTURE.quantize(256), "PNG", {}),
        (PICTURE.quantize(256), "BMP", {}),
        (PICTURE, "GIF", {}),
        (PICTURE, "WEBP", {"quality": 95}),
    ],
)
def test_lossy_formats_palettes_and_cmyk_come_close(image, kind, options):
    """
    TensorFlow reads palette indices in BMP files as gray levels; such a mistake is far off.
    """
    difference = np.abs(pixels_of(encoded(image, kind, **options), 3).astype(int) - colors())

    assert difference.mean() < 6


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "WEBP"])
def test_all_eight_orientations_come_out_upright(orientation, kind):
    """
    Phones store images as the sensor is held; to a network, a sideways image is a different one.
    """
    turns = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    lying = PICTURE.transpose(turns[orientation]) if orientation in turns else PICTURE
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(lying, kind, exif=exif)
    difference = np.abs(pixels_of(data, 3).astype(int) - colors())

    assert difference.mean() < 6
    assert (24, 32) == measure(data)


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow's, about the corrupt EXIF
def test_broken_exif_does_not_spoil_a_picture():
    """
    Cameras and editors write invalid metadata; only the pixels matter.
    """
    data = encoded(PICTURE, "PNG", exif=b"Exif\0\0MM\0*\0\0\xff\xff garbage")

    assert np.array_equal(colors(), pixels_of(data, 3))


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_16_bits_are_scaled_and_not_clipped(kind):
    """
    Pillow's own conversion turns nearly all of a 16-bit image white.
    """
    ramp = np.linspace(0, 65535, 24 * 32).reshape(24, 32).astype(np.uint16)
    expected = np.rint(ramp / 257).astype(np.uint8)
    pixels = pixels_of(encoded(Image.fromarray(ramp), kind), 3)

    assert np.array_equal(np.repeat(expected[..., None], 3, axis=2), pixels)


def test_float_pictures_are_shares():
    """
    By convention, a float TIFF holds 0..1; any other scale is known only to its author.
    """
    ramp = np.linspace(0, 1, 24 * 32, dtype=np.float32).reshape(24, 32)

    assert np.array_equal(
        np.rint(ramp.astype(float) * 255),
        pixels_of(encoded(Image.fromarray(ramp), "TIFF"), 1)[..., 0],
    )
    for wrong in (ramp * 2, ramp - 1, ramp * np.float32("nan")):
        with pytest.raises(BadImageError, match=r"^the image: its values must be within 0 to 1"):
            pixels_of(encoded(Image.fromarray(wrong), "TIFF"), 1)


def test_transparency_lies_on_black():
    """
    The colors stored under transparent pixels are garbage that was never meant to be seen.
    """
    alpha = np.full((24, 32, 1), 128, np.uint8)
    alpha[:, :16] = 0
    image = Image.fromarray(np.concatenate([colors(), alpha], axis=-1))
    expected = np.rint(colors() * (alpha / 255))
    pixels = pixels_of(encoded(image, "PNG"), 3)

    assert np.abs(pixels - expected).max() <= 1
    assert not pixels[:, :16].any()


def test_a_palette_with_transparency_lies_on_black():
    """
    GIFs and small PNGs mark transparency by a palette index.
    """
    image = PICTURE.quantize(16)
    shown = image.getpixel((0, 0))
    pixels = pixels_of(encoded(image, "PNG", transparency=shown), 3)

    assert [0, 0, 0] == pixels[0, 0].tolist()
    assert pixels.any()


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "I;16"])
def test_grey_is_equal_in_all_channels(mode):
    """
    Data sets mix gray and color images; 1-bit images must become black and white, not 0 and 1.
    """
    grey = PICTURE.convert("L")
    image = grey.convert(mode) if mode != "I;16" else grey.convert("I").convert("I;16")
    pixels = pixels_of(encoded(image, "PNG"), 3)

    assert (24, 32, 3) == pixels.shape
    assert np.array_equal(pixels, pixels[..., :1].repeat(3, axis=2))
    if mode in {"L", "LA"}:
        assert np.array_equal(np.asarray(grey), pixels[..., 0])
    if mode == "1":
        assert {0, 255} == set(np.unique(pixels).tolist())


def test_one_channel_is_the_luma():
    """
    Gray must be the standard luma, whatever the file's color mode.
    """
    expected = np.asarray(PICTURE.convert("L"))[..., None]

    assert np.array_equal(expected, pixels_of(encoded(PICTURE, "PNG"), 1))
    assert np.array_equal(expected, pixels_of(encoded(PICTURE.convert("RGBA"), "PNG"), 1))


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "TIFF", "PNG"])
def test_of_an_animation_the_first_frame_counts(kind):
    """
    If one file gave several images, the labels would no longer match.
    """
    first, second = Image.new("RGB", (8, 8), (255, 0, 0)), Image.new("RGB", (8, 8), (0, 0, 255))
    data = encoded(first, kind, save_all=True, append_images=[second])
    pixels = pixels_of(data, 3)

    assert (8, 8, 3) == pixels.shape
    assert pixels[..., 0].min() > 240
    assert pixels[..., 2].max() < 15


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "BMP", "WEBP", "TIFF"])
@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.97])
def test_a_cut_off_file_is_refused(kind, share):
    """
    A truncated download must not be used for training as a half-gray image.
    """
    noise = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
    data = encoded(Image.fromarray(noise), kind)

    with pytest.raises(BadImageError):
        pixels_of(data[: int(len(data) * share)], 3)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"hello", "not a JPEG, PNG, BMP, GIF, WebP, TIFF or AVIF image"),
        (b"<!DOCTYPE html><p>404", "not an image but an HTML page"),
        (b"%PDF-1.7 ...", "PDF is not supported"),
        (b"\0\0\0\x18ftypheic....", "HEIC is not supported"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "PostScript is not supported"),
    ],
)
def test_what_is_no_image_is_named_by_its_kind(tmp_path, data, reason):
    """
    Error pages and PDFs end up among images; naming the file type saves the user a search.
    """
    file = tmp_path / "cat.jpg"
    file.write_bytes(data)
    with pytest.raises(BadImageError) as caught:
        pixels_of(file, 3)

    assert f"{file}: {reason}" == str(caught.value)
    assert (file, reason) == (caught.value.path, caught.value.reason)


@pytest.mark.parametrize("kind", ["PPM", "TGA", "ICO", "EPS"])
def test_other_formats_are_refused_even_if_pillow_knows_them(kind):
    """
    Rarely used decoders have the most vulnerabilities, and EPS even starts another program.
    """
    with pytest.raises(BadImageError, match=r"the image: (not a JPEG|PostScript)"):
        pixels_of(encoded(PICTURE, kind), 3)


def test_the_name_of_a_file_does_not_count(tmp_path):
    """
    A PNG named .jpg is still an image.
    """
    file = tmp_path / "cat.jpg"
    file.write_bytes(encoded(PICTURE, "PNG"))

    assert np.array_equal(colors(), pixels_of(file, 3))


def png_header(width, height):
    body = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    header = struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body))
    return b"\x89PNG\r\n\x1a\n" + header + b"\0\0\0\0IDAT\x35\xaf\x06\x1e"


def test_a_huge_picture_is_refused_by_its_header():
    """
    A file of a few bytes must not allocate ten gigabytes of memory.
    """
    side = int(PIXEL_LIMIT**0.5)

    with pytest.raises(BadImageError, match="60,000 x 60,000 pixels, more than 100,000,000 in all"):
        pixels_of(png_header(60_000, 60_000), 3)
    with pytest.raises(BadImageError, match="more than"):
        measure(png_header(side, side + 1))

    assert (side, side) == measure(png_header(side, side))


def test_what_is_no_file_is_refused(tmp_path):
    """
    Opening a named pipe would block forever, and a dangling link is a missing image.
    """
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "link.jpg").symlink_to("nowhere.jpg")

    with pytest.raises(BadImageError, match=r"pipe\.jpg: not a regular file"):
        pixels_of(tmp_path / "pipe.jpg", 3)
    with pytest.raises(BadImageError, match=r"link\.jpg: no such file or directory"):
        pixels_of(tmp_path / "link.jpg", 3)


def test_a_large_jpeg_may_come_smaller_but_not_too_small():
    """
    Decoding photos at full size, only to shrink them, is most of the time spent on loading.
    """
    large = encoded(PICTURE.resize((1600, 1200)), "JPEG")

    assert (1200, 1600, 3) == pixels_of(large, 3).shape
    assert (300, 400, 3) == pixels_of(large, 3, at_least=300).shape
    assert (600, 800, 3) == pixels_of(large, 3, at_least=301).shape


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "BMP", "WEBP", "TIFF"])
def test_damaged_bytes_never_raise_anything_else(kind, capfd):
    """
    One bad file in a million must be reported by name, and must not cause a traceback.
    """
    rng = np.random.default_rng(0)
    whole = np.frombuffer(encoded(PICTURE, kind), np.uint8)
    refused = 0
    for _ in range(150):
        damaged = whole.copy()
        at = rng.integers(0, min(len(damaged), 200), size=4)
        damaged[at] = rng.integers(0, 256, size=4)
        try:
            assert pixels_of(damaged.tobytes(), 3).dtype == np.uint8
        except BadImageError:
            refused += 1
    capfd.readouterr()  # libtiff writes to stderr directly

    assert refused > 10


def test_bytes_have_no_path():
    """
    Standard input has no name to report.
    """
    with pytest.raises(BadImageError, match=r"^the image: empty$") as caught:
        pixels_of(b"", 3)

    assert not caught.value.path
