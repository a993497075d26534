"""The layer table: every layer with its depth, and figures that agree with other counters."""

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from imgcls.config.components.layers import Layer
from imgcls.network.layer_table import LayerRow, rows
from imgcls.network.network import Network, build, shapes_only
from tests.specs import spec_of

SPEC = spec_of(("a", "b", "c"), (9, 11), 3)
PRODUCTS = {"MatMul", "Conv2D", "DepthwiseConv2dNative"}


def convolution(filters: int, **options: Any) -> dict[str, Any]:
    return {"Conv2D": {"filters": filters, "kernel_size": 3, "padding": "same"} | options}


LAYERS: list[Any] = [
    convolution(8),
    convolution(12, groups=4, use_bias=False),
    convolution(8, strides=2, padding="valid"),
    "BatchNormalization",
    {"Residual": {"layers": [convolution(16, strides=2), "ReLU", convolution(6)]}},
    {
        "SeparableConv2D": {
            "filters": 10,
            "kernel_size": 3,
            "depth_multiplier": 2,
            "padding": "same",
        }
    },
    {"DepthwiseConv2D": {"kernel_size": [2, 3], "depth_multiplier": 3, "padding": "same"}},
    {
        "Branches": {
            "branches": [
                [convolution(4)],
                [],
                [{"Repeat": {"times": 2, "layers": [convolution(5)]}}],
            ]
        }
    },
    "Flatten",
    {"Dense": {"units": 20, "name": "hidden"}},
    {"Residual": {"layers": [{"Dense": {"units": 7}}]}},
    {"Dense": {"units": "classes", "activation": "softmax"}},
]


def network(*layers: Any) -> Network:
    return build([Layer.read(layer) for layer in layers or LAYERS], SPEC, 0)


def profiled(model: keras.Model) -> int:
    """Returns the multiply-adds per image as counted by TensorFlow's profiler."""
    traced = tf.function(lambda images: model(images, training=False), autograph=False)
    whole = traced.get_concrete_function(tf.TensorSpec([1, *model.input_shape[1:]])).graph
    return sum(map(products, graphs(whole)))


def graphs(graph: Any) -> Iterator[Any]:
    """Yields a graph and those of the functions it calls; Keras compiles some convolutions."""
    yield graph
    for operation in graph.get_operations():
        if operation.type in {"PartitionedCall", "StatefulPartitionedCall"}:
            yield from graphs(graph._get_function(operation.get_attr("f").name).graph)


def products(graph: Any) -> int:
    """Returns the multiply-adds of a graph's own operations."""
    profiler = tf.compat.v1.profiler
    options = profiler.ProfileOptionBuilder(profiler.ProfileOptionBuilder.float_operation())
    found = profiler.profile(graph, options=options.with_empty_output().build(), cmd="op")
    total = 0
    while found.children:  # each contains the one that follows it
        found = found.children[0]
        total += found.float_ops // 2 if found.name in PRODUCTS else 0
    return total


def test_multiply_adds_are_those_that_tensorflow_counts():
    """
    Users compare networks by their cost; a factor of two would make them choose the wrong one.
    """
    net = network()
    table = list(rows(net))

    assert profiled(net.model) == sum(row.multiply_adds for row in table if row.depth == 0)


@pytest.mark.parametrize("layer", LAYERS[:3] + LAYERS[4:8], ids=lambda layer: next(iter(layer)))
def test_multiply_adds_of_each_layer_are_those_that_tensorflow_counts(layer):
    """
    Two errors may cancel each other out in a sum.
    """
    end = ["Flatten", {"Dense": {"units": "classes"}}]
    net = network(convolution(8), layer, *end)
    alone = keras.Sequential([keras.Input((9, 11, 8)), net.model.layers[1]])
    row = next(row for row in rows(net) if row.name.startswith("layers[1]"))

    assert profiled(alone) == row.multiply_adds > 0


def test_parameters_are_those_that_keras_counts():
    """
    Papers compare networks by their numbers of parameters.
    """
    net = network()
    table = list(rows(net))

    assert net.model.count_params() == sum(row.parameters for row in table if row.depth == 0)
    assert [each.layer.count_params() for each in net.layers] == [row.parameters for row in table]


def test_the_layers_inside_a_layer_follow_it_one_deeper():
    """
    Users who look for the most expensive layer look inside the blocks.
    """
    inner = {"Residual": {"layers": [convolution(8)], "shortcut": []}}
    table = list(rows(network({"Residual": {"layers": [convolution(8), inner]}}, *LAYERS[-4:])))

    block = "layers[0].Residual"
    assert [
        LayerRow(block, 0, (9, 11, 8), 224 + 584 + 24, 99 * (216 + 576 + 24)),
        LayerRow(f"{block}.layers[0].Conv2D", 1, (9, 11, 8), 224, 99 * 216),
        LayerRow(f"{block}.layers[1].Residual", 1, (9, 11, 8), 584, 99 * 576),
        LayerRow(f"{block}.layers[1].Residual.layers[0].Conv2D", 2, (9, 11, 8), 584, 99 * 576),
        LayerRow(f"{block}.shortcut", 1, (9, 11, 8), 24, 99 * 24),
    ] == table[:5]
    assert ["layers[1].Flatten", "hidden", "layers[3].Residual"] == [
        row.name for row in table[5:] if row.depth == 0
    ][:3]


def test_each_row_has_a_name_of_its_own():
    """
    The rounds of a Repeat are separate layers with their own weights.
    """
    names = [row.name for row in rows(network())]

    assert len(names) == len(set(names))
    inside = "layers[7].Branches.branches[2][0].Repeat"
    assert [f"{inside}[{number}].layers[0].Conv2D" for number in (0, 1)] == [
        name for name in names if name.startswith(inside)
    ]


def test_it_is_made_of_shapes_alone():
    """
    `check` shows the table even of networks that do not fit into memory.
    """
    layers = [Layer.read(layer) for layer in LAYERS]

    assert list(rows(network())) == list(rows(shapes_only(layers, SPEC)))


def test_what_has_no_kernel_multiplies_nothing():
    """
    Pooling and activations are cheap, and by convention have no multiply-adds.
    """
    table = list(rows(network("BatchNormalization", {"MaxPooling2D": {}}, "Flatten", LAYERS[-1])))

    assert [0, 0, 0, 4 * 5 * 3 * 3] == [row.multiply_adds for row in table]
    assert [12, 0, 0, 4 * 5 * 3 * 3 + 3] == [row.parameters for row in table]
    assert np.prod(table[2].shape) == 60
