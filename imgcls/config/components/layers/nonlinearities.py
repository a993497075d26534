"""Activations as layers of their own, where they have options or stand behind a normalisation."""

from typing import Annotated

from annotated_types import Ge, Le, MinLen
from pydantic import BeforeValidator

from imgcls.config.components.activations import ActivationName
from imgcls.config.components.initializers import Initializer, Zeros
from imgcls.config.components.layers.axes import Axes, listed
from imgcls.config.components.layers.layer import Layer
from imgcls.config.components.regularizers import Regularizer
from imgcls.config.components.types import NotNegative


class Activation(Layer):
    """Applies an activation by its name."""

    activation: ActivationName
    """The function."""

    def before_softmax(self) -> None:  # noqa: D102 - of Layer
        return None


class ReLU(Layer):
    """Keeps what is above 0, and sets the rest to 0."""

    max_value: NotNegative | None = None
    """Where the output stops to grow; null is nowhere, 6 is `relu6`."""
    negative_slope: NotNegative = 0.0
    """What numbers below the threshold are multiplied with."""
    threshold: NotNegative = 0.0
    """Numbers below it count as negative."""


class LeakyReLU(Layer):
    """Keeps what is above 0, and multiplies the rest with a small factor."""

    negative_slope: NotNegative = 0.3
    """That factor."""


_Shared = Annotated[int, Ge(1), Le(3)]
SharedAxes = Annotated[
    tuple[_Shared, ...],
    MinLen(1),
    BeforeValidator(listed, json_schema_input_type=_Shared | tuple[_Shared, ...]),
]


class PReLU(Layer):
    """LeakyReLU with a learned factor for each input number (https://arxiv.org/abs/1502.01852)."""

    alpha_initializer: Initializer = Zeros()
    """The factors before the first step."""
    alpha_regularizer: Regularizer | None = None
    """A penalty on the factors, added to the loss."""
    shared_axes: SharedAxes | None = None
    """The axes along which one factor serves all: [1, 2] has one factor a channel."""


class ELU(Layer):
    """Keeps what is above 0; below, exp(x) - 1 times a factor (https://arxiv.org/abs/1511.07289)."""

    alpha: float = 1.0
    """That factor: the output never falls below its negative."""


class Softmax(Layer):
    """Turns numbers into shares that sum to 1."""

    axis: Axes = (-1,)
    """The axes along which they sum to 1: -1 is the channels."""

    @property
    def is_softmax(self) -> bool:  # noqa: D102 - of Layer
        return self.axis in {(-1,), (1,)}  # the output is [batch, classes]

    def before_softmax(self) -> None:  # noqa: D102 - of Layer
        return None
