"""The residual connection: the sum, the projection, its variables, its errors."""

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from imgcls.ops.residual import BodyError, Residual

IMAGES = np.random.default_rng(0).normal(0, 1, (2, 7, 6, 4)).astype(np.float32)


def convolution(filters: int, **options: Any) -> keras.Layer:
    return keras.layers.Conv2D(filters, 3, **{"padding": "same"} | options)


def residual(*layers: keras.Layer, activation: str = "linear") -> Residual:
    return Residual(layers, keras.activations.get(activation))


def test_it_adds_input_and_output_and_then_activates() -> None:
    """
    The order is that of the paper: an activation before the sum could not subtract.
    """
    body = convolution(4)
    layer = residual(body, activation="relu")
    outputs = layer(IMAGES)

    assert layer.projection is None
    np.testing.assert_allclose(
        np.maximum(IMAGES + np.array(body(IMAGES)), 0), outputs, rtol=1e-5, atol=1e-6
    )


PROJECTED: list[tuple[list[keras.Layer], tuple[int, ...], tuple[int, ...]]] = [
    ([convolution(8)], (7, 6, 8), (1, 1)),
    ([convolution(4, strides=2)], (4, 3, 4), (2, 2)),
    ([convolution(8, strides=(2, 1)), convolution(5)], (4, 6, 5), (2, 1)),
    ([keras.layers.MaxPooling2D(3)], (2, 2, 4), (4, 3)),
]


@pytest.mark.parametrize(("layers", "shape", "strides"), PROJECTED)
def test_where_shapes_differ_the_input_is_projected(
    layers: list[keras.Layer], shape: tuple[int, ...], strides: tuple[int, ...]
) -> None:
    """
    A block that halves the image or adds channels is as common as one that keeps both.
    """
    layer = residual(*layers)
    model = keras.Sequential([keras.Input(IMAGES.shape[1:]), layer])
    assert layer.projection is not None
    expected = np.array(layer.projection(IMAGES)) + np.array(layer.body(IMAGES))

    assert (None, *shape) == model.output_shape
    assert (2, *shape) == tuple(model(IMAGES).shape)
    assert strides == layer.projection.strides
    assert not layer.projection.use_bias
    np.testing.assert_allclose(expected, model(IMAGES), rtol=1e-5, atol=1e-6)


def test_rows_are_projected_by_a_dense_layer() -> None:
    """
    Residual blocks of Dense layers stand behind Flatten.
    """
    layer = residual(keras.layers.Dense(5))
    rows = IMAGES[:, 0, 0]
    outputs = layer(rows)
    assert isinstance(layer.projection, keras.layers.Dense)
    expected = np.array(layer.body(rows)) + rows @ layer.projection.kernel.numpy()

    np.testing.assert_allclose(expected, outputs, rtol=1e-5, atol=1e-6)


MISFITS: list[tuple[keras.Layer, str]] = [
    (
        keras.layers.Flatten(),
        "7x6x4 into 168, which cannot be added; move Flatten or the pooling behind it",
    ),
    (
        keras.layers.Conv2D(4, 3),
        "7x6x4 into 5x4x4, which no stride of a 1x1 convolution does; use padding: same inside",
    ),
    (
        keras.layers.UpSampling2D(),
        "7x6x4 into 14x12x4, which no stride of a 1x1 convolution does; use padding: same inside",
    ),
]


@pytest.mark.parametrize(("layer", "message"), MISFITS)
def test_shapes_that_cannot_be_added_are_refused(layer: keras.Layer, message: str) -> None:
    """
    The user reads this, not Keras' words about a sum that the config never wrote.
    """
    with pytest.raises(ValueError, match=r"^its layers turn ") as raised:
        residual(layer).build((None, *IMAGES.shape[1:]))

    assert f"its layers turn {message}" == str(raised.value)


def test_a_layer_inside_that_does_not_fit_is_told_by_its_number_and_input() -> None:
    """
    The message about it names its line in the config.
    """
    layer = residual(convolution(8, strides=2), keras.layers.Conv2D(4, 9), convolution(4))
    with pytest.raises(BodyError) as raised:
        layer.build((None, *IMAGES.shape[1:]))

    assert raised.value.index == 1
    assert raised.value.shape == (None, 4, 3, 8)
    assert str(raised.value.error) == str(raised.value)


def test_its_variables_are_the_models_in_one_order() -> None:
    """
    A checkpoint holds variables by their order; random generators are among them.
    """

    def model() -> keras.Sequential:
        inner = residual(
            keras.layers.Dropout(0.5), convolution(8), keras.layers.BatchNormalization()
        )
        outer = residual(inner, keras.layers.Dropout(0.5), convolution(8, strides=2))
        return keras.Sequential([keras.Input(IMAGES.shape[1:]), outer, keras.layers.Flatten()])

    first, second = model(), model()
    shapes = [(v.name, v.shape, v.dtype) for v in first.variables]
    for variable, value in zip(second.variables, first.variables, strict=True):
        variable.assign(value)

    assert shapes == [(v.name, v.shape, v.dtype) for v in second.variables]
    assert ["seed_generator_state"] * 2 == [name for name, *_ in shapes if "seed" in name]
    assert len(shapes) == 2 + 4 + 1 + 2 + 1 + 2  # convolution, normalisation, projection; twice
    np.testing.assert_array_equal(first(IMAGES, training=True), second(IMAGES, training=True))


def test_what_is_inside_knows_training_from_evaluation() -> None:
    """
    Dropout that went on in evaluation would cost accuracy, and nobody would see why.
    """
    model = keras.Sequential([keras.Input(IMAGES.shape[1:]), residual(keras.layers.Dropout(0.5))])

    np.testing.assert_array_equal(2 * IMAGES, model(IMAGES, training=False))
    assert not np.array_equal(2 * IMAGES, model(IMAGES, training=True))


def test_it_adds_in_the_precision_of_the_network() -> None:
    """
    A float32 layer inside, such as Normalization, must not break the sum.
    """
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        body = [convolution(8), keras.layers.Rescaling(2.0, dtype="float32")]
        model = keras.Sequential([keras.Input(IMAGES.shape[1:]), residual(*body)])
    finally:
        keras.config.set_dtype_policy("float32")

    assert model(IMAGES).dtype == tf.bfloat16
    assert {variable.dtype for variable in model.variables} == {"float32"}
    assert model.layers[0].projection.compute_dtype == "bfloat16"


def test_every_weight_inside_learns() -> None:
    """
    The projection is made late, and must be trained like the rest.
    """
    layer = residual(convolution(8), convolution(8))
    model = keras.Sequential([keras.Input(IMAGES.shape[1:]), layer])
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(model(IMAGES, training=True) ** 2)
    gradients = tape.gradient(loss, [v.value for v in model.trainable_variables])

    assert len(gradients) == 5
    assert all(float(tf.reduce_max(tf.abs(gradient))) > 0 for gradient in gradients)
