"""Fully connected layers, and the flattening before them."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from imgcls.config.components.initializers import GlorotUniform, Initializer
from imgcls.config.components.layers.biased import Biased
from imgcls.config.components.layers.layer import Layer
from imgcls.config.components.regularizers import Regularizer
from imgcls.config.components.types import LARGEST, Count
from imgcls.config.facts import Facts
from imgcls.config.language import messages


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

    def build(self, facts: Facts) -> Any:  # noqa: ANN401, D102 - of Layer
        import keras

        units = facts.classes if self.units == "classes" else self.units
        return keras.layers.Dense(**self.arguments() | {"units": units})


class Flatten(Layer):
    """Flattens each image into a vector."""
