"""The layer table of a network: names, shapes, parameters, multiply-adds."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod

import keras

from imgcls.config.components.layers import Layer
from imgcls.config.components.layers.layer import flatten


@dataclass(frozen=True)
class LayerRow:
    """One line of the layer table.

    Attributes:
        name: as the config names it, such as `layers[1].Conv2D`.
        shape: of its output, without the batch.
        parameters: how many, trained or not.
        multiply_adds: of one image's forward pass.
    """

    name: str
    shape: tuple[int, ...]
    parameters: int
    multiply_adds: int


def rows(layers: Sequence[Layer], network: keras.Sequential) -> Iterator[LayerRow]:
    """Yields a row for each layer of a built network, by its key in the config.

    A final softmax alone has no layer in the network, and no row.
    """
    for (key, _), layer in zip(flatten(layers), network.layers, strict=False):
        shape = tuple(layer.output.shape[1:])
        yield LayerRow(
            f"layers{key}", shape, int(layer.count_params()), multiply_adds(layer, shape)
        )


def multiply_adds(layer: keras.Layer, shape: Sequence[int]) -> int:
    """Returns those of one image's forward pass; what has no kernel counts as none.

    Args:
        layer: built.
        shape: of its output, without the batch.
    """
    inner = getattr(layer, "body", None)
    if inner is not None:
        parts = [*inner.layers, *([layer.projection] if layer.projection else [])]
        return sum(multiply_adds(part, _shape(part, shape)) for part in parts)
    positions = prod(shape[:-1])
    return sum(
        prod(weight.shape) * positions
        for weight in layer.trainable_variables
        if "kernel" in weight.name
    )


def _shape(layer: keras.Layer, outer: Sequence[int]) -> Sequence[int]:
    try:
        return tuple(layer.output.shape[1:])
    except (
        AttributeError
    ):  # called on no symbolic input: the projection, whose output is the block's
        return outer
