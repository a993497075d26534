"""What the fields of the color augmentations mean, tested with given numbers."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray

from imgcls.config.components.augmentations import Augmentation
from imgcls.config.components.augmentations.augmentation import Color
from imgcls.ops import color

Change = Callable[[Any, tf.Tensor], tf.Tensor]
Images = NDArray[np.float32]

_EDGES = tf.constant([[0.0], [0.5], [1 - 2**-24]])
_IMAGES = np.random.default_rng(0).random((3, 5, 4, 3), dtype=np.float32)


def _apply(written: object, numbers: tf.Tensor = _EDGES) -> Images:
    augmentation = Augmentation.read(written)
    assert isinstance(augmentation, Color)
    result: Images = augmentation.apply(tf.constant(_IMAGES), numbers).numpy()
    return result


@pytest.mark.parametrize(
    ("name", "change", "amounts"),
    [
        ("RandomBrightness", color.brightness, [-0.25, 0, 0.25]),
        ("RandomContrast", color.contrast, [0.75, 1, 1.25]),
        ("RandomSaturation", color.saturation, [0.75, 1, 1.25]),
        ("RandomHue", color.hue, [-0.25, 0, 0.25]),
    ],
)
def test_a_factor_reaches_as_far_as_documented(
    name: str, change: Change, amounts: list[float]
) -> None:
    """
    If a factor meant something other than documented, users could not reproduce published results.
    """
    expected = change(_IMAGES, tf.constant(amounts, tf.float32))

    assert np.allclose(expected, _apply({name: {"factor": 0.25}}), atol=1e-5)


def test_color_is_lost_with_its_probability() -> None:
    """
    A probability of 0.3 must turn three of ten images gray, and 1 all of them.
    """
    numbers = tf.constant([[0.29], [0.31], [1 - 2**-24]])
    some = _apply({"RandomGrayscale": {"probability": 0.3}}, numbers)
    gray = [np.ptp(image, axis=-1).max() == 0 for image in some]
    all_of_them = _apply({"RandomGrayscale": {"probability": 1}}, numbers)

    assert [True, False, False] == gray
    assert np.ptp(all_of_them, axis=-1).max() == 0
