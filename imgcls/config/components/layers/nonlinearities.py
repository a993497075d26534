"""Activations as layers, for those with options or after a normalization."""

from typing import Annotated

from annotated_types import Ge, Le, MinLen
from pydantic import BeforeValidator, Field

from imgcls.config.components.activations import ActivationName
from imgcls.config.components.initializers import Initializer, Zeros
from imgcls.config.components.layers.axes import Axes, as_tuple
from imgcls.config.components.layers.layer import Layer
from imgcls.config.components.regularizers import Regularizer
from imgcls.config.components.types import NotNegative


class Activation(Layer):
    """Applies an activation function."""

    activation: ActivationName = Field(examples=["relu"])
    """Name of the activation function."""

    def before_softmax(self) -> None:  # noqa: D102 - of Layer
        return None


class ReLU(Layer):
    """Rectified linear unit: max(x, 0)."""

    max_value: NotNegative | None = None
    """Upper bound of the output; null means unbounded, 6 gives ReLU6."""
    negative_slope: NotNegative = 0.0
    """Slope for inputs below the threshold."""
    threshold: NotNegative = 0.0
    """Inputs below this value count as negative."""


class LeakyReLU(Layer):
    """Leaky ReLU: a small slope for negative inputs."""

    negative_slope: NotNegative = 0.3
    """Slope for negative inputs."""


_Shared = Annotated[int, Ge(1), Le(3)]
SharedAxes = Annotated[
    tuple[_Shared, ...],
    MinLen(1),
    BeforeValidator(as_tuple, json_schema_input_type=_Shared | tuple[_Shared, ...]),
]


class PReLU(Layer):
    """Parametric ReLU: LeakyReLU with learned slopes (https://arxiv.org/abs/1502.01852)."""

    alpha_initializer: Initializer = Zeros()
    """Initializer of the slopes."""
    alpha_regularizer: Regularizer | None = None
    """Regularizer of the slopes."""
    shared_axes: SharedAxes | None = None
    """Axes along which the slopes are shared; [1, 2] gives one slope per channel."""


class ELU(Layer):
    """Exponential linear unit: alpha * (exp(x) - 1) for x < 0 (https://arxiv.org/abs/1511.07289)."""

    alpha: float = 1.0
    """Scale for negative inputs; the output is greater than -alpha."""


class Softmax(Layer):
    """Converts logits to probabilities that sum to 1."""

    axis: Axes = (-1,)
    """Axis, or list of axes, along which the output sums to 1; -1 is the channel axis."""

    @property
    def is_softmax(self) -> bool:  # noqa: D102 - of Layer
        return self.axis in {(-1,), (1,)}  # the output is [batch, classes]

    def before_softmax(self) -> None:  # noqa: D102 - of Layer
        return None
