"""Every layer has the arguments and defaults of Keras' layer of the same name."""

import inspect
from typing import Any

import keras
import pytest

from imgcls.config.components.initializers import Initializer
from imgcls.config.components.layers import Layer

OWN = {"Residual", "Branches", "Repeat"}
"""Layers that Keras does not have."""

LEFT_OUT = {
    "dtype": "training.precision decides it for the whole network",
    "data_format": "images are channels last everywhere",
    "seed": "the run's seed decides everything random",
    "activity_regularizer": "depends on the batch: it would not be the same on several replicas",
    "kernel_constraint": "weights are held by regularizers",
    "bias_constraint": "weights are held by regularizers",
    "depthwise_constraint": "weights are held by regularizers",
    "pointwise_constraint": "weights are held by regularizers",
    "beta_constraint": "weights are held by regularizers",
    "gamma_constraint": "weights are held by regularizers",
    "alpha_constraint": "weights are held by regularizers",
    "lora_rank": "for fine-tuning a trained Dense, which is not trained here",
    "lora_alpha": "for fine-tuning a trained Dense, which is not trained here",
    "quantization_config": "a network is quantized after it is trained",
    "noise_shape": "names the batch axis; SpatialDropout2D is its use for images",
    "synchronized": "follows from the number of replicas",
    "renorm": "for batches of a few images, where GroupNormalization serves",
    "renorm_clipping": "for batches of a few images, where GroupNormalization serves",
    "renorm_momentum": "for batches of a few images, where GroupNormalization serves",
    "invert": "would undo what the network needs",
}
"""Keras arguments that a config cannot set, each with the reason."""

LEFT_OUT_OF = {
    ("Normalization", "axis"): "the training images have one mean a channel",
}
"""The same for a single layer."""

SHARED = {"name", "trainable"}
"""Arguments that every Keras layer accepts, though few have them in their signature."""

keras_named = pytest.mark.parametrize("name", sorted(set(Layer.named()) - OWN))


def arguments(name: str) -> dict[str, inspect.Parameter]:
    found = inspect.signature(getattr(keras.layers, name)).parameters
    return {key: each for key, each in found.items() if each.kind is not each.VAR_KEYWORD}


def plain(field: str, value: Any) -> Any:
    """Returns a default in a form that can be compared, however it is written."""
    if isinstance(value, Initializer):
        value = value.build(0)
    if field.endswith("_initializer"):
        found = keras.initializers.get(value)
        return type(found), {**found.get_config(), "seed": None}
    if field == "activation":
        return keras.activations.get(value)
    if field == "axis" and isinstance(value, tuple):
        return value[0] if len(value) == 1 else value
    if field == "padding" and isinstance(value, tuple):
        return tuple(side if isinstance(side, tuple) else (side, side) for side in value)
    return value


@keras_named
def test_it_has_the_fields_of_keras(name: str) -> None:
    """
    Users who know Keras can write a config.
    """
    expected = {
        key for key in arguments(name) if key not in LEFT_OUT and (name, key) not in LEFT_OUT_OF
    }

    assert expected - SHARED == set(Layer.named()[name].model_fields) - SHARED


@keras_named
def test_it_has_the_defaults_of_keras(name: str) -> None:
    """
    A model copied line by line from Keras must be the same model.
    """
    for key, field in Layer.named()[name].model_fields.items():
        if key in SHARED:
            continue
        default = arguments(name)[key].default
        if default is inspect.Parameter.empty:
            assert field.is_required(), key
        else:
            assert plain(key, default) == plain(key, field.default), key


def test_nothing_is_left_out_that_keras_does_not_have() -> None:
    """
    A reason for omitting an argument that Keras no longer has would be misleading.
    """
    known = {(name, key) for name in set(Layer.named()) - OWN for key in arguments(name)}

    assert set(LEFT_OUT) <= {key for _, key in known}
    assert set(LEFT_OUT_OF) <= known
