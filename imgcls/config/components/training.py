"""The `training` section: for how long, in which batches, on what, and what counts as best."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from annotated_types import Gt, Lt
from pydantic import ConfigDict, PlainValidator, TypeAdapter, WithJsonSchema

from imgcls.config.components.metrics import MetricName
from imgcls.config.components.types import LARGEST, Count, Natural, NotNegative, Positive
from imgcls.config.language import messages
from imgcls.config.language.registry import Section, mistakes

BetweenZeroAndOne = Annotated[float, Gt(0), Lt(1)]

_weights: TypeAdapter[dict[str, float]] = TypeAdapter(
    dict[str, Positive], config=ConfigDict(defer_build=True, allow_inf_nan=False)
)


def _replicas(value: Any) -> int | Literal["auto"]:  # noqa: ANN401
    """Reads one or the other by its looks: a union would give each mistake twice."""
    if value == "auto":
        return "auto"
    wanted = "must be auto or a whole number of at least 1"
    try:
        replicas = int(value)
    except (TypeError, ValueError):
        replicas = 0
    if not 1 <= replicas <= LARGEST or isinstance(value, bool | float):
        raise ValueError(f"{wanted}, got {messages.got(value)}")
    if getattr(value, "quoted", False):
        raise ValueError(f"{wanted}, got text; write it without quotes")
    return replicas


def _class_weight(value: Any) -> dict[str, float] | Literal["auto"] | None:  # noqa: ANN401
    if value is None:
        return None
    if isinstance(value, str) and value == "auto":
        return "auto"
    if not isinstance(value, Mapping) or not value:
        wanted = "must be auto, or a weight for each class as {cat: 2, dog: 0.5}"
        raise ValueError(f"{wanted}, got {messages.got(value)}")
    quoted = [name for name, weight in value.items() if getattr(weight, "quoted", False)]
    if quoted:
        said = "must be a number, got text; write it without quotes"
        raise mistakes("class_weight", [((name,), "value", said) for name in quoted])
    return {str(name): weight for name, weight in _weights.validate_python(value).items()}


Replicas = Annotated[
    int | Literal["auto"],
    PlainValidator(_replicas),
    WithJsonSchema({"anyOf": [{"const": "auto"}, {"type": "integer", "minimum": 1}]}),
]

ClassWeight = Annotated[
    dict[str, float] | Literal["auto"] | None,
    PlainValidator(_class_weight),
    WithJsonSchema(
        {
            "anyOf": [
                {"const": "auto"},
                {
                    "type": "object",
                    "additionalProperties": {"type": "number", "exclusiveMinimum": 0},
                    "minProperties": 1,
                },
                {"type": "null"},
            ]
        }
    ),
]


class EarlyStopping(Section):
    """Ends the run once a metric has stopped improving, as Keras' callback of this name."""

    monitor: MetricName = "val_loss"
    """The metric that must go on improving."""
    min_delta: NotNegative = 0.0
    """The least change of the metric that counts as an improvement."""
    patience: Natural = 0
    """How many times in a row the metric may be measured without improving before the run ends."""
    baseline: float | None = None
    """A value of the metric; until it is beaten, an improvement gives no new patience."""
    start_from_epoch: Natural = 0
    """How many epochs pass before the metric is looked at."""


class ReduceLROnPlateau(Section):
    """Lowers the learning rate when a metric has stopped improving, as Keras' callback."""

    monitor: MetricName = "val_loss"
    """The metric that must go on improving."""
    factor: BetweenZeroAndOne = 0.1
    """What the learning rate is multiplied by."""
    patience: Natural = 10
    """How many times in a row the metric is measured without improving before the rate falls."""
    min_delta: NotNegative = 0.0001
    """The least change of the metric that counts as an improvement."""
    cooldown: Natural = 0
    """How many measurements pass after the rate fell before patience is counted again."""
    min_lr: NotNegative = 0.0
    """The learning rate never falls below this."""


class Ema(Section):
    """A moving average of the weights, which is evaluated and kept instead of the raw ones."""

    decay: BetweenZeroAndOne = 0.999
    """The share of the average that each step keeps; 0.999 averages about the last 1,000 steps."""


class Training(Section):
    """For how long, in which batches, on what the network is trained, and what counts as best."""

    epochs: Count = 10
    """How many epochs the run has."""
    batch_size: Count = 32
    """Images a step, over all replicas together; an epoch's last batch may be smaller."""
    steps_per_epoch: Count | None = None
    """Steps an epoch; left out, every image once. A shorter epoch is continued by the next one."""
    precision: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    """What the network computes in; auto is bfloat16 where the processor has units for it, and
    never float16, which is for GPUs that have units for that only."""
    device: Literal["auto", "cpu", "gpu"] = "auto"
    """What to train on; auto takes a GPU if there is a usable one."""
    replicas: Replicas = "auto"
    """Over how many devices each batch is divided; auto takes every GPU, or one CPU."""
    early_stopping: EarlyStopping | None = None
    """Ends the run once a metric has stopped improving; off if left out."""
    reduce_lr_on_plateau: ReduceLROnPlateau | None = None
    """Lowers the learning rate when a metric has stopped improving; off if left out."""
    best: MetricName = "val_accuracy"
    """The metric of the best epoch, whose checkpoint is kept, evaluated and used to predict."""
    class_weight: ClassWeight = None
    """Factors on the losses of classes, 1 if not named; auto makes every class count the same."""
    ema: Ema | None = None
    """A moving average of the weights, evaluated instead of the raw ones; off if left out."""
    evaluate_every: Count = 1
    """Epochs from one evaluation on the validation images to the next; the last always has one."""
    report_steps: Count | None = None
    """Steps from one line in metrics.jsonl to the next, beside the one of each epoch."""
    checkpoint_seconds: Positive = 300.0
    """Seconds from one checkpoint to the next inside an epoch; each epoch's end has one anyway."""
    on_divergence: Literal["stop", "retry"] = "stop"
    """What happens when the loss is not finite any more: `stop` ends the run, `retry` goes back to the last checkpoint with a quarter of the learning rate, three times at most."""  # noqa: E501 - the docs of a field are one line
    xla: bool = False
    """Whether XLA compiles the step; convolutional networks on a CPU run at half speed with it."""

    def rules(self) -> Iterator[tuple[str, str]]:
        """Yields the broken rules between its keys."""
        if self.early_stopping and self.early_stopping.start_from_epoch >= self.epochs:
            given = self.early_stopping.start_from_epoch
            message = f"must be less than epochs ({self.epochs}), got {given}"
            yield "early_stopping.start_from_epoch", message
