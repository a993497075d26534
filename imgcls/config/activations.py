"""Activations: the functions of Keras that take each number by itself, and softmax."""

from collections.abc import Callable
from typing import Any, Literal

ActivationName = Literal[
    "linear",
    "relu",
    "relu6",
    "leaky_relu",
    "elu",
    "selu",
    "celu",
    "gelu",
    "silu",
    "swish",
    "hard_silu",
    "hard_swish",
    "mish",
    "sigmoid",
    "hard_sigmoid",
    "log_sigmoid",
    "sparse_sigmoid",
    "tanh",
    "hard_tanh",
    "tanh_shrink",
    "softplus",
    "sparse_plus",
    "softsign",
    "squareplus",
    "exponential",
    "hard_shrink",
    "soft_shrink",
    "softmax",
]

CHAINS = frozenset(
    {
        "celu",
        "gelu",
        "silu",
        "swish",
        "hard_silu",
        "hard_swish",
        "mish",
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
    }
)
"""Those that are several operations in TensorFlow; the others are one, and gain nothing."""


def build(name: ActivationName) -> Callable[[Any], Any]:
    """Returns the Keras function of that name: a tensor to a tensor of the same shape."""
    import keras

    from imgcls.ops.elementwise import compiled

    function: Callable[[Any], Any] = keras.activations.get(name)
    return compiled(function) if name in CHAINS else function
