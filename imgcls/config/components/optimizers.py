"""Optimizers: Keras' names, fields and defaults.

To add one, write a subclass of `Optimizer` with the name of Keras' class, and the fields of its own
with Keras' defaults; a test compares them with Keras' signature.
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
    wanted = "must be a number greater than 0 or a schedule"
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
"""A learning rate: a number above 0, or a schedule in its place."""

Memory = Annotated[float, Ge(0), Lt(1)]
"""The share of a moving average that each step keeps; 1 would never learn anything."""

CLIPPING = ("clipnorm", "clipvalue", "global_clipnorm")


class Optimizer(Component):
    """What moves the weights against the gradients."""

    learning_rate: Rate = 0.001
    """The length of a step: a number above 0, or a schedule in its place."""
    weight_decay: NotNegative | None = None
    """The share, times the learning rate, by which each step shrinks every weight."""
    clipnorm: Positive | None = None
    """The most that the norm of each variable's gradient may be; longer ones are scaled."""
    clipvalue: Positive | None = None
    """The most that each number of a gradient may be, up or down; larger ones are cut."""
    global_clipnorm: Positive | None = None
    """The most that the norm of all gradients together may be; longer ones are scaled."""

    def rules(self) -> Iterator[tuple[str, str]]:
        """Yields the rule that gradients are clipped in one way."""
        given = [name for name in CLIPPING if getattr(self, name) is not None]
        for name in given[1:]:
            yield name, f"no more than one way of clipping; {given[0]} is given already"

    def build(self, steps_per_epoch: int, epochs: int) -> "keras.optimizers.Optimizer":
        """Returns the Keras optimizer, without the clipping.

        Under tf.distribute Keras clips before the replicas' gradients are summed, so that the
        result depends on their number: the engine clips, after the reduction.

        Args:
            steps_per_epoch: what a schedule's epochs are made of.
            epochs: of the run.
        """
        import keras

        arguments = {
            name: getattr(self, name) for name in type(self).model_fields if name not in CLIPPING
        }
        if isinstance(self.learning_rate, Schedule):
            arguments["learning_rate"] = self.learning_rate.build(steps_per_epoch, epochs)
        return getattr(keras.optimizers, type(self).__name__)(**arguments)


class SGD(Optimizer):
    """Stochastic gradient descent, with momentum if wanted."""

    learning_rate: Rate = 0.01
    """The length of a step: a number above 0, or a schedule in its place."""
    momentum: Fraction = 0.0
    """The share of the last step that is added to the next, 0 to 1."""
    nesterov: bool = False
    """Whether the gradient is followed from where the momentum leads (Nesterov's way)."""

    def rules(self) -> Iterator[tuple[str, str]]:
        """Yields the broken rules between its fields."""
        yield from super().rules()
        if self.nesterov and not self.momentum:
            yield "nesterov", "no effect without momentum"


class RMSprop(Optimizer):
    """Divides each gradient by the root of the moving average of its square."""

    rho: Memory = 0.9
    """The share of the moving average of squares that each step keeps."""
    momentum: Fraction = 0.0
    """The share of the last step that is added to the next, 0 to 1."""
    epsilon: Positive = 1e-7
    """A small number that keeps the division finite."""
    centered: bool = False
    """Whether the gradient's variance takes the place of its mean square."""


class Adagrad(Optimizer):
    """Divides each gradient by the root of the sum of all its squares so far."""

    initial_accumulator_value: NotNegative = 0.1
    """What the sums of squares start from."""
    epsilon: Positive = 1e-7
    """A small number that keeps the division finite."""


class Adadelta(Optimizer):
    """Scales each gradient by a moving average of the steps so far (arXiv 1212.5701)."""

    rho: Memory = 0.95
    """The share of the moving averages that each step keeps."""
    epsilon: Positive = 1e-7
    """A small number that keeps the division finite."""


class Adam(Optimizer):
    """Moving averages of the gradients and of their squares (arXiv 1412.6980)."""

    beta_1: Memory = 0.9
    """The share of the moving average of gradients that each step keeps."""
    beta_2: Memory = 0.999
    """The share of the moving average of squares that each step keeps."""
    epsilon: Positive = 1e-7
    """A small number that keeps the division finite."""
    amsgrad: bool = False
    """Whether the largest average of squares so far divides, instead of the present one."""


class AdamW(Optimizer):
    """Adam with decoupled weight decay on by default (arXiv 1711.05101)."""

    weight_decay: NotNegative = 0.004
    """The share, times the learning rate, by which each step shrinks every weight."""
    beta_1: Memory = 0.9
    """The share of the moving average of gradients that each step keeps."""
    beta_2: Memory = 0.999
    """The share of the moving average of squares that each step keeps."""
    epsilon: Positive = 1e-7
    """A small number that keeps the division finite."""
    amsgrad: bool = False
    """Whether the largest average of squares so far divides, instead of the present one."""


class Nadam(Optimizer):
    """Adam with Nesterov's momentum."""

    beta_1: Memory = 0.9
    """The share of the moving average of gradients that each step keeps."""
    beta_2: Memory = 0.999
    """The share of the moving average of squares that each step keeps."""
    epsilon: Positive = 1e-7
    """A small number that keeps the division finite."""


class Lion(Optimizer):
    """Steps of one length along the sign of the momentum (arXiv 2302.06675)."""

    beta_1: Annotated[float, Gt(0), Le(1)] = 0.9
    """The share of the momentum, beside the gradient, in the direction of a step."""
    beta_2: Memory = 0.99
    """The share of the moving average of gradients that each step keeps."""
