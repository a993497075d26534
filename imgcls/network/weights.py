"""Gets and sets the values of the named variables of a network."""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from imgcls.errors import RunError

Arrays = dict[str, NDArray[Any]]

PART_BYTES = 2**24
"""Larger arrays are assigned in parts: TensorFlow copies each array twice when it assigns it."""

_SHOWN = 3  # names in a message


def values(variables: Mapping[str, Any]) -> Arrays:
    """Returns the values of variables by name."""
    return {name: np.asarray(variable) for name, variable in variables.items()}


def assign(variables: Mapping[str, Any], saved: Mapping[str, NDArray[Any]], what: str) -> None:
    """Sets variables to the values that `values` returned.

    Args:
        variables: the variables by name.
        saved: the values by the same names.
        what: the source of the values, for messages, such as `step-12`.

    Raises:
        RunError: as `check` does.
    """
    check(variables, saved, what)
    for name, variable in variables.items():
        _assign(variable, saved[name])


def _assign(variable: Any, value: NDArray[Any]) -> None:  # noqa: ANN401  # Keras' or TensorFlow's
    inner = variable.value if isinstance(variable, keras.Variable) else variable
    if value.nbytes <= PART_BYTES or isinstance(inner, tf.distribute.DistributedValues):
        variable.assign(value)
        return
    rows = max(1, PART_BYTES * len(value) // value.nbytes)
    for begin in range(0, len(value), rows):
        part = value[begin : begin + rows]
        # `inner[begin:end].assign` would read, and therefore copy, the whole variable.
        tf.raw_ops.ResourceStridedSliceAssign(
            ref=inner.handle, begin=[begin], end=[begin + len(part)], strides=[1], value=part
        )


def check(variables: Mapping[str, Any], saved: Mapping[str, NDArray[Any]], what: str) -> None:
    """Checks that arrays are the values of these variables: all of them, and nothing else.

    Raises:
        RunError: if a name is missing or unknown, or a shape or data type differs.
    """
    missing = [name for name in variables if name not in saved]
    unknown = [name for name in saved if name not in variables]
    if missing or unknown:
        parts = [
            f"{word} {', '.join(names[:_SHOWN])}{' ...' if names[_SHOWN:] else ''}"
            for word, names in (("lacks", missing), ("has an unknown", unknown))
            if names
        ]
        raise RunError(f"{what} {' and '.join(parts)}; it belongs to another config")
    for name, variable in variables.items():
        value, shape = saved[name], tuple(variable.shape)
        dtype = keras.backend.standardize_dtype(variable.dtype)
        if value.shape != shape or value.dtype.name != dtype:
            raise RunError(
                f"{what} has {name} as {value.dtype} {value.shape}, the config needs "
                f"{dtype} {shape}; it belongs to another config"
            )
