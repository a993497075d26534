"""The axes of a batch [batch, height, width, channel] that a layer may work along."""

from typing import Annotated, Any

from annotated_types import Ge, Le, MinLen
from pydantic import AfterValidator, BeforeValidator


def _not_the_batch(axis: int) -> int:
    if axis == 0:
        raise ValueError("must not be 0, the images of a batch; the channels are -1")
    return axis


def listed(value: Any) -> Any:  # noqa: ANN401
    """Returns a list as it is, and one value as a list of it."""
    return value if isinstance(value, list | tuple) else (value,)


Axis = Annotated[int, Ge(-3), Le(3), AfterValidator(_not_the_batch)]
"""One axis of an image: 1 height, 2 width, 3 channel; negative ones count from the end."""


def _one_sign(axes: tuple[int, ...]) -> tuple[int, ...]:
    # Keras sorts them as they are, and so would mix them up.
    if len(set(axes)) < len(axes) or min(axes) < 0 < max(axes):
        raise ValueError("must be different axes, all positive or all negative")
    return axes


Axes = Annotated[
    tuple[Axis, ...],
    MinLen(1),
    BeforeValidator(listed, json_schema_input_type=Axis | tuple[Axis, ...]),
    AfterValidator(_one_sign),
]
"""Some axes of an image: a number, or a list of them."""
