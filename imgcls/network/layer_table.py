"""The layer table of a network: names, shapes, parameters, multiply-adds."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod

import keras

from imgcls.config.components.layers.building import BuiltLayer
from imgcls.network.network import Network


@dataclass(frozen=True)
class LayerRow:
    """One line of the layer table.

    Attributes:
        name: the layer's name or its place in the config, such as `layers[1].Conv2D`.
        depth: 0 for an entry of the network, 1 for a layer inside one, ...
        shape: the shape of its output, without the batch dimension.
        parameters: the number of parameters, trained or not, including those of inner layers.
        multiply_adds: the multiply-adds per image in a forward pass, including those of inner
            layers.
    """

    name: str
    depth: int
    shape: tuple[int, ...]
    parameters: int
    multiply_adds: int


def rows(network: Network) -> Iterator[LayerRow]:
    """Yields a row for each layer of a network, each before the layers inside it.

    A final layer that is only a softmax is not in the network and has no row.
    """
    for number, each in enumerate(network.layers):
        inside = network.layers[number : number + each.inner + 1]
        yield LayerRow(
            each.key,
            each.depth,
            tuple(each.output.shape[1:]),
            int(each.layer.count_params()),
            sum(map(multiply_adds, inside)),
        )


def multiply_adds(built: BuiltLayer) -> int:
    """Returns the multiply-adds of a layer's kernels per image in a forward pass, or 0."""
    if isinstance(built.layer, keras.Model):
        return 0  # the layers inside it have their own
    positions = prod(built.output.shape[1:-1])
    return sum(
        prod(weight.shape) * positions
        for weight in built.layer.weights
        if weight.name.endswith("kernel")
    )
