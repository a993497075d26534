"""The activations are Keras' own: softmax, and all that act on each number separately."""

from typing import get_args

import keras
import numpy as np
import pytest
from keras.src import activations as keras_activations

from imgcls.config.components import activations

LEFT_OUT = {
    "glu": "halves the channels",
    "log_softmax": "takes all channels together",
    "sparsemax": "takes all channels together",
    "threshold": "needs two numbers; the ReLU layer has a threshold",
}
"""Keras activations that a config cannot name, each with the reason."""

NAMES = get_args(activations.ActivationName)


def test_every_activation_of_keras_has_a_name_or_a_reason() -> None:
    """
    A new version of Keras may add activations, which must not be overlooked.
    """
    assert set(keras_activations.ALL_OBJECTS_DICT) == {*NAMES, *LEFT_OUT}


@pytest.mark.parametrize("name", NAMES)
def test_it_is_the_function_of_keras_and_keeps_the_shape(name: activations.ActivationName) -> None:
    """
    Users who write `gelu` mean what Keras means by it.
    """
    numbers = np.linspace(-2, 2, 24, dtype=np.float32).reshape(2, 3, 4)
    outputs = activations.build(name)(keras.ops.convert_to_tensor(numbers))

    expected = keras.layers.Activation(name)(numbers)
    np.testing.assert_allclose(outputs, expected, rtol=1e-6, atol=1e-7)
    assert numbers.shape == tuple(outputs.shape)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "softmax"])
def test_it_takes_each_number_by_itself(name: activations.ActivationName) -> None:
    """
    Only such a function can follow any kind of layer.
    """
    numbers = np.linspace(-2, 2, 24, dtype=np.float32).reshape(2, 12)
    function = activations.build(name)
    alone = [float(function(keras.ops.convert_to_tensor(each))) for each in numbers.flat]

    np.testing.assert_allclose(alone, np.array(function(numbers)).ravel(), rtol=1e-5, atol=1e-6)
