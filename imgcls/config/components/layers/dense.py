"""Layers over all numbers of an image at once."""

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BeforeValidator

from imgcls.config.components.initializers import GlorotUniform, Initializer
from imgcls.config.components.layers.biased import Biased
from imgcls.config.components.layers.building import Building
from imgcls.config.components.layers.layer import Layer, Strides
from imgcls.config.components.regularizers import Regularizer
from imgcls.config.components.types import LARGEST, Count
from imgcls.config.language import messages

if TYPE_CHECKING:
    import keras


def _units(value: Any) -> Any:  # noqa: ANN401
    # The union alone would give a mistake for each of its sides.
    if value == "classes":
        return value
    digits = str(value).lstrip("0")
    if digits.isdecimal():
        if len(digits) > len(str(LARGEST)) or int(digits) > LARGEST:
            raise ValueError(f"must be at most {LARGEST}, got {messages.got(value)}")
        return value
    raise ValueError(f"must be a whole number from 1 on, or classes, got {messages.got(value)}")


class Dense(Biased):
    """Each output is a weighted sum of all inputs. Stands behind Flatten or a global pooling."""

    units: Annotated[Count | Literal["classes"], BeforeValidator(_units)]
    """How many outputs; `classes` is as many as the data has classes."""
    kernel_initializer: Initializer = GlorotUniform()
    """The weights before the first step."""
    kernel_regularizer: Regularizer | None = None
    """A penalty on the weights, added to the loss."""

    def build(  # noqa: D102 - of Layer
        self, building: Building, key: str, place: str, inputs: "keras.KerasTensor"
    ) -> "keras.Layer":
        del place, inputs
        import keras

        units = len(building.spec.classes) if self.units == "classes" else self.units
        return keras.layers.Dense(**self.arguments(building, key) | {"units": units})


class Flatten(Layer):
    """Turns the image into one row of numbers, row by row of pixels."""

    @property
    def grid_strides(self) -> Strides | None:  # noqa: D102 - of Layer
        return None
