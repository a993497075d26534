"""What the last layer may be: one number a class, with softmax or without."""

from collections.abc import Iterator, Sequence

from imgcls.config.layers import Layer
from imgcls.config.layers.dense import Dense
from imgcls.config.layers.dropouts import Dropout, GaussianNoise, SpatialDropout2D
from imgcls.config.layers.layer import flatten
from imgcls.config.layers.nonlinearities import ELU, Activation, LeakyReLU, PReLU, ReLU

RIGHT = "end with Dense: {units: classes, activation: softmax}"


def mistakes(layers: Sequence[Layer]) -> Iterator[tuple[str, str]]:
    """Yields (key, message) for what is wrong with the last layer of a stack."""
    key, last = flatten(layers)[-1]
    key = f"layers{key}"
    if isinstance(last, Dense):
        if last.activation not in {"linear", "softmax"}:
            yield (
                f"{key}.activation",
                f"must be softmax or linear in the last layer, got {last.activation!r}",
            )
        if last.units == 1:
            yield f"{key}.units", "must be one a class, got 1; two classes need two: units: classes"
    elif isinstance(last, Activation | ReLU | LeakyReLU | PReLU | ELU) and not last.is_softmax:
        yield key, f"cannot be the last layer; {RIGHT}"
    elif isinstance(last, Dropout | SpatialDropout2D | GaussianNoise):
        yield key, f"cannot be the last layer, it would spoil the result; {RIGHT}"
