"""Fully connected layers, and the flattening before them."""

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BeforeValidator, Field

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
    # The union alone would report a mistake for each alternative.
    if value == "classes":
        return value
    digits = str(value).lstrip("0")
    if digits.isdecimal():
        if len(digits) > len(str(LARGEST)) or int(digits) > LARGEST:
            raise ValueError(f"must be at most {LARGEST}, got {messages.got(value)}")
        return value
    raise ValueError(
        f"expected a whole number of at least 1, or classes, got {messages.got(value)}"
    )


class Dense(Biased):
    """Fully connected layer. Place it after Flatten or a global pooling."""

    units: Annotated[Count | Literal["classes"], BeforeValidator(_units)] = Field(examples=[128])
    """Number of outputs; `classes` means the number of classes in the data."""
    kernel_initializer: Initializer = GlorotUniform()
    """Initializer of the weights."""
    kernel_regularizer: Regularizer | None = None
    """Regularizer of the weights."""

    def build(  # noqa: D102 - of Layer
        self, building: Building, key: str, place: str, inputs: "keras.KerasTensor"
    ) -> "keras.Layer":
        del place, inputs
        import keras

        units = len(building.spec.classes) if self.units == "classes" else self.units
        return keras.layers.Dense(**self.arguments(building, key) | {"units": units})


class Flatten(Layer):
    """Flattens each image into a vector."""

    @property
    def grid_strides(self) -> Strides | None:  # noqa: D102 - of Layer
        return None
