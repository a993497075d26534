"""Warps compared with arrays moved by NumPy: exact where pixels only change places."""

from typing import Literal

import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray

from imgcls.ops import warp

Images = NDArray[np.float32]

_PADDING: dict[str, Literal["edge", "symmetric", "wrap", "constant"]] = {
    "nearest": "edge",
    "reflect": "symmetric",
    "wrap": "wrap",
    "constant": "constant",
}


def images(height: int = 6, width: int = 9, channels: int = 3, batch: int = 2) -> Images:
    rng = np.random.default_rng(0)
    return rng.random((batch, height, width, channels), dtype=np.float32)


def each(value: float) -> tf.Tensor:
    return tf.fill([2], np.float32(value))


def shifted(array: Images, down: int, right: int, fill_mode: str) -> Images:
    """Returns the array shifted by (down, right) pixels and padded by NumPy."""
    height, width = array.shape[1:3]
    margin = max(abs(down), abs(right))
    sides = [(0, 0), (margin, margin), (margin, margin), (0, 0)]
    padded: Images = np.pad(array, sides, _PADDING[fill_mode])
    top, left = margin - down, margin - right
    return padded[:, top : top + height, left : left + width]


@pytest.mark.parametrize("fill_mode", _PADDING)
def test_an_identity_gives_the_images_back_bit_for_bit(fill_mode: str) -> None:
    """
    A strength of zero, or an image that is not augmented, must not be blurred by resampling.
    """
    array = images()

    assert np.array_equal(array, warp.warp(array, tf.eye(3, batch_shape=[2]), fill_mode))


@pytest.mark.parametrize("fill_mode", _PADDING)
@pytest.mark.parametrize(("down", "right"), [(0, 2), (3, -1), (-2, 0), (-1, 4)])
def test_whole_pixels_shift_as_numpy_pads(fill_mode: str, down: int, right: int) -> None:
    """
    The fill modes are documented in words; this test defines which pixels they mean.
    """
    array = images()
    matrices = warp.translation(x=each(right), y=each(down))

    assert np.array_equal(
        shifted(array, down, right, fill_mode), warp.warp(array, matrices, fill_mode)
    )


def test_the_fill_value_is_what_lies_outside() -> None:
    """
    Users set the color of a border, such as gray, by its value.
    """
    moved = warp.warp(images(), warp.translation(x=each(9), y=each(0)), "constant", 0.25)

    assert np.array_equal(np.full((2, 6, 9, 3), 0.25, np.float32), moved)


def test_half_a_pixel_is_the_mean_of_two() -> None:
    """
    Bilinear interpolation must weight neighboring pixels by the fraction of the shift.
    """
    array = images()
    moved = warp.warp(array, warp.translation(x=each(-0.5), y=each(0)))

    assert np.allclose((array[:, :, :-1] + array[:, :, 1:]) / 2, moved[:, :, :-1])


@pytest.mark.parametrize("quarters", [1, 2, 3, -1])
@pytest.mark.parametrize("size", [6, 7])
def test_quarter_turns_equal_numpy(quarters: int, size: int) -> None:
    """
    In an image of even size the center is between pixels; being off by half a pixel would show.
    """
    array = images(size, size)
    turned = warp.warp(array, warp.rotation(each(quarters * np.pi / 2), size, size))

    assert np.allclose(np.rot90(array, quarters, axes=(1, 2)), turned, atol=1e-5)


def test_a_half_turn_of_an_oblong_image_equals_numpy() -> None:
    """
    Height and width must not be mixed up.
    """
    array = images(4, 9)
    turned = warp.warp(array, warp.rotation(each(np.pi), 4, 9))

    assert np.allclose(array[:, ::-1, ::-1], turned, atol=1e-5)


@pytest.mark.parametrize(("x", "y"), [(-1, 1), (1, -1), (-1, -1)])
def test_mirroring_is_exact(x: int, y: int) -> None:
    """
    A flip must not change any value, whatever else the warp does.
    """
    array = images()
    mirrored = warp.warp(array, warp.zoom(each(x), each(y), 6, 9))

    assert np.array_equal(array[:, ::y, ::x], mirrored)


def test_a_zoom_magnifies_about_the_centre() -> None:
    """
    A factor above 1 must magnify, and the center must stay in place.
    """
    array = np.zeros((2, 7, 9, 1), np.float32)
    array[:, 3, 4] = 1  # the center
    array[:, 3, 6] = 0.5  # two to the right of it
    zoomed = warp.warp(array, warp.zoom(x=each(2), y=each(1), height=7, width=9)).numpy()

    assert np.array_equal([0, 0, 0, 0.5, 1, 0.5, 0, 0.25, 0.5], zoomed[0, 3, :, 0])
    assert np.count_nonzero(zoomed[0, 2]) == 0  # the height is as it was


def test_a_shear_moves_rows_by_their_distance_from_the_centre() -> None:
    """
    A tangent of 1 must shift each row by one more pixel sideways, and never up or down.
    """
    array = images(5, 9)
    sheared = warp.warp(array, warp.shear(x=each(1), y=each(0), height=5, width=9))

    for row in range(5):
        expected = shifted(array, 0, 2 - row, "nearest")[:, row]
        assert np.array_equal(expected, sheared[:, row])


def test_a_shear_moves_columns_by_their_distance_from_the_centre() -> None:
    """
    The other axis must work the same way.
    """
    array = images(9, 5)
    sheared = warp.warp(array, warp.shear(x=each(0), y=each(1), height=9, width=5))

    for column in range(5):
        expected = shifted(array, 2 - column, 0, "nearest")[:, :, column]
        assert np.array_equal(expected, sheared[:, :, column])


def test_each_image_has_its_own_matrix() -> None:
    """
    Some libraries draw one movement for a whole batch.
    """
    array = images()
    moved = warp.warp(array, warp.translation(x=tf.constant([0.0, 2.0]), y=each(0)))

    assert np.array_equal(array[0], moved[0])
    assert np.array_equal(shifted(array, 0, 2, "nearest")[1], moved[1])


def test_values_stay_in_range() -> None:
    """
    Interpolation weights that sum to more than 1 would give values above white.
    """
    angles = tf.linspace(0.0, 3.0, 200)
    white = warp.warp(np.ones((200, 16, 16, 3), np.float32), warp.rotation(angles, 16, 16))

    assert white.numpy().max() == 1
    assert white.numpy().min() > 1 - 1e-6


def test_a_pipeline_keeps_the_shape_that_is_known() -> None:
    """
    The network is built for a height, width and channels; only the batch size may be unknown.
    """
    batches = tf.data.Dataset.from_tensor_slices(images(batch=5)).batch(2)
    moved = batches.map(
        lambda x: warp.warp(x, warp.rotation(tf.zeros(tf.shape(x)[:1]), x.shape[1], x.shape[2]))
    )

    assert moved.element_spec.shape.as_list() == [None, 6, 9, 3]
    assert np.array_equal(images(batch=5), np.concatenate(list(moved)))
