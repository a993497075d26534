"""A compiled chain equals the function it was compiled from, in its values and its gradient."""

from collections.abc import Callable

import keras
import numpy as np
import pytest
import tensorflow as tf

from imgcls.config.components.activations import CHAINS
from imgcls.ops.elementwise import compiled

NUMBERS = np.random.default_rng(0).normal(0, 3, (4, 5, 6)).astype(np.float32)

Function = Callable[[tf.Tensor], tf.Tensor]


def both(function: Function, x: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the function's values and the gradient of their sum, in a graph as in training."""

    @tf.function  # type: ignore[untyped-decorator]
    def run(x: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = function(x)
        return y, tape.gradient(y, x)

    y, gradient = run(x)
    return y, gradient


@pytest.mark.parametrize("name", sorted(CHAINS))
def test_values_and_gradients_are_those_of_keras(name: str) -> None:
    """
    A faster activation is worthless if it trains a different network.
    """
    function = keras.activations.get(name)
    ours, theirs = (
        both(compiled(function), tf.constant(NUMBERS)),
        both(function, tf.constant(NUMBERS)),
    )

    for our, their in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(our, their, rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize("name", sorted(CHAINS))
def test_bfloat16_is_rounded_once(name: str) -> None:
    """
    In bfloat16, each operation of a chain rounds to 8 bits; in float32, only the result does.
    """
    function = keras.activations.get(name)
    x = tf.cast(NUMBERS, tf.bfloat16)
    exact = both(function, tf.cast(x, tf.float32))

    for our, true in zip(both(compiled(function), x), exact, strict=True):
        assert our.dtype == tf.bfloat16
        np.testing.assert_allclose(tf.cast(our, tf.float32), true, rtol=2**-8, atol=1e-5)


def test_it_is_one_compiled_function() -> None:
    """
    Without compilation, all other tests would pass, but training would be memory-bound.
    """

    @tf.function  # type: ignore[untyped-decorator]
    def run(x: tf.Tensor) -> tf.Tensor:
        return compiled(keras.activations.gelu)(x)

    operations = run.get_concrete_function(tf.TensorSpec([2, 3])).graph.get_operations()
    calls = [each for each in operations if each.type.endswith("PartitionedCall")]

    assert [each.get_attr("_XlaMustCompile") for each in calls] == [True]
    assert not any(each.type in {"Erf", "Erfc", "Mul"} for each in operations)


def test_a_gpu_runs_it_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    XLA on a GPU needs CUDA files that may be missing; training must not fail because of that.
    """
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda _kind: ["a GPU"])

    def twice(x: tf.Tensor) -> tf.Tensor:
        return x + x

    assert compiled(twice) is twice
