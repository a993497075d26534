"""What the first and the last layer may be: one number a class, with softmax or without."""

from collections.abc import Iterator, Sequence

from imgcls.config.components.layers.convolutions import Convolution
from imgcls.config.components.layers.dense import Dense, Flatten
from imgcls.config.components.layers.layer import Layer, flatten, without_softmax
from imgcls.config.components.layers.nested import Residual
from imgcls.config.components.layers.poolings import GlobalPooling, Pooling
from imgcls.config.components.layers.scalings import Normalization

RIGHT = "end with Dense: {units: classes, activation: softmax}"
MAY_END = (Dense, Convolution, Flatten, GlobalPooling, Pooling, Residual)


def mistakes(layers: Sequence[Layer]) -> Iterator[tuple[str, str]]:
    """Yields (key, message) for what is wrong with the end of a stack."""
    stack = flatten(layers)
    if without_softmax(stack[-1][1]) is None:
        stack.pop()  # a layer that is a softmax and nothing else
        if stack and stack[-1][1].is_softmax:
            yield f"layers{stack[-1][0]}", "is a softmax before a softmax; leave one of them out"
            return
    if not stack:
        yield "layers", f"must have more than a softmax; {RIGHT}"
        return
    key, last = stack[-1]
    key = f"layers{key}"
    if not isinstance(last, MAY_END):
        yield key, f"cannot be the last layer; {RIGHT}"
        return
    activation = getattr(last, "activation", "linear")
    if activation not in {"linear", "softmax"}:
        must = f"must be softmax or linear in the last layer, got {activation!r}"
        yield f"{key}.activation", must
    if isinstance(last, Dense) and last.units == 1:
        yield f"{key}.units", "must be one a class, got 1; two classes need two: units: classes"


def misplaced(layers: Sequence[Layer]) -> Iterator[tuple[str, str]]:
    """Yields (key, message) for each Normalization by the images' moments that sees no images."""
    first = layers[0]
    while inner := getattr(first, "layers", ()):
        first = inner[0]
    for key, layer in flatten(layers):
        for each in layer.nested():
            if isinstance(each, Normalization) and each.mean is None and each is not first:
                message = "takes the moments of the images, so it must stand first; or give mean"
                yield f"layers{key}", message
