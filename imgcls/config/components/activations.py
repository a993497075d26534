"""Keras' activation functions; all but softmax are elementwise."""

from collections.abc import Callable
from typing import Any, Literal, get_args

_Single = Literal[
    "linear",
    "relu",
    "relu6",
    "leaky_relu",
    "elu",
    "selu",
    "sigmoid",
    "tanh",
    "softsign",
    "exponential",
    "softmax",
]
_Chain = Literal[
    "gelu",
    "silu",
    "swish",
    "hard_silu",
    "hard_swish",
    "mish",
    "celu",
    "hard_sigmoid",
    "log_sigmoid",
    "sparse_sigmoid",
    "hard_tanh",
    "tanh_shrink",
    "softplus",
    "sparse_plus",
    "squareplus",
    "hard_shrink",
    "soft_shrink",
]
ActivationName = Literal[_Single, _Chain]

CHAINS = frozenset(get_args(_Chain))
"""Those that are several operations in TensorFlow; the others do not gain from compilation."""


def build(name: ActivationName) -> Callable[[Any], Any]:
    """Returns the Keras function of this name; it keeps the shape of its input."""
    import keras

    from imgcls.ops.elementwise import compiled

    function: Callable[[Any], Any] = keras.activations.get(name)
    return compiled(function) if name in CHAINS else function
