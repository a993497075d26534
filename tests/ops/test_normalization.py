"""The fused batch normalization equals Keras' in everything but speed."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from imgcls.ops.normalization import BatchNormalization

RNG = np.random.default_rng(0)
BATCHES = RNG.normal(3, 2, (5, 4, 6, 5, 3)).astype(
    np.float32
)  # few values, so that n / (n - 1) shows

OPTIONS: list[dict[str, Any]] = [
    {},
    {"scale": False},
    {"center": False},
    {"momentum": 0.5, "epsilon": 0.1, "axis": 3},
    {"gamma_initializer": "random_uniform", "beta_initializer": "random_uniform"},
    {"axis": 1},  # left to Keras
    {"epsilon": 1e-7},  # left to Keras
]


def pair(dtype: str, **options: Any) -> list[keras.layers.Layer]:
    """Returns Keras' layer and ours, built, with equal variables."""
    layers = [
        kind(dtype=dtype, **options)
        for kind in (keras.layers.BatchNormalization, BatchNormalization)
    ]
    for layer in layers:
        layer.build((None, *BATCHES.shape[2:]))
    for theirs, ours in zip(*(layer.variables for layer in layers), strict=True):
        ours.assign(theirs)
    return layers


def stepper(
    layer: keras.layers.Layer, *, training: bool
) -> Callable[[np.ndarray], list[np.ndarray]]:
    """Returns an SGD step that gives outputs, gradients of input and weights, and all variables."""

    @tf.function  # type: ignore[untyped-decorator]
    def run(images: tf.Tensor) -> tuple[tf.Tensor, Any]:
        with tf.GradientTape() as tape:
            tape.watch(images)
            outputs = layer(images, training=training)
            loss = tf.reduce_mean(tf.cast(outputs, tf.float32) ** 3)
        gradients = tape.gradient(loss, [images, *(v.value for v in layer.trainable_variables)])
        for variable, gradient in zip(layer.trainable_variables, gradients[1:], strict=True):
            variable.assign(variable - 0.01 * gradient)
        return outputs, gradients

    def step(images: np.ndarray) -> list[np.ndarray]:
        outputs, gradients = run(tf.constant(images))
        found = [outputs, *gradients, *(variable.value for variable in layer.variables)]
        return [tf.cast(each, tf.float32).numpy() for each in found]

    return step


def assert_close(expected: list[np.ndarray], actual: list[np.ndarray], tolerance: float) -> None:
    for theirs, ours in zip(expected, actual, strict=True):
        scale = max(0.1, float(np.abs(theirs).max()))
        np.testing.assert_allclose(theirs / scale, ours / scale, rtol=0, atol=tolerance)


@pytest.mark.parametrize("options", OPTIONS)
def test_it_equals_keras_step_by_step_in_float32(options: dict[str, Any]) -> None:
    """
    A config's BatchNormalization means Keras'; the fused op's variance is off by n / (n - 1).
    """
    layers = pair("float32", **options)
    for training in (True, False):
        theirs, ours = (stepper(layer, training=training) for layer in layers)
        for batch in BATCHES:
            assert_close(theirs(batch), ours(batch), 5e-5)  # gradients that nearly cancel


def test_it_equals_keras_in_bfloat16() -> None:
    """
    Statistics and weights must stay float32; bfloat16 would round small updates away.
    """
    theirs, ours = pair("mixed_bfloat16")
    images = BATCHES[0].astype("bfloat16")
    keras_step, our_step = (stepper(layer, training=True) for layer in (theirs, ours))
    for _ in range(3):
        assert_close(keras_step(images), our_step(images), 2e-2)
    assert_close(
        [theirs.moving_mean.numpy(), theirs.moving_variance.numpy()],
        [ours.moving_mean.numpy(), ours.moving_variance.numpy()],
        1e-5,
    )
    for theirs_variable, ours_variable in zip(theirs.variables, ours.variables, strict=True):
        ours_variable.assign(theirs_variable)
    expected, actual = theirs(images, training=False), ours(images, training=False)

    assert ours(images).dtype == tf.bfloat16
    np.testing.assert_array_equal(tf.cast(expected, tf.float32), tf.cast(actual, tf.float32))


def test_frozen_it_uses_and_keeps_its_moving_statistics() -> None:
    """
    As in Keras, a frozen layer must not update its statistics either.
    """
    layers = pair("float32")
    for layer in layers:
        layer.trainable = False
    expected, actual = (stepper(layer, training=True)(BATCHES[0]) for layer in layers)

    assert_close(expected, actual, 5e-6)
    np.testing.assert_array_equal(np.zeros(3), layers[1].moving_mean)


def test_its_variables_are_those_of_keras() -> None:
    """
    A checkpoint from one replica must load with several, where Keras' own layer is used.
    """
    keras.backend.clear_session()
    theirs = [(v.path, v.shape, v.dtype, v.trainable) for v in pair("float32")[0].variables]
    keras.backend.clear_session()
    layer = BatchNormalization()
    layer.build((None, *BATCHES.shape[2:]))

    assert theirs == [(v.path, v.shape, v.dtype, v.trainable) for v in layer.variables]


def test_images_go_through_the_fused_op() -> None:
    """
    Speed is the only reason for this layer: it is 2.7 to 4 times as fast as Keras'.
    """
    layer = pair("float32")[1]
    for training in (True, False):
        traced = tf.function(layer).get_concrete_function(
            tf.TensorSpec([None, *BATCHES.shape[2:]]), training=training
        )
        operations = {each.type for each in traced.graph.get_operations()}

        assert "FusedBatchNormV3" in operations


def test_rows_are_left_to_keras() -> None:
    """
    After Flatten there are vectors, not images; the layer must work there, too.
    """
    theirs, ours = keras.layers.BatchNormalization(), BatchNormalization()
    rows = BATCHES[:, 0, 0, 0]

    np.testing.assert_array_equal(theirs(rows, training=True), ours(rows, training=True))
