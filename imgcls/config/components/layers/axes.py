"""The axes of a batch [batch, height, width, channel] that a layer may use."""

from typing import Annotated, Any

from annotated_types import Ge, Le, MinLen
from pydantic import AfterValidator, BeforeValidator


def _not_the_batch(axis: int) -> int:
    if axis == 0:
        raise ValueError("cannot be 0, the batch axis; the channel axis is -1")
    return axis


def as_tuple(value: Any) -> Any:  # noqa: ANN401
    """Returns a list unchanged, and any other value as a list of one."""
    return value if isinstance(value, list | tuple) else (value,)


Axis = Annotated[int, Ge(-3), Le(3), AfterValidator(_not_the_batch)]
"""An axis: 1 is height, 2 width, 3 channel; negative axes count from the end."""


def _one_sign(axes: tuple[int, ...]) -> tuple[int, ...]:
    # Keras sorts them without resolving the negative ones.
    if len(set(axes)) < len(axes) or min(axes) < 0 < max(axes):
        raise ValueError("expected distinct axes, all positive or all negative")
    return axes


Axes = Annotated[
    tuple[Axis, ...],
    MinLen(1),
    BeforeValidator(as_tuple, json_schema_input_type=Axis | tuple[Axis, ...]),
    AfterValidator(_one_sign),
]
"""One axis or a list of axes."""
