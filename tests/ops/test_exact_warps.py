"""Whole-pixel moves: the same pixels as a warp, but faster."""

import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray

from imgcls.ops import exact_warps, warp


def _images(batch: int) -> NDArray[np.float32]:
    return np.random.default_rng(0).random((batch, 6, 9, 3), dtype=np.float32)


@pytest.mark.parametrize("fill_mode", ["nearest", "reflect", "wrap", "constant"])
def test_a_move_equals_the_warp_bit_for_bit(fill_mode: str) -> None:
    """
    Which of the two is used depends on the other augmentations; the pixels must not.
    """
    x, y = tf.meshgrid(tf.range(-4.0, 5.0), tf.range(-4.0, 5.0))
    x, y = tf.reshape(x, [-1]), tf.reshape(y, [-1])
    images = _images(81)
    sign = tf.where(x * y > 3, -1.0, 1.0)
    matrices = tf.matmul(warp.zoom(sign, -sign, 6, 9), warp.translation(x, y))
    expected = warp.warp(images, matrices, fill_mode, 0.25)

    assert np.array_equal(expected, exact_warps.exact_warp(images, matrices, fill_mode, 0.25))


def test_wrapping_goes_round_as_often_as_it_must() -> None:
    """
    TensorFlow's warp reads wrong pixels beyond a distance of one image.
    """
    images = _images(1)
    matrices = warp.translation(x=tf.constant([-31.0]), y=tf.constant([20.0]))

    assert np.array_equal(
        np.roll(images, (20, -31), axis=(1, 2)), exact_warps.exact_warp(images, matrices, "wrap")
    )


def test_a_pipeline_keeps_the_shape_that_is_known() -> None:
    """
    The network is built for a height, width and channels; only the batch size may be unknown.
    """
    batches = tf.data.Dataset.from_tensor_slices(_images(5)).batch(2)
    moved = batches.map(lambda x: exact_warps.exact_warp(x, tf.eye(3, batch_shape=tf.shape(x)[:1])))

    assert moved.element_spec.shape.as_list() == [None, 6, 9, 3]
    assert np.array_equal(_images(5), np.concatenate(list(moved)))
