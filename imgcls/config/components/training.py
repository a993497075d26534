"""The `training` section: for how long, in which batches, on what, and what counts as best."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from annotated_types import Gt, Lt, MinLen
from pydantic import ConfigDict, PlainValidator, TypeAdapter, WithJsonSchema

from imgcls.config.components.averages import Average
from imgcls.config.components.layers.selection import Selection
from imgcls.config.components.metrics import MetricName
from imgcls.config.components.optimizers import Optimizer
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
    """Metric that is monitored."""
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
    """Metric that is monitored."""
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


class Stage(Section):
    """One stage of a training: for how long, which layers are trained, and how."""

    epochs: Count
    """Number of epochs of the stage."""
    train: Selection = "all"
    """The layers whose weights are updated: all, head (the last layer with weights), or a list of
    places and names such as "layers[5:]"."""
    optimizer: Optimizer | None = None
    """The optimizer, which starts afresh; left out, the config's."""
    early_stopping: EarlyStopping | None = None
    """Ends the stage once a metric has stopped improving; left out, that of `training`."""
    reduce_lr_on_plateau: ReduceLROnPlateau | None = None
    """Lowers the learning rate of the stage on a plateau; left out, that of `training`."""


@dataclass(frozen=True)
class ResolvedStage:
    """A stage with everything that it uses.

    Attributes:
        key: where it is written: `training.stages[1]`, or `training` for a training of one stage.
        optimizer_key: where its optimizer is written.
        epochs, train, optimizer, early_stopping, reduce_lr_on_plateau: as `Stage` has them.
    """

    key: str
    optimizer_key: str
    epochs: int
    train: Selection
    optimizer: Optimizer
    early_stopping: EarlyStopping | None
    reduce_lr_on_plateau: ReduceLROnPlateau | None

    @property
    def learning_rate_key(self) -> str:
        """The key of its learning rate."""
        return f"{self.optimizer_key}.{self.optimizer.identifier()}.learning_rate"


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
    train: Selection = "all"
    """The layers whose weights are updated: all, head (the last layer with weights), or a list of
    places and names such as "layers[5:]"."""
    stages: Annotated[tuple[Stage, ...], MinLen(1)] | None = None
    """Stages that follow each other, each with its own epochs, layers and optimizer; left out, the
    training has one."""
    average: Average | None = None
    """Average of the weights that is evaluated instead of the raw ones; off if left out."""
    normalization_statistics: Literal["moving", "recomputed"] = "moving"
    """The mean and variance by which BatchNormalization normalizes in evaluation: moving averages,
    or recomputed from training images before each evaluation, which suits short trainings. Those of
    averaged weights are always recomputed, except in layers that the stage freezes."""
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
        if self.stages is None:
            yield from _start(self.early_stopping, self.epochs, "early_stopping")
            return
        for name in ("epochs", "train"):
            if getattr(self, name) != type(self).model_fields[name].default:
                yield name, "no effect with stages; each of them has its own"
        for number, stage in enumerate(self.stages):
            key = f"stages[{number}].early_stopping" if stage.early_stopping else "early_stopping"
            yield from _start(stage.early_stopping or self.early_stopping, stage.epochs, key)

    def resolved(self, optimizer: Optimizer) -> tuple[ResolvedStage, ...]:
        """Returns the stages with everything that they use.

        Args:
            optimizer: the config's, of stages that have none of their own.
        """
        stages = self.stages or (Stage(epochs=self.epochs, train=self.train),)
        keys = [f"training.stages[{at}]" for at in range(len(stages))]
        return tuple(
            ResolvedStage(
                key if self.stages else "training",
                f"{key}.optimizer" if stage.optimizer else "optimizer",
                stage.epochs,
                stage.train,
                stage.optimizer or optimizer,
                stage.early_stopping or self.early_stopping,
                stage.reduce_lr_on_plateau or self.reduce_lr_on_plateau,
            )
            for key, stage in zip(keys, stages, strict=True)
        )


def _start(early: EarlyStopping | None, epochs: int, key: str) -> Iterator[tuple[str, str]]:
    if early and early.start_from_epoch >= epochs:
        message = f"must be less than epochs ({epochs}), got {early.start_from_epoch}"
        yield f"{key}.start_from_epoch", message
