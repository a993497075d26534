"""What the fields of the geometric augmentations mean, tested with given numbers."""

from collections.abc import Mapping

import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray

from imgcls.config.components.augmentations import Augmentation
from imgcls.config.components.augmentations.augmentation import Geometric

Written = Mapping[str, Mapping[str, object]]

LOWEST, MIDDLE, HIGHEST = 0.0, 0.5, 1 - 2**-24


def matrix(written: Written, numbers: list[float]) -> NDArray[np.float32]:
    """Returns the matrix of one 11x21 image, from output to input pixels."""
    augmentation = Augmentation.read(written)
    assert isinstance(augmentation, Geometric)
    result: NDArray[np.float32] = augmentation.matrix(tf.constant([numbers]), 11, 21).numpy()[0]
    return result


def read_from(written: Written, numbers: list[float], x: float, y: float) -> NDArray[np.float64]:
    """Returns the position from which output pixel (x, y) is read."""
    return (matrix(written, numbers).astype(float) @ [x, y, 1])[:2]


@pytest.mark.parametrize(
    ("mode", "corner"),
    [("horizontal", (20, 0)), ("vertical", (0, 10)), ("horizontal_and_vertical", (20, 10))],
)
def test_a_flip_goes_the_way_its_mode_says(mode: str, corner: tuple[int, int]) -> None:
    """
    Confusing `vertical` with `horizontal` would train on upside-down cats.
    """
    flip = {"RandomFlip": {"mode": mode}}

    assert np.array_equal(corner, read_from(flip, [0.1, 0.1], 0, 0))
    assert np.array_equal((0, 0), read_from(flip, [0.6, 0.6], 0, 0))


def test_both_flips_are_drawn_each_by_itself() -> None:
    """
    If both were always applied together, images would only ever be turned by 180 degrees.
    """
    flip = {"RandomFlip": {"mode": "horizontal_and_vertical", "probability": 0.3}}

    assert np.array_equal((20, 0), read_from(flip, [0.2, 0.4], 0, 0))
    assert np.array_equal((0, 10), read_from(flip, [0.4, 0.2], 0, 0))


def test_a_certain_flip_always_comes() -> None:
    """
    A probability of 1 must mean always, whatever number is drawn.
    """
    flip = {"RandomFlip": {"probability": 1}}

    assert np.array_equal((20, 0), read_from(flip, [HIGHEST, 0.5], 0, 0))


@pytest.mark.parametrize(("number", "degrees"), [(LOWEST, -30), (MIDDLE, 0), (HIGHEST, 30)])
def test_a_rotation_is_in_degrees_both_ways(number: float, degrees: float) -> None:
    """
    Radians or fractions of a turn would pass every other test.
    """
    turn = matrix({"RandomRotation": {"degrees": 30}}, [number])

    assert np.degrees(np.arctan2(turn[1, 0], turn[0, 0])) == pytest.approx(degrees, abs=1e-3)


@pytest.mark.parametrize(
    ("written", "numbers"),
    [
        ({"RandomRotation": {"degrees": 30}}, [LOWEST]),
        ({"RandomZoom": {"height": 0.5, "width": 0.2}}, [LOWEST, HIGHEST]),
        ({"RandomShear": {"x": 0.5, "y": 0.4}}, [LOWEST, HIGHEST]),
    ],
)
def test_the_center_stays_where_it_is(written: Written, numbers: list[float]) -> None:
    """
    A transformation about a corner would move the object out of the image.
    """
    assert np.allclose((10, 5), read_from(written, numbers, 10, 5), atol=1e-5)


def test_a_translation_is_a_share_of_its_own_axis() -> None:
    """
    If height and width were swapped, images that are not square would be shifted too far or not
    enough.
    """
    shift = {"RandomTranslation": {"height": 0.1, "width": 0.2}}

    assert np.allclose((4.2, 1.1), read_from(shift, [LOWEST, LOWEST], 0, 0), atol=1e-5)
    assert np.allclose((-4.2, -1.1), read_from(shift, [HIGHEST, HIGHEST], 0, 0), atol=1e-5)


def test_a_translation_without_a_width_moves_up_and_down_only() -> None:
    """
    Users who set only a height want no horizontal shifts.
    """
    shift = {"RandomTranslation": {"height": 0.1}}

    assert np.allclose((0, 1.1), read_from(shift, [LOWEST, LOWEST], 0, 0), atol=1e-5)


def test_a_crop_shifts_by_whole_pixels_up_to_its_padding() -> None:
    """
    Shifts by fractions of a pixel would blur every image.
    """
    crop = {"RandomCrop": {"padding": 2}}
    numbers = np.linspace(LOWEST, HIGHEST, 11).tolist()
    shifts = [read_from(crop, [number, MIDDLE], 0, 0) for number in numbers]

    assert {-2, -1, 0, 1, 2} == {x for x, _ in shifts}
    assert {0} == {y for _, y in shifts}
    assert np.array_equal((0, 2), read_from(crop, [MIDDLE, LOWEST], 0, 0))


def test_a_shear_is_a_tangent_of_its_own_axis() -> None:
    """
    `x` must slant vertical lines, and `y` horizontal ones.
    """
    assert np.allclose(
        [[1.0, 0.5], [0.0, 1.0]], matrix({"RandomShear": {"x": 0.5}}, [HIGHEST, HIGHEST])[:2, :2]
    )
    assert np.allclose(
        [[1.0, 0.0], [-0.3, 1.0]], matrix({"RandomShear": {"y": 0.3}}, [LOWEST, LOWEST])[:2, :2]
    )


def test_a_zoom_of_a_fifth_shows_things_at_four_to_six_fifths() -> None:
    """
    The range must be the documented one, and the upper end must enlarge rather than shrink.
    """
    zoom = {"RandomZoom": {"height": 0.2, "width": 0.5}}

    assert matrix(zoom, [LOWEST, LOWEST])[1, 1] == pytest.approx(1 / 0.8)
    assert matrix(zoom, [HIGHEST, HIGHEST])[1, 1] == pytest.approx(1 / 1.2)
    assert matrix(zoom, [LOWEST, HIGHEST])[0, 0] == pytest.approx(1 / 1.5)


def test_a_zoom_without_a_width_keeps_the_shape() -> None:
    """
    Round objects must stay round.
    """
    zoom = matrix({"RandomZoom": {"height": 0.4}}, [0.1, 0.9])

    assert zoom[0, 0] == zoom[1, 1] == pytest.approx(1 / 0.68)
