"""Layers that make the image larger or smaller and learn nothing."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator

from imgcls.config.components.layers.building import Building
from imgcls.config.components.layers.layer import Layer, Strides
from imgcls.config.components.types import Natural, Pair

_Sides = tuple[Natural, Natural]


def _borders(value: Any) -> Any:  # noqa: ANN401
    sides = value if isinstance(value, list | tuple) else (value, value)
    return [side if isinstance(side, list | tuple) else (side, side) for side in sides]


Borders = Annotated[
    tuple[_Sides, _Sides],
    BeforeValidator(
        _borders, json_schema_input_type=Natural | tuple[Natural | _Sides, Natural | _Sides]
    ),
]
"""Pixels at the edges: a number for all, [height, width], or [[top, bottom], [left, right]]."""


class ZeroPadding2D(Layer):
    """Adds zeros around the image."""

    padding: Borders = ((1, 1), (1, 1))
    """How many pixels: a number for all sides, [height, width], or [[top, bottom], [left,
    right]]."""


class Cropping2D(Layer):
    """Cuts pixels off the edges of the image."""

    cropping: Borders = ((0, 0), (0, 0))
    """How many pixels: a number for all sides, [height, width], or [[top, bottom], [left,
    right]]."""


class UpSampling2D(Layer):
    """Enlarges the image."""

    size: Pair = (2, 2)
    """How many times as high and as wide: a number, or a list of two."""
    interpolation: Literal["nearest", "bilinear", "bicubic", "lanczos3", "lanczos5"] = "nearest"
    """Where the new pixels come from: `nearest` repeats them, the others blend neighbours."""

    @property
    def grid_strides(self) -> Strides | None:  # noqa: D102 - of Layer
        return None

    def arguments(self, building: Building, key: str) -> dict[str, Any]:  # noqa: D102 - of Layer
        arguments = super().arguments(building, key)
        if self.interpolation not in {"nearest", "bilinear"}:
            # TensorFlow has no gradient of the others in bfloat16: what comes before never learns.
            arguments["dtype"] = "float32"
        return arguments
