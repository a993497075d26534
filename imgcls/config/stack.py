"""The rules for a stack of layers: its names, its first layer and its last layer."""

from collections import Counter
from collections.abc import Iterator, Sequence

from imgcls.config.components.layers.building import location
from imgcls.config.components.layers.dense import Dense
from imgcls.config.components.layers.layer import Layer, flatten, without_softmax
from imgcls.config.components.layers.scalings import Normalization

RIGHT = "end with Dense: {units: classes, activation: softmax}"


def mistakes(layers: Sequence[Layer]) -> Iterator[tuple[str, str]]:
    """Yields (key, message) for each mistake in a stack that can be found without shapes."""
    yield from _end(layers)
    yield from _names(layers)


def _end(layers: Sequence[Layer]) -> Iterator[tuple[str, str]]:
    stack = flatten(layers)
    if without_softmax(stack[-1][1]) is None:
        stack.pop()  # a layer that is only a softmax
        if stack and stack[-1][1].is_softmax:
            key = location(f"layers{stack[-1][0]}")
            yield key, "is a softmax before a softmax; leave one of them out"
            return
    if not stack:
        yield "layers", f"must have more than a softmax; {RIGHT}"
        return
    key, last = stack[-1]
    key = location(f"layers{key}")
    activation = getattr(last, "activation", "linear")
    if activation not in {"linear", "softmax"}:
        must = f"must be softmax or linear in the last layer, got {activation!r}"
        yield f"{key}.activation", must
    if isinstance(last, Dense) and last.units == 1:
        yield f"{key}.units", "must be one per class, got 1; two classes need two: units: classes"


def _names(layers: Sequence[Layer]) -> Iterator[tuple[str, str]]:
    placed = [(key, layer) for key, layer in every(layers) if layer.name]
    counts = Counter(layer.name for _, layer in placed)
    for key, layer in placed:
        if counts[layer.name] > 1:
            yield f"{key}.name", f"must be unique; {counts[layer.name]} layers are {layer.name!r}"


def every(layers: Sequence[Layer], key: str = "layers") -> Iterator[tuple[str, Layer]]:
    """Yields each layer, including nested ones, with its key in the config's text."""
    for index, layer in enumerate(layers):
        own = f"{key}[{index}].{layer.identifier()}"
        yield own, layer
        for below, inner in layer.inner():
            yield from every(inner, f"{own}.{below}")


def misplaced(layers: Sequence[Layer]) -> Iterator[tuple[str, str]]:
    """Yields (key, message) for each Normalization without `mean` whose input is not the images."""
    first = {id(layer) for layer in _first(layers)}
    for key, layer in every(layers):
        if isinstance(layer, Normalization) and layer.mean is None and id(layer) not in first:
            yield key, "takes the moments of the images, so it must stand first; or give mean"


def _first(layers: Sequence[Layer]) -> Iterator[Layer]:
    """Yields the layers whose input is the images."""
    if layers:
        yield layers[0]
        for _, inner in layers[0].inner():
            yield from _first(inner)
