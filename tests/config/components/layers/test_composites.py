"""Layers made of layers: Residual, Branches and Repeat."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from imgcls.config.components.layers import Layer
from imgcls.config.components.layers.building import Building
from imgcls.errors import ConfigError
from tests.stacks import stacked

IMAGES = np.random.default_rng(0).normal(0, 1, (2, 7, 6, 4)).astype(np.float32)


def convolution(filters: int = 4, **options: Any) -> dict[str, Any]:
    return {"Conv2D": {"filters": filters, "kernel_size": 3, "padding": "same"} | options}


def residual(*layers: object, **options: Any) -> dict[str, Any]:
    return {"Residual": {"layers": list(layers)} | options}


def branches(*each: list[object], **options: Any) -> dict[str, Any]:
    return {"Branches": {"branches": list(each)} | options}


def layer_at(building: Building, key: str) -> Any:
    return next(each.layer for each in building.built if each.key == key)


def test_a_residual_adds_its_input_and_then_activates() -> None:
    """
    The order is that of the paper: with ReLU before the sum, a block could never subtract from its
    input.
    """
    model, building = stacked([residual(convolution(), activation="relu")], IMAGES.shape[1:])
    body = layer_at(building, "layers[0].Residual.layers[0].Conv2D")

    np.testing.assert_allclose(
        np.maximum(IMAGES + np.array(body(IMAGES)), 0), model(IMAGES), rtol=1e-5, atol=1e-6
    )


PROJECTED: list[tuple[list[object], tuple[int, ...], tuple[int, int]]] = [
    ([convolution(8)], (7, 6, 8), (1, 1)),
    ([convolution(4, strides=2)], (4, 3, 4), (2, 2)),
    ([convolution(8, strides=[2, 1]), convolution(5)], (4, 6, 5), (2, 1)),
    ([{"MaxPooling2D": {"pool_size": 3, "padding": "same"}}], (3, 2, 4), (3, 3)),
    ([residual(convolution(8, strides=2))], (4, 3, 8), (2, 2)),
    ([branches([convolution(2, strides=2)], [convolution(3, strides=2)])], (4, 3, 5), (2, 2)),
    ([{"Repeat": {"times": 2, "layers": [convolution(4, strides=2)]}}], (2, 2, 4), (4, 4)),
    (
        ["ZeroPadding2D", {"Conv2D": {"filters": 8, "kernel_size": 3, "strides": 2}}],
        (4, 3, 8),
        (2, 2),
    ),
]


@pytest.mark.parametrize(("layers", "shape", "strides"), PROJECTED)
def test_where_shapes_differ_the_input_is_projected_with_the_strides_of_the_layers(
    layers: list[object], shape: tuple[int, ...], strides: tuple[int, int]
) -> None:
    """
    A projection with other strides would add pixels that do not belong together.
    """
    model, building = stacked([residual(*layers)], IMAGES.shape[1:])
    projection = layer_at(building, "layers[0].Residual.shortcut")
    body = keras.Model(model.layers[0].input, [model.layers[0].output, projection.output])

    assert (None, *shape) == model.output_shape
    assert strides == projection.strides
    assert (1, 1) == projection.kernel_size
    assert not projection.use_bias
    total, projected = body(IMAGES)
    np.testing.assert_allclose(projection(IMAGES), projected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(total, model(IMAGES), rtol=1e-5, atol=1e-6)


def test_vectors_are_projected_by_a_dense_layer() -> None:
    """
    Residual blocks of Dense layers, as after Flatten, need a projection too.
    """
    rows = IMAGES[:, 0, 0]
    model, building = stacked([residual({"Dense": {"units": 5}})], (4,))
    projection = layer_at(building, "layers[0].Residual.shortcut")
    dense = layer_at(building, "layers[0].Residual.layers[0].Dense")

    expected = np.array(dense(rows)) + rows @ projection.kernel.numpy()
    np.testing.assert_allclose(expected, model(rows), rtol=1e-5, atol=1e-6)


def test_a_shortcut_that_is_written_replaces_the_projection() -> None:
    """
    Users need this for ResNets that normalize their projections.
    """
    shortcut = [{"Conv2D": {"filters": 8, "kernel_size": 1}}, "BatchNormalization"]
    _, building = stacked([residual(convolution(8), shortcut=shortcut)], IMAGES.shape[1:])

    assert [
        "layers[0].Residual",
        "layers[0].Residual.layers[0].Conv2D",
        "layers[0].Residual.shortcut[0].Conv2D",
        "layers[0].Residual.shortcut[1].BatchNormalization",
    ] == [each.key for each in building.built]


MISFITS: list[tuple[dict[str, Any], str, str]] = [
    (residual("Flatten"), "layers[0].Residual", "no projection is known"),
    (
        residual({"GlobalAveragePooling2D": {"keepdims": True}}, convolution(8)),
        "layers[0].Residual",
        "no projection is known",
    ),
    (residual("UpSampling2D"), "layers[0].Residual", "no projection is known"),
    # Two valid convolutions on 7x6 give 3x2: about half the size, but no stride has this grid.
    (
        residual(*[{"Conv2D": {"filters": 4, "kernel_size": 3}}] * 2),
        "layers[0].Residual",
        "a 1x1 convolution with their strides gives [7, 6, 4]",
    ),
    (residual(convolution(8), shortcut=[]), "layers[0].Residual", "must have the same shape"),
    (
        residual(convolution(), shortcut=[convolution(3)]),
        "layers[0].Residual",
        "must have the same shape",
    ),
    (
        residual({"MaxPooling2D": {}}, {"Conv2D": {"filters": 1, "kernel_size": 9}}),
        "layers[0].Residual.layers[1].Conv2D",
        "its input is 3x3, smaller than its 9x9 kernel",
    ),
    (
        residual(
            "ReLU", {"Repeat": {"times": 1, "layers": [residual("Flatten", {"MaxPooling2D": {}})]}}
        ),
        "layers[0].Residual.layers[1].Repeat.layers[0].Residual.layers[1].MaxPooling2D",
        "needs [height, width, channel]",
    ),
    (branches([], ["Flatten"]), "layers[0].Branches", "cannot concatenate [7, 6, 4] and [168]"),
    (
        branches([], [convolution(4, strides=2)]),
        "layers[0].Branches",
        "heights and widths must be equal",
    ),
    (
        branches([], [convolution(8)], merge="add"),
        "layers[0].Branches",
        "their shapes must be equal",
    ),
    (branches([], [convolution(1)], merge="multiply"), "layers[0].Branches", "cannot multiply"),
    (branches([], ["GlobalAveragePooling2D"], merge="multiply"), "layers[0].Branches", "keepdims"),
    (
        branches([], [{"GlobalAveragePooling2D": {"keepdims": True}}], merge="add"),
        "layers[0].Branches",
        "cannot add",
    ),
    (
        branches(["Flatten", convolution()], []),
        "layers[0].Branches.branches[0][1].Conv2D",
        "needs [height",
    ),
]


@pytest.mark.parametrize(("layer", "key", "message"), MISFITS)
def test_what_does_not_fit_is_an_error_with_its_place(
    layer: dict[str, Any], key: str, message: str
) -> None:
    """
    Keras' merge layers would silently broadcast some of these.
    """
    with pytest.raises(ConfigError) as raised:
        stacked([layer], IMAGES.shape[1:])
    (mistake,) = raised.value.mistakes

    assert key == mistake.key
    assert message in mistake.message


MERGES: dict[str, Callable[..., Any]] = {
    "concatenate": lambda one, other: np.concatenate([one, other], axis=-1),
    "add": np.add,
    "multiply": np.multiply,
    "average": lambda one, other: (one + other) / 2,
    "maximum": np.maximum,
}


@pytest.mark.parametrize("merge", MERGES)
def test_branches_merge_the_outputs_of_their_layers(merge: str) -> None:
    """
    An empty branch is the input itself, as in DenseNet.
    """
    model, building = stacked([branches([], [convolution()], merge=merge)], IMAGES.shape[1:])
    body = layer_at(building, "layers[0].Branches.branches[1][0].Conv2D")

    expected = MERGES[merge](IMAGES, np.array(body(IMAGES)))
    np.testing.assert_allclose(expected, model(IMAGES), rtol=1e-5, atol=1e-6)


def test_an_image_may_be_multiplied_by_one_number_per_channel() -> None:
    """
    Squeeze-and-excitation networks rely on it.
    """
    squeeze = [
        {"GlobalAveragePooling2D": {"keepdims": True}},
        {"Conv2D": {"filters": 4, "kernel_size": 1, "activation": "sigmoid"}},
    ]
    model, building = stacked([branches([], squeeze, merge="multiply")], IMAGES.shape[1:])
    excite = layer_at(building, "layers[0].Branches.branches[1][1].Conv2D")

    expected = IMAGES * np.array(excite(IMAGES.mean(axis=(1, 2), keepdims=True)))
    np.testing.assert_allclose(expected, model(IMAGES), rtol=1e-5, atol=1e-6)


def test_a_repeat_has_weights_of_its_own_each_time() -> None:
    """
    With shared or equal initial weights, a deep network could do no more than a shallow one.
    """
    repeat = {"Repeat": {"times": 3, "layers": [convolution()]}}
    _, building = stacked([repeat], IMAGES.shape[1:])
    kernels = [each.layer.kernel.numpy() for each in building.built]

    assert [f"layers[0].Repeat[{at}].layers[0].Conv2D" for at in range(3)] == [
        each.key for each in building.built
    ]
    assert not any(np.array_equal(kernels[0], kernel) for kernel in kernels[1:])


def test_repeats_inside_a_residual_are_written_out() -> None:
    """
    Residual blocks usually consist of several equal layers.
    """
    layer = residual({"Repeat": {"times": 3, "layers": [convolution(), "ReLU"]}})
    _, building = stacked([layer], IMAGES.shape[1:])

    assert ["Functional", *["Conv2D", "ReLU"] * 3] == [
        type(each.layer).__name__ for each in building.built
    ]
    assert 7 == Layer.read(layer).count == len(building.built)
    assert [6, 0, 0, 0, 0, 0, 0] == [each.inner for each in building.built]
    assert [0, 1, 1, 1, 1, 1, 1] == [each.depth for each in building.built]


def test_what_is_inside_knows_training_from_evaluation() -> None:
    """
    Dropout that stayed active during evaluation would cost accuracy, and users could not see why.
    """
    model, _ = stacked([residual({"Dropout": {"rate": 0.5}})], IMAGES.shape[1:])

    np.testing.assert_array_equal(2 * IMAGES, model(IMAGES, training=False))
    assert not np.array_equal(2 * IMAGES, model(IMAGES, training=True))


def test_it_adds_in_the_precision_of_the_network() -> None:
    """
    A float32 layer inside, such as a bicubic UpSampling2D, must not break the sum.
    """
    up = {"UpSampling2D": {"size": 1, "interpolation": "bicubic"}}
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model, building = stacked(
            [residual(convolution(8), up, shortcut=[convolution(8)])], IMAGES.shape[1:]
        )
    finally:
        keras.config.set_dtype_policy("float32")

    assert tf.bfloat16 == model(IMAGES).dtype
    assert {"float32"} == {variable.dtype for variable in model.variables}
    assert "bfloat16" == layer_at(building, "layers[0].Residual.shortcut[0].Conv2D").compute_dtype
    assert "bfloat16" == model.layers[0].inputs[0].dtype


def test_every_weight_inside_learns() -> None:
    """
    The projection must be trained like the rest.
    """
    model, _ = stacked([residual(convolution(8), convolution(8))], IMAGES.shape[1:])
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(model(IMAGES, training=True) ** 2)
    gradients = tape.gradient(loss, [v.value for v in model.trainable_variables])

    assert 5 == len(gradients)
    assert all(float(tf.reduce_max(tf.abs(gradient))) > 0 for gradient in gradients)


def test_another_layer_changes_no_other_layers_start() -> None:
    """
    Two networks can be compared only if the layers they share start from the same weights.
    """
    plain, _ = stacked([convolution(), convolution()], IMAGES.shape[1:], seed=3)
    other, _ = stacked([convolution(), residual(convolution())], IMAGES.shape[1:], seed=3)
    named, _ = stacked([convolution(name="stem"), convolution()], IMAGES.shape[1:], seed=3)

    np.testing.assert_array_equal(plain.layers[0].kernel, other.layers[0].kernel)
    np.testing.assert_array_equal(plain.layers[1].kernel, named.layers[1].kernel)
    assert not np.array_equal(plain.layers[0].kernel, plain.layers[1].kernel)


def test_a_layer_inside_a_named_one_is_called_after_it() -> None:
    """
    A named block must keep its weights wherever it is moved.
    """
    layer = residual(convolution(name="inner"), "ReLU", name="block")
    _, building = stacked([layer], IMAGES.shape[1:])

    assert ["block", "inner", "block.layers[1].ReLU"] == [each.key for each in building.built]
    assert ["layers[0].Residual.layers[1].ReLU"] == [each.place for each in building.built[2:]]


def test_what_is_inside_a_frozen_layer_is_frozen() -> None:
    """
    Users write `trainable: false` once for a whole block.
    """
    repeat = {"Repeat": {"times": 1, "trainable": False, "layers": [convolution()]}}
    _, building = stacked(
        [residual(convolution(), trainable=False), repeat, convolution()], IMAGES.shape[1:]
    )

    assert [True, True, True, False] == [each.frozen for each in building.built]
