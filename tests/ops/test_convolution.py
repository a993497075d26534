"""The faster convolution equals Keras', except for the last bits of the kernel's gradient."""

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from imgcls.ops.convolution import Conv2D, is_faster

RNG = np.random.default_rng(0)
IMAGES = RNG.normal(size=(2, 17, 9, 64)).astype(np.float32)

FASTER: dict[str, dict[str, Any]] = {
    "plain": {},
    "same": {"padding": "same"},
    "without bias": {"padding": "same", "use_bias": False},
    "an activation": {"activation": "relu", "bias_initializer": "random_uniform"},
    "a penalty": {"kernel_regularizer": keras.regularizers.L2(0.1)},
}
KERAS: dict[str, dict[str, Any]] = {
    "strides": {"strides": 2},
    "a wide kernel": {"kernel_size": 5, "padding": "same"},
    "a flat kernel": {"kernel_size": (1, 3)},
    "holes": {"dilation_rate": 2},
    "groups": {"groups": 2, "filters": 128},
    "few filters": {"filters": 63},
    "few channels": {"images": IMAGES[..., :63]},
    "a small image": {"images": IMAGES[:, :, :7]},
    "bfloat16": {"dtype": "mixed_bfloat16"},
}


def steps(layer: keras.layers.Layer, images: np.ndarray) -> list[np.ndarray]:
    """Returns the outputs, and the gradients of the images and of each weight."""

    @tf.function(autograph=False)  # type: ignore[untyped-decorator]
    def run(images: tf.Tensor) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(images)
            outputs = tf.cast(layer(images), tf.float32)
            loss = tf.reduce_sum(outputs**2) + sum(layer.losses)
        weights = [variable.value for variable in layer.trainable_variables]
        return outputs, *tape.gradient(loss, [images, *weights])

    return [each.numpy() for each in run(tf.constant(images))]


def pair(
    *, images: np.ndarray = IMAGES, **options: Any
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Returns the steps of Keras' layer and of ours, with equal weights."""
    layers = [
        kind(**{"filters": 65, "kernel_size": 3} | options)
        for kind in (keras.layers.Conv2D, Conv2D)
    ]
    layers[1].faster = True
    for layer in layers:
        layer.build(images.shape)
    layers[1].set_weights(layers[0].get_weights())
    return steps(layers[0], images), steps(layers[1], images)


@pytest.mark.parametrize("options", FASTER.values(), ids=FASTER)
def test_only_the_gradient_of_the_kernel_is_computed_in_another_way(options):
    """
    A network's predictions must not depend on how its gradients were computed.
    """
    theirs, ours = pair(**options)

    for index, (expected, found) in enumerate(zip(theirs, ours, strict=True)):
        if index == 2:  # outputs, images, kernel, bias
            np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4 * expected.std())
            assert np.any(found != expected)
        else:
            # TensorFlow may or may not add the bias within the convolution.
            np.testing.assert_allclose(found, expected, rtol=0, atol=2e-6 * expected.std())


@pytest.mark.parametrize("options", KERAS.values(), ids=KERAS)
def test_what_it_is_not_made_for_is_left_to_keras(options):
    """
    Every convolution of a config is this layer, so it must handle all options.
    """
    theirs, ours = pair(**options)

    for expected, found in zip(theirs, ours, strict=True):
        np.testing.assert_array_equal(found, expected)


def test_it_is_used_where_it_was_measured_to_be_faster():
    """
    With AVX-512, oneDNN has a newer algorithm; unknown processors were not measured.
    """
    assert is_faster({"sse2", "avx", "avx2", "fma"})
    assert not is_faster({"sse2", "avx", "avx2", "fma", "avx512f"})
    assert not is_faster({"sse2", "avx"})
    assert not is_faster(set())
