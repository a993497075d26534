"""Checked layers -> a keras.Sequential that gives logits; its weights in and out."""

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from imgcls.config.components.layers import Layer
from imgcls.config.components.layers.layer import flatten, without_softmax
from imgcls.config.components.layers.nested import innermost
from imgcls.config.facts import Facts
from imgcls.data.traits import Traits
from imgcls.errors import ConfigError, RunError

Arrays = dict[str, NDArray[Any]]

POLICIES = {"float32": "float32", "bfloat16": "mixed_bfloat16", "float16": "mixed_float16"}


def build(
    layers: Sequence[Layer],
    traits: Traits,
    seed: int,
    *,
    precision: str = "float32",
    replicas: int = 1,
) -> keras.Sequential:
    """Returns the network, from images to logits.

    A final softmax is left out: the loss is computed from the logits, which is exact where
    probabilities saturate, and `softmax` is applied to what users see. The last layer computes in
    float32 whatever the precision.

    Args:
        layers: the stack, as the config has it.
        traits: what the data decided.
        seed: of the initial weights, and of Dropout and noise layers.
        precision: float32, or bfloat16 or float16 with float32 weights.
        replicas: how many devices share a batch.

    Returns:
        images float32 [batch, height, width, channel] in 0..1 -> logits float32 [batch, class].

    Raises:
        ConfigError: if a layer does not fit what comes before it, with the layer's key.
    """
    stack = flatten(layers)
    *body, (last_key, last) = stack
    head = without_softmax(last)
    stack = body if head is None else [*body, (last_key, head)]
    facts = traits.facts(replicas)
    keras.utils.set_random_seed(seed)
    inputs = outputs = keras.Input((*traits.size, traits.channels))
    built = []
    for number, (key, layer) in enumerate(stack, start=1):
        policy = POLICIES[precision] if number < len(stack) else "float32"
        with _policy(policy):
            each, outputs = _called(f"layers{key}", layer, outputs, facts)
        built.append(each)
    _check_output(f"layers{last_key}", outputs.shape, len(traits.classes))
    with _deeply(sum(layer.count for layer in layers)):
        return keras.Sequential([inputs, *built])


def shapes_only(
    layers: Sequence[Layer],
    traits: Traits,
    *,
    precision: str = "float32",
    replicas: int = 1,
) -> keras.Sequential:
    """Returns the network as `build` does, but without values: it has all shapes and no memory.

    It cannot be called. Takes a third of the time of `build`.

    Raises:
        ConfigError: as `build` does.
    """
    try:
        with keras.StatelessScope(initialize_variables=False):
            return build(layers, traits, 0, precision=precision, replicas=replicas)
    finally:
        # Or the end of the next such scope, in Keras' own code, would give them values after all.
        keras.utils.clear_session(free_memory=False)


@contextmanager
def _deeply(layers: int) -> Iterator[None]:
    """Lets Keras, which follows a network back by recursion, go through so many layers."""
    usual = sys.getrecursionlimit()
    sys.setrecursionlimit(usual + 4 * layers)
    try:
        yield
    finally:
        sys.setrecursionlimit(usual)


@contextmanager
def _policy(name: str) -> Iterator[None]:
    usual = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(usual)


def _called(
    key: str, layer: Layer, inputs: keras.KerasTensor, facts: Facts
) -> tuple[keras.Layer, keras.KerasTensor]:
    """A layer's Keras layer and its symbolic output."""
    _check_input(key, layer, inputs.shape)
    try:
        built = layer.build(facts)
        return built, built(inputs)
    except (tf.errors.ResourceExhaustedError, MemoryError, OverflowError) as error:
        raise ConfigError.at(key, "its weights do not fit into memory") from error
    except (ValueError, TypeError, tf.errors.InvalidArgumentError) as error:
        key, layer, shape, inner = innermost(key, layer, inputs.shape, error)
        _check_input(key, layer, shape)
        raise ConfigError.at(key, _misfit(shape, inner)) from error


def _check_input(key: str, layer: Layer, shape: tuple[int | None, ...]) -> None:
    """Says in our words what Keras would say in its own: the window does not fit the input."""
    window = getattr(layer, "pool_size", None) or getattr(layer, "kernel_size", None)
    if window is None:
        return
    words = "x".join(str(side) for side in shape[1:3])
    if len(shape) != 4:  # noqa: PLR2004  # [batch, height, width, channel]
        raise ConfigError.at(
            key, f"needs [height, width, channel], got {_sides(shape)}; put it before Flatten"
        )
    if getattr(layer, "padding", "same") == "same":
        return
    dilation = getattr(layer, "dilation_rate", (1, 1))
    reach = [(side - 1) * rate + 1 for side, rate in zip(window, dilation, strict=True)]
    if any(side is not None and side < need for side, need in zip(shape[1:3], reach, strict=True)):
        if hasattr(layer, "pool_size"):
            cut = "halved" if tuple(window) == (2, 2) else f"pooled by {window[0]}x{window[1]}"
            raise ConfigError.at(key, f"its input is {words} and cannot be {cut}")
        raise ConfigError.at(
            key,
            f"its input is {words}, smaller than its {reach[0]}x{reach[1]} kernel; "
            "write padding: same, or leave out a pooling before it",
        )


def _misfit(shape: tuple[int | None, ...], error: Exception) -> str:
    # Keras' own messages go on for lines about arguments that the user never wrote.
    first = str(error).strip().splitlines()[0]
    return f"does not fit its input of {_sides(shape)}: {first[:200]}"


def _sides(shape: tuple[int | None, ...]) -> str:
    return f"[{', '.join('?' if side is None else str(side) for side in shape[1:])}]"


def _check_output(key: str, shape: tuple[int | None, ...], classes: int) -> None:
    if len(shape) != 2:  # noqa: PLR2004  # [batch, class]
        raise ConfigError.at(
            key,
            f"gives {_sides(shape)} an image, must be one number a class; "
            "put Flatten or GlobalAveragePooling2D before it",
        )
    if shape[1] != classes:
        raise ConfigError.at(
            key,
            f"gives {shape[1]} numbers an image, but the data has {classes} classes; "
            "end with Dense: {units: classes, activation: softmax}",
        )


def arrays(prefix: str, variables: Iterable[Any]) -> Arrays:
    """Returns the values of variables in their order, by `prefix/number`.

    Keras' own names change with how a model was built; their order does not.
    """
    return {f"{prefix}/{number:06d}": np.asarray(each) for number, each in enumerate(variables)}


def restore(prefix: str, variables: Sequence[Any], saved: Mapping[str, NDArray[Any]]) -> None:
    """Gives variables the values that `arrays` took.

    Raises:
        RunError: if there are not as many, or one has another shape or type.
    """
    for name, variable in zip(check(prefix, variables, saved), variables, strict=True):
        variable.assign(saved[name])


def check(prefix: str, variables: Sequence[Any], saved: Mapping[str, NDArray[Any]]) -> list[str]:
    """Returns the names of the arrays that `restore` would give to variables, in their order.

    Raises:
        RunError: as `restore` does.
    """
    names = sorted(name for name in saved if name.startswith(f"{prefix}/"))
    if len(names) != len(variables):
        raise RunError(
            f"the checkpoint has {len(names)} arrays of the {prefix}, the config needs "
            f"{len(variables)}; it belongs to another config"
        )
    for name, variable in zip(names, variables, strict=True):
        value, shape = saved[name], tuple(variable.shape)
        if value.shape != shape or value.dtype.name != keras.backend.standardize_dtype(
            variable.dtype
        ):
            raise RunError(
                f"the checkpoint's {name} is {value.dtype} {value.shape}, the config needs "
                f"{variable.dtype} {shape}; it belongs to another config"
            )
    return names
