"""Color changes compared with NumPy and with TensorFlow's, which use one amount per batch."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray
from PIL import Image

from imgcls.ops import color

Change = Callable[[Any, tf.Tensor], tf.Tensor]

_AMOUNTS = tf.constant([-0.4, 0.0, 0.3])


def images(channels: int = 3) -> NDArray[np.float32]:
    return np.random.default_rng(0).random((3, 6, 5, channels), dtype=np.float32)


def test_brightness_is_added_and_clipped() -> None:
    """
    The amount is relative to the range from black to white, not to the image's own brightness.
    """
    expected = np.clip(images() + _AMOUNTS.numpy()[:, None, None, None], 0, 1)

    assert np.array_equal(expected, color.brightness(images(), _AMOUNTS))


@pytest.mark.parametrize("channels", [1, 3])
def test_contrast_is_tensorflows(channels: int) -> None:
    """
    The mean is taken per image and channel; the mean of a batch would mix images.
    """
    array = images(channels)
    expected = [
        tf.clip_by_value(tf.image.adjust_contrast(image, factor), 0, 1)
        for image, factor in zip(array, 1 + _AMOUNTS.numpy(), strict=True)
    ]

    assert np.allclose(expected, color.contrast(array, 1 + _AMOUNTS), atol=1e-6)


def test_saturation_reaches_from_grey_to_double() -> None:
    """
    Each pixel fades to its own gray, so that its brightness is kept.
    """
    array = images()
    grey = array @ np.asarray([0.299, 0.587, 0.114], np.float32)
    result = color.saturation(array, tf.constant([0.0, 1.0, 2.0])).numpy()

    assert np.allclose(grey[0], result[0, ..., 0], atol=1e-6)
    assert np.allclose(grey[0], result[0, ..., 2], atol=1e-6)
    assert np.array_equal(array[1], result[1])
    assert np.allclose(np.clip(2 * array[2] - grey[2][..., None], 0, 1), result[2], atol=1e-6)


def test_hue_is_tensorflows() -> None:
    """
    A third of the circle turns red into green, and hues wrap around at the end.
    """
    expected = [
        tf.image.adjust_hue(image, turn) for image, turn in zip(images(), _AMOUNTS, strict=True)
    ]

    assert np.allclose(expected, color.hue(images(), _AMOUNTS), atol=1e-5)


def test_grayscale_is_pillows() -> None:
    """
    An image read with one channel must have the same grays as one converted here.
    """
    pixels = (images()[0] * 255).astype(np.uint8)
    grey = np.asarray(Image.fromarray(pixels).convert("L"))
    result = color.grayscale(pixels[None] / np.float32(255), tf.constant([True])).numpy()

    assert np.allclose(grey, result[0, ..., 1] * 255, atol=0.6)
    assert np.array_equal(result[..., 0], result[..., 2])


def test_only_the_chosen_lose_their_colour() -> None:
    """
    If a whole batch turned gray, training would see a different distribution.
    """
    result = color.grayscale(images(), tf.constant([False, True, False])).numpy()

    assert np.array_equal(images()[[0, 2]], result[[0, 2]])
    assert not np.allclose(images()[1], result[1])


def test_white_stays_white_without_colour() -> None:
    """
    The weights in TensorFlow's own function sum to 0.9999.
    """
    white = np.ones((1, 2, 2, 3), np.float32)

    assert np.array_equal(white, color.grayscale(white, tf.constant([True])))


def test_one_rectangle_an_image_is_erased() -> None:
    """
    Rows and columns must not be swapped, and each image has its own rectangle, or none.
    """
    boxes = tf.constant([[1.0, 2, 3, 2], [0, 0, 0, 5], [5, 0, 1, 5]])
    expected = images()
    expected[0, 1:4, 2:4] = 0.5
    expected[2, 5] = 0.5

    assert np.array_equal(expected, color.erase(images(), boxes, 0.5))


@pytest.mark.parametrize(
    ("change", "nothing"),
    [
        (color.brightness, 0.0),
        (color.contrast, 1.0),
        (color.saturation, 1.0),
        (color.hue, 0.0),
    ],
)
def test_no_change_is_bit_for_bit_none(change: Change, nothing: float) -> None:
    """
    A strength of zero must switch an augmentation off, without rounding errors.
    """
    assert np.array_equal(images(), change(images(), tf.fill([3], nothing)))


@pytest.mark.parametrize("change", [color.saturation, color.hue, color.grayscale])
def test_grey_images_have_no_colour_to_change(change: Change) -> None:
    """
    The same config must work for MNIST and CIFAR-10.
    """
    amounts = tf.constant([True] * 3) if change is color.grayscale else 2 * _AMOUNTS

    assert np.array_equal(images(1), change(images(1), amounts))
