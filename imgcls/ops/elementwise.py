"""Chains of elementwise operations, run as one.

TensorFlow goes through memory once for each operation of a chain, and for each of its gradient's.
Compiled by XLA as functions of their own they go through it once: GELU, forward and backward, is
1.7 times as fast in float32 and 2.9 times in bfloat16 (docs/experiments.md has all activations).
Whole networks under XLA are slower on CPUs, so convolutions and the like are not compiled.
"""

from collections.abc import Callable
from functools import cache

import tensorflow as tf

Elementwise = Callable[[tf.Tensor], tf.Tensor]


@cache  # one function for all layers, so that equal shapes are compiled once
def compiled(function: Elementwise) -> Elementwise:
    """Returns the function, and its gradient, compiled for CPUs; computed in float32.

    Args:
        function: takes each number by itself; a float tensor to one of its shape and type.

    Returns:
        The same function; where there is a GPU, that very one: what XLA needs there may be missing.
    """
    if tf.config.list_physical_devices("GPU"):
        return function

    @tf.function(jit_compile=True, autograph=False)  # type: ignore[untyped-decorator]  # no types
    def forward(x: tf.Tensor) -> tf.Tensor:
        return tf.cast(function(tf.cast(x, tf.float32)), x.dtype)

    @tf.function(jit_compile=True, autograph=False)  # type: ignore[untyped-decorator]
    def backward(x: tf.Tensor, gradient: tf.Tensor) -> tf.Tensor:
        exact = tf.cast(x, tf.float32)
        with tf.GradientTape() as tape:
            tape.watch(exact)
            y = function(exact)
        return tf.cast(tape.gradient(y, exact, tf.cast(gradient, tf.float32)), x.dtype)

    @tf.autograph.experimental.do_not_convert  # type: ignore[untyped-decorator]
    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def whole(x: tf.Tensor) -> tuple[tf.Tensor, Elementwise]:
        return forward(x), lambda gradient: backward(x, gradient)

    return whole  # type: ignore[no-any-return]
