"""Residual and Repeat as a config writes them."""

import keras
import numpy as np
import pytest

from imgcls.config.components.layers import Layer
from imgcls.config.components.layers.layer import flatten
from imgcls.config.components.layers.nested import innermost
from imgcls.config.facts import Facts
from imgcls.ops.residual import BodyError

CONVOLUTION = {"Conv2D": {"filters": 4, "kernel_size": 3, "padding": "same"}}


def test_a_repeat_has_weights_of_its_own_each_time() -> None:
    """
    Shared weights, or equal ones at the start, would make a deep network a shallow one.
    """
    repeat = Layer.read({"Repeat": {"times": 3, "layers": [CONVOLUTION]}})
    built = [layer.build(Facts(3)) for _, layer in flatten([repeat])]
    keras.Sequential([keras.Input((8, 8, 4)), *built])
    kernels = [layer.kernel.numpy() for layer in built]

    assert len(kernels) == 3
    assert not any(np.array_equal(kernels[0], kernel) for kernel in kernels[1:])


def test_repeats_inside_a_residual_are_written_out() -> None:
    """
    A residual block of n equal layers is the usual one.
    """
    repeat = {"Repeat": {"times": 3, "layers": [CONVOLUTION, "ReLU"]}}
    residual = Layer.read({"Residual": {"layers": [repeat], "activation": "relu"}})
    built = residual.build(Facts(3))

    assert ["Conv2D", "ReLU"] * 3 == [type(layer).__name__ for layer in built.body.layers]
    assert built.activation is keras.activations.relu
    assert residual.count == 7


def test_an_error_inside_a_residual_is_located_in_it() -> None:
    """
    The message names the layer that does not fit, not the block around it.
    """
    inner = {
        "Residual": {"layers": [{"MaxPooling2D": {}}, {"Conv2D": {"filters": 1, "kernel_size": 9}}]}
    }
    outer = Layer.read(
        {"Residual": {"layers": ["ReLU", {"Repeat": {"times": 1, "layers": [inner]}}]}}
    )
    with pytest.raises(BodyError) as raised:
        outer.build(Facts(3)).build((None, 8, 8, 4))
    key, layer, shape, error = innermost("layers[2].Residual", outer, (None, 8, 8, 4), raised.value)

    assert "layers[2].Residual.layers[1].Repeat.layers[0].Residual.layers[1].Conv2D" == key
    assert layer.identifier() == "Conv2D"
    assert shape == (None, 4, 4, 4)
    assert not isinstance(error, BodyError)


def test_an_error_of_the_residual_itself_stays_its_own() -> None:
    """
    Shapes that cannot be added are nobody's fault inside.
    """
    layer = Layer.read({"Residual": {"layers": ["Flatten"]}})
    error = ValueError("cannot be added")

    assert ("layers[0].Residual", layer, (None, 8), error) == innermost(
        "layers[0].Residual", layer, (None, 8), error
    )
