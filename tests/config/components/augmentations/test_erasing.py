"""Positions and sizes of the erased rectangles."""

import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray

from imgcls.config.components.augmentations.erasing import RandomErasing


def _boxes(fields: dict[str, object]) -> NDArray[np.float32]:
    """Returns top, left, height and width of 2,000 rectangles on images of 40x60."""
    numbers = np.random.default_rng(0).random((2000, 5), dtype=np.float32)
    boxes: NDArray[np.float32] = RandomErasing(**fields).boxes(tf.constant(numbers), 40, 60).numpy()
    return boxes.T


def test_areas_and_aspects_are_those_asked_for() -> None:
    """
    Users expect the whole range that they wrote, blurred only by rounding to whole pixels.
    """
    fields: dict[str, object] = {"probability": 1, "area": [0.1, 0.2], "aspect": [0.5, 2]}
    _, _, height, width = _boxes(fields)
    share, aspect = height * width / (40 * 60), height / width

    assert share.min() == pytest.approx(0.1, abs=0.01)
    assert share.max() == pytest.approx(0.2, abs=0.01)
    assert share.mean() == pytest.approx(0.15, abs=0.005)
    assert aspect.min() == pytest.approx(0.5, abs=0.1)
    assert aspect.max() == pytest.approx(2, abs=0.2)
    assert np.log(aspect).mean() == pytest.approx(0, abs=0.05)


def test_rectangles_lie_inside_the_image_and_everywhere_in_it() -> None:
    """
    A rectangle that extends beyond the edge would hide less than the config asks for.
    """
    top, left, height, width = _boxes({"probability": 1, "area": [0.01, 0.02]})

    assert (top.min(), left.min()) == (0, 0)
    assert ((top + height).max(), (left + width).max()) == (40, 60)


def test_a_rectangle_larger_than_the_image_is_cut_to_it() -> None:
    """
    Hiding a whole image is odd, but it is what `area: [1, 1]` asks for.
    """
    fields: dict[str, object] = {"probability": 1, "area": [1, 1], "aspect": [0.1, 10]}
    top, left, height, width = _boxes(fields)

    assert height.max() == 40
    assert width.max() == 60
    assert np.all(top + height <= 40)
    assert np.all(left + width <= 60)


def test_a_tiny_rectangle_is_a_pixel() -> None:
    """
    If it were rounded to nothing, the augmentation would silently have no effect.
    """
    _, _, height, width = _boxes({"probability": 1, "area": [0, 0]})

    assert np.all(height == 1)
    assert np.all(width == 1)


def test_images_are_spared_with_the_rest_of_the_probability() -> None:
    """
    A probability of 0.3 must erase a part of three of ten images.
    """
    _, _, height, _ = _boxes({"probability": 0.3})

    assert np.mean(height > 0) == pytest.approx(0.3, abs=0.04)


def test_the_value_is_what_is_painted() -> None:
    """
    Users may prefer a gray of 0.5, which is less conspicuous than black.
    """
    erasing = RandomErasing(probability=1, value=0.5)
    erased = erasing.apply(tf.zeros([4, 12, 12, 3]), tf.fill([4, 5], 0.5)).numpy()

    assert {0.0, 0.5} == set(np.unique(erased))
