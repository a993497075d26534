"""Layers without weights that change the size of the image."""

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
"""Pixels per side: a number, [height, width], or [[top, bottom], [left, right]]."""


class ZeroPadding2D(Layer):
    """Pads the image with zeros."""

    padding: Borders = ((1, 1), (1, 1))
    """Pixels per side: a number, [height, width], or [[top, bottom], [left, right]]."""


class Cropping2D(Layer):
    """Crops the edges of the image."""

    cropping: Borders = ((0, 0), (0, 0))
    """Pixels per side: a number, [height, width], or [[top, bottom], [left, right]]."""


class UpSampling2D(Layer):
    """Upsamples the image."""

    size: Pair = (2, 2)
    """Upsampling factors of height and width: a number, or a list of two."""
    interpolation: Literal["nearest", "bilinear", "bicubic", "lanczos3", "lanczos5"] = "nearest"
    """Interpolation method."""

    @property
    def grid_strides(self) -> Strides | None:  # noqa: D102 - of Layer
        return None

    def arguments(self, building: Building, key: str) -> dict[str, Any]:  # noqa: D102 - of Layer
        arguments = super().arguments(building, key)
        if self.interpolation not in {"nearest", "bilinear"}:
            # TensorFlow has no bfloat16 gradient of the others: the layers before would not learn.
            arguments["dtype"] = "float32"
        return arguments
