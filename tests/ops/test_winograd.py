"""The kernel gradient computed by tiles equals the direct one."""

from typing import Literal

import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray

from imgcls.ops.winograd import kernel_gradient

RNG = np.random.default_rng(0)
SIZES = [(1, 2), (3, 3), (4, 4), (5, 8), (7, 7), (9, 6), (13, 1), (16, 10)]
Padding = Literal["same", "valid"]


def some(shape: tuple[int, ...], padding: Padding, filters: int) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns images, and output gradients of a 3x3 convolution on them; float32."""
    batch, height, width, _ = shape
    cut = 2 if padding == "valid" else 0
    return tuple(
        tf.constant(RNG.normal(size=each), tf.float32)
        for each in (shape, (batch, height - cut, width - cut, filters))
    )


def plain(images: tf.Tensor, gradients: tf.Tensor, padding: Padding) -> NDArray[np.float64]:
    """Returns TensorFlow's own gradient, in float64."""
    found: NDArray[np.float64] = tf.raw_ops.Conv2DBackpropFilter(
        input=tf.cast(images, tf.float64),
        filter_sizes=[3, 3, images.shape[3], gradients.shape[3]],
        out_backprop=tf.cast(gradients, tf.float64),
        strides=[1, 1, 1, 1],
        padding=padding.upper(),
    ).numpy()
    return found


@pytest.mark.parametrize(
    ("size", "padding"),
    [(size, "same") for size in SIZES] + [(size, "valid") for size in SIZES if min(size) > 2],
)
def test_images_of_any_size_give_the_gradient_of_the_convolution(size, padding):
    """
    The last tiles extend beyond the image, and a small image is all edge.
    """
    images, gradients = some((5, *size, 6), padding, 7)

    found = kernel_gradient(images, gradients, padding).numpy()

    expected = plain(images, gradients, padding)
    np.testing.assert_allclose(found, expected, rtol=0, atol=2e-5 * expected.std())


def test_many_images_are_taken_in_parts_and_none_is_forgotten():
    """
    A batch's transformed tiles are several times its size, so it must be processed in parts.
    """
    images, gradients = some((450, 12, 12, 64), "same", 64)  # about 200 at a time

    found = kernel_gradient(images, gradients, "same").numpy()

    expected = plain(images, gradients, "same")
    np.testing.assert_allclose(found, expected, rtol=0, atol=5e-5 * expected.std())


@pytest.mark.parametrize("compiled", [False, True])
def test_a_traced_step_takes_batches_of_any_size(compiled):
    """
    The last batch of an epoch is smaller, and `training.xla` compiles the step.
    """
    run = tf.function(
        lambda images, gradients: kernel_gradient(images, gradients, "same"),
        input_signature=[tf.TensorSpec([None, 6, 6, 4]), tf.TensorSpec([None, 6, 6, 3])],
        jit_compile=compiled,
        autograph=False,
    )
    for batch in (4, 1):
        images, gradients = some((batch, 6, 6, 4), "same", 3)

        found = run(images, gradients).numpy()

        np.testing.assert_allclose(found, plain(images, gradients, "same"), rtol=0, atol=1e-4)
