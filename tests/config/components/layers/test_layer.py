"""Conformance of every layer; the table is the registry itself."""

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from imgcls.config.components.layers import Layer
from imgcls.config.components.layers.layer import flatten, without_softmax
from imgcls.config.language.documentation import field_docs
from tests.stacks import SPEC, stacked

REQUIRED: dict[str, dict[str, Any]] = {
    "Activation": {"activation": "tanh"},
    "AveragePooling2D": {"pool_size": 2},
    "Branches": {"branches": [[], [{"Conv2D": {"filters": 4, "kernel_size": 1}}]]},
    "Conv2D": {"filters": 4, "kernel_size": 3},
    "Dense": {"units": "classes"},
    "DepthwiseConv2D": {"kernel_size": 3},
    "Dropout": {"rate": 0.5},
    "GaussianNoise": {"stddev": 0.1},
    "Repeat": {"layers": [{"Conv2D": {"filters": 4, "kernel_size": 3}}, "PReLU"], "times": 2},
    "Rescaling": {"scale": 2},
    "Residual": {"layers": [{"Conv2D": {"filters": 4, "kernel_size": 3, "padding": "same"}}]},
    "SeparableConv2D": {"filters": 4, "kernel_size": 3},
    "SpatialDropout2D": {"rate": 0.5},
}
"""The required fields of each layer; layers that are not listed have none."""

SHAPE = (8, 8, 32)  # 32 channels, as GroupNormalization has 32 groups by default
MOMENTS = SPEC.model_copy(update={"mean": (0.5,) * 32, "variance": (0.1,) * 32})
IMAGES = np.random.default_rng(0).random((3, *SHAPE), dtype=np.float32)

every = pytest.mark.parametrize("name", Layer.named())


@pytest.fixture(params=["bfloat16", "float16"])
def half(request: pytest.FixtureRequest) -> Iterator[None]:
    keras.config.set_dtype_policy(f"mixed_{request.param}")
    yield
    keras.config.set_dtype_policy("float32")


def read(name: str) -> Layer:
    return Layer.read({name: REQUIRED.get(name, {})})


def network(name: str) -> keras.Sequential:
    model, _ = stacked([{name: REQUIRED.get(name, {})}], SHAPE, MOMENTS)
    return model


def filled(model: keras.Sequential) -> keras.Sequential:
    """Sets each weight to different numbers, so that a test notices if one is forgotten."""
    rng = np.random.default_rng(1)
    for variable in model.variables:
        if variable.dtype == "float32":
            variable.assign(rng.uniform(0.1, 1, variable.shape))
    return model


@every
def test_the_table_of_required_fields_is_complete(name: str) -> None:
    """
    Fields listed here without need would leave the layer's defaults untested.
    """
    required = {
        key for key, field in Layer.named()[name].model_fields.items() if field.is_required()
    }

    assert required == set(REQUIRED.get(name, {}))


@every
def test_it_takes_batches_of_any_size(name: str) -> None:
    """
    The last batch of an epoch may be smaller than the others.
    """
    model = network(name)

    assert model.output_shape[0] is None
    assert all(size is not None for size in model.output_shape[1:])
    assert (3, *model.output_shape[1:]) == tuple(model(IMAGES).shape)
    assert (1, *model.output_shape[1:]) == tuple(model(IMAGES[:1]).shape)


@every
def test_its_variables_in_order_are_all_its_state(name: str) -> None:
    """
    A checkpoint contains the variables and nothing else.
    """
    saved, restored = filled(network(name)), network(name)
    for variable, value in zip(restored.variables, saved.variables, strict=True):
        variable.assign(value)

    np.testing.assert_array_equal(saved(IMAGES), restored(IMAGES))


@every
def test_it_learns_in_half_the_bits(name: str, half: None) -> None:  # noqa: ARG001
    """
    The precision depends on the machine, so every layer must train in each of them.
    """
    model = network(name)
    with tf.GradientTape() as tape:
        tape.watch(images := tf.constant(IMAGES))
        loss = tf.reduce_sum(tf.cast(model(images, training=True), tf.float32) ** 2)
    gradients = tape.gradient(loss, [images, *model.trainable_variables])

    assert all(np.isfinite(gradient).all() for gradient in gradients)
    assert all(variable.dtype in {"float32", "int64"} for variable in model.variables)


@every
def test_what_is_dumped_reads_back_equal(name: str) -> None:
    """
    A run saves its resolved config, and every later command reads it.
    """
    layer = read(name)

    assert layer == Layer.read(layer.model_dump())
    assert layer == Layer.read(layer.model_dump(mode="json"))


@every
def test_it_is_documented(name: str) -> None:
    """
    The reference page and editors show these texts, and users have no others.
    """
    component = Layer.named()[name]

    assert component.__doc__
    assert list(component.model_fields) == list(field_docs(component))


def test_keras_aliases_name_the_same_layers() -> None:
    """
    Users copy models from tutorials line by line.
    """
    for name, component in Layer.named().items():
        for alias in component._aliases:
            assert getattr(keras.layers, alias) is getattr(keras.layers, name)
    assert (
        Layer.lookup("MaxPool2D") is Layer.lookup("max_pooling2d") is Layer.lookup("maxpooling2d")
    )


LAST = [
    ({"Dense": {"units": 3, "activation": "softmax"}}, {"Dense": {"units": 3}}),
    ({"Activation": {"activation": "softmax"}}, None),
    ("Softmax", None),
    ({"Softmax": {"axis": 1}}, None),
    (
        {"Residual": {"layers": ["ReLU"], "activation": "softmax"}},
        {"Residual": {"layers": ["ReLU"]}},
    ),
    ({"Dense": {"units": 3}}, {"Dense": {"units": 3}}),
    ({"Activation": {"activation": "relu"}}, {"Activation": {"activation": "relu"}}),
    ({"Softmax": {"axis": [1, 2]}}, {"Softmax": {"axis": [1, 2]}}),
    ("Flatten", "Flatten"),
]


@pytest.mark.parametrize(("written", "left"), LAST)
def test_a_final_softmax_comes_off(written: object, left: object) -> None:
    """
    The network trains on logits; a softmax left in place would be applied twice.
    """
    expected = None if left is None else Layer.read(left)

    assert expected == without_softmax(Layer.read(written))


def test_a_repeat_is_written_out_and_each_layer_keeps_its_key() -> None:
    """
    Messages about a layer must name its place in the user's config.
    """
    inner = {"Repeat": {"times": 2, "layers": ["ReLU"]}}
    layers = ["Flatten", {"Repeat": {"times": 2, "layers": ["ELU", inner]}}]
    expected = ["[0].Flatten"]
    for at in range(2):
        inside = f"[1].Repeat[{at}].layers[1].Repeat"
        expected.append(f"[1].Repeat[{at}].layers[0].ELU")
        expected += [f"{inside}[{inner}].layers[0].ReLU" for inner in range(2)]
    found = flatten([Layer.read(layer) for layer in layers])

    assert expected == [key for key, _ in found]
    assert [key.rsplit(".", 1)[-1].split("]")[-1] for key in expected] == [
        layer.identifier() for _, layer in found
    ]
    assert len(found) == sum(Layer.read(layer).count for layer in layers)
