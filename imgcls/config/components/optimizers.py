"""Optimizers, with Keras' names, fields and defaults.

To add one, write a subclass of `Optimizer` named as Keras' class, with Keras' defaults for its
fields; a test compares them with Keras' signature.
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any

from annotated_types import Ge, Gt, Le, Lt
from pydantic import PlainSerializer, PlainValidator, WithJsonSchema

from imgcls.config.components.schedules import Schedule
from imgcls.config.components.types import Fraction, NotNegative, Positive
from imgcls.config.language import messages
from imgcls.config.language.registry import Component

if TYPE_CHECKING:
    import keras


def _rate(value: Any) -> float | Schedule:  # noqa: ANN401
    """Reads a number or a schedule; a union would report each mistake once per alternative."""
    if isinstance(value, Schedule):
        return value
    if isinstance(value, Mapping) or (isinstance(value, str) and Schedule.lookup(value)):
        return Schedule.read(value)
    wanted = "expected a positive number or a schedule"
    try:
        rate = float(value)
    except (TypeError, ValueError):
        advice = messages.instead(str(value), Schedule.named(), "schedule")
        raise ValueError(f"{wanted}, got {messages.got(value)}; {advice}") from None
    if getattr(value, "quoted", False):
        raise ValueError(f"{wanted}, got text; write it without quotes")
    if isinstance(value, bool) or not 0 < rate < float("inf"):
        raise ValueError(f"{wanted}, got {messages.got(value)}")
    return rate


Rate = Annotated[
    float | Schedule,
    PlainValidator(_rate),
    PlainSerializer(lambda rate: rate.model_dump() if isinstance(rate, Schedule) else rate),
    WithJsonSchema(
        {"anyOf": [{"type": "number", "exclusiveMinimum": 0}, {"x-registry": "Schedule"}]}
    ),
]
"""A learning rate: a positive number or a schedule."""

Memory = Annotated[float, Ge(0), Lt(1)]
"""The decay rate of a moving average; at 1 it would never be updated."""

CLIPPING = ("clipnorm", "clipvalue", "global_clipnorm")


class Optimizer(Component):
    """An optimizer: updates the weights from the gradients."""

    learning_rate: Rate = 0.001
    """Learning rate: a positive number or a schedule."""
    weight_decay: NotNegative | None = None
    """Decoupled weight decay: each step scales the weights by 1 - learning_rate * weight_decay."""
    clipnorm: Positive | None = None
    """Maximum norm of the gradient of each variable; larger gradients are scaled down."""
    clipvalue: Positive | None = None
    """Maximum absolute value of each gradient element; larger values are clipped."""
    global_clipnorm: Positive | None = None
    """Maximum global norm of all gradients together; larger gradients are scaled down."""

    def rules(self) -> Iterator[tuple[str, str]]:
        """Yields the violated rule that gradients are clipped in one way."""
        given = [name for name in CLIPPING if getattr(self, name) is not None]
        for name in given[1:]:
            yield name, f"cannot be combined with {given[0]}; clip the gradients in one way"

    def build(self, steps_per_epoch: int, epochs: int) -> "keras.optimizers.Optimizer":
        """Returns the Keras optimizer without clipping.

        Under tf.distribute, Keras clips before the gradients of the replicas are summed, so that
        the result depends on their number; the engine clips after the reduction.

        Args:
            steps_per_epoch: converts the lengths of a schedule to steps.
            epochs: number of epochs of the run.
        """
        import keras

        arguments = {
            name: getattr(self, name) for name in type(self).model_fields if name not in CLIPPING
        }
        if isinstance(self.learning_rate, Schedule):
            arguments["learning_rate"] = self.learning_rate.build(steps_per_epoch, epochs)
        return getattr(keras.optimizers, type(self).__name__)(**arguments)


class SGD(Optimizer):
    """Stochastic gradient descent, optionally with momentum."""

    learning_rate: Rate = 0.01
    """Learning rate: a positive number or a schedule."""
    momentum: Fraction = 0.0
    """Momentum, from 0 to 1; 0 means none."""
    nesterov: bool = False
    """Whether to use Nesterov momentum."""

    def rules(self) -> Iterator[tuple[str, str]]:
        """Yields the violated rules between fields."""
        yield from super().rules()
        if self.nesterov and not self.momentum:
            yield "nesterov", "no effect without momentum"


class RMSprop(Optimizer):
    """Divides each gradient by the root of a moving average of its squares."""

    rho: Memory = 0.9
    """Decay rate of the moving average of squared gradients."""
    momentum: Fraction = 0.0
    """Momentum, from 0 to 1; 0 means none."""
    epsilon: Positive = 1e-7
    """Small constant for numerical stability."""
    centered: bool = False
    """Whether to divide by the estimated variance of the gradient instead of its second moment."""


class Adagrad(Optimizer):
    """Divides each gradient by the root of the sum of its past squares (Duchi 2011)."""

    initial_accumulator_value: NotNegative = 0.1
    """Initial value of the sums of squares."""
    epsilon: Positive = 1e-7
    """Small constant for numerical stability."""


class Adadelta(Optimizer):
    """Adapts the learning rate with moving averages of gradients and updates (arXiv 1212.5701)."""

    rho: Memory = 0.95
    """Decay rate of the moving averages."""
    epsilon: Positive = 1e-7
    """Small constant for numerical stability."""


class Adam(Optimizer):
    """Adam: adaptive estimates of first and second moments (arXiv 1412.6980)."""

    beta_1: Memory = 0.9
    """Exponential decay rate of the first-moment estimates."""
    beta_2: Memory = 0.999
    """Exponential decay rate of the second-moment estimates."""
    epsilon: Positive = 1e-7
    """Small constant for numerical stability."""
    amsgrad: bool = False
    """Whether to use the AMSGrad variant (https://openreview.net/forum?id=ryQu7f-RZ)."""


class AdamW(Optimizer):
    """Adam with decoupled weight decay, on by default (arXiv 1711.05101)."""

    weight_decay: NotNegative = 0.004
    """Decoupled weight decay: each step scales the weights by 1 - learning_rate * weight_decay."""
    beta_1: Memory = 0.9
    """Exponential decay rate of the first-moment estimates."""
    beta_2: Memory = 0.999
    """Exponential decay rate of the second-moment estimates."""
    epsilon: Positive = 1e-7
    """Small constant for numerical stability."""
    amsgrad: bool = False
    """Whether to use the AMSGrad variant (https://openreview.net/forum?id=ryQu7f-RZ)."""


class Nadam(Optimizer):
    """Adam with Nesterov momentum (Dozat 2016)."""

    beta_1: Memory = 0.9
    """Exponential decay rate of the first-moment estimates."""
    beta_2: Memory = 0.999
    """Exponential decay rate of the second-moment estimates."""
    epsilon: Positive = 1e-7
    """Small constant for numerical stability."""


class Lion(Optimizer):
    """Lion: updates by the sign of the momentum (arXiv 2302.06675)."""

    beta_1: Annotated[float, Gt(0), Le(1)] = 0.9
    """Weight of the momentum against the gradient in the update."""
    beta_2: Memory = 0.99
    """Exponential decay rate of the momentum."""
