"""Stacks of layers as networks, with any input and output shape."""

from collections.abc import Sequence
from typing import Any

import keras

from imgcls.config.components.layers import Layer
from imgcls.config.components.layers.building import Building
from imgcls.config.data_spec import DataSpec

SPEC = DataSpec(classes=("a", "b", "c"), size=(8, 8), stored=(8, 8), channels=1, resize="stretch")


def stacked(
    layers: Sequence[object], shape: tuple[int, ...], spec: DataSpec = SPEC, **options: Any
) -> tuple[keras.Sequential, Building]:
    """Returns a network of the layers, and the Building that holds all built layers.

    Args:
        layers: as written in YAML.
        shape: of the input, without the batch.
        spec: the data spec.
        options: of the Building: `seed`, `replicas`.
    """
    building = Building(spec, **{"seed": 0} | options)
    inputs = keras.Input(shape)
    building.stack([Layer.read(layer) for layer in layers], "layers", "layers", inputs)
    entries = [each.layer for each in building.built if each.depth == 0]
    return keras.Sequential([inputs, *entries]), building


def built(layer: object, shape: tuple[int, ...], spec: DataSpec = SPEC, **options: Any) -> Any:
    """Returns the Keras layer built for one layer of a config."""
    model, _ = stacked([layer], shape, spec, **options)
    return model.layers[0]
