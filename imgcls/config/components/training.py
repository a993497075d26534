"""The `training` section: epochs, batch size, devices, stages and the best epoch."""

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
    """Reads `auto` or an integer; a pydantic union would report each mistake twice."""
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
    """Stops training when a metric has stopped improving, like the Keras callback of this name."""

    monitor: MetricName = "val_loss"
    """Metric that is monitored."""
    min_delta: NotNegative = 0.0
    """Minimum change of the metric that counts as an improvement."""
    patience: Natural = 0
    """Number of consecutive evaluations without improvement after which training stops."""
    baseline: float | None = None
    """Baseline value of the metric; an improvement resets the patience only if it also beats the
    baseline."""
    start_from_epoch: Natural = 0
    """Number of epochs before the metric is monitored."""


class ReduceLROnPlateau(Section):
    """Lowers the learning rate when a metric has stopped improving, like the Keras callback."""

    monitor: MetricName = "val_loss"
    """Metric that is monitored."""
    factor: BetweenZeroAndOne = 0.1
    """Factor by which the learning rate is multiplied."""
    patience: Natural = 10
    """Number of consecutive evaluations without improvement after which the learning rate is
    lowered."""
    min_delta: NotNegative = 0.0001
    """Minimum change of the metric that counts as an improvement."""
    cooldown: Natural = 0
    """Number of evaluations after a reduction before patience is counted again."""
    min_lr: NotNegative = 0.0
    """Lower bound of the learning rate."""


class Stage(Section):
    """One stage of training: its epochs, the layers that it trains, and its optimizer."""

    epochs: Count
    """Number of epochs of the stage."""
    train: Selection = "all"
    """The layers whose weights are updated: all, head (the last layer with weights), or a list of
    places and names such as "layers[5:]"."""
    optimizer: Optimizer | None = None
    """The optimizer, which starts with a new state; if omitted, the top-level `optimizer`."""
    early_stopping: EarlyStopping | None = None
    """Ends the stage when a metric has stopped improving; if omitted, that of `training`."""
    reduce_lr_on_plateau: ReduceLROnPlateau | None = None
    """Lowers the learning rate of the stage on a plateau; if omitted, that of `training`."""


@dataclass(frozen=True)
class ResolvedStage:
    """A stage with all its settings filled in.

    Attributes:
        key: its key in the config: `training.stages[1]`, or `training` without `stages`.
        optimizer_key: the key of its optimizer in the config.
        epochs, train, optimizer, early_stopping, reduce_lr_on_plateau: as in `Stage`.
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
    """Epochs, batch size, devices, stages, early stopping and the best epoch."""

    epochs: Count = 10
    """Number of epochs."""
    batch_size: Count = 32
    """Number of images per step, over all replicas; the last batch of an epoch may be smaller."""
    steps_per_epoch: Count | None = None
    """Number of steps per epoch; if omitted, an epoch has every image once. After a shorter epoch,
    the next one continues where it ended."""
    precision: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    """Data type of the computation; auto is bfloat16 if the processor has units for it,
    and otherwise float32. float16 is for GPUs that have units for float16 but not for bfloat16."""
    device: Literal["auto", "cpu", "gpu"] = "auto"
    """Device to train on; auto uses a GPU if a usable one is found."""
    replicas: Replicas = "auto"
    """Number of devices among which each batch is divided; auto uses every GPU, or one CPU."""
    early_stopping: EarlyStopping | None = None
    """Ends training, or each stage, when a metric has stopped improving; off if omitted."""
    reduce_lr_on_plateau: ReduceLROnPlateau | None = None
    """Lowers the learning rate when a metric has stopped improving; off if omitted."""
    best: MetricName = "val_accuracy"
    """Metric that selects the best epoch, whose checkpoint is kept and used for evaluation and
    prediction."""
    class_weight: ClassWeight = None
    """Weights of the classes in the training loss, 1 for classes not listed; auto balances the
    classes."""
    train: Selection = "all"
    """The layers whose weights are updated: all, head (the last layer with weights), or a list of
    places and names such as "layers[5:]"."""
    stages: Annotated[tuple[Stage, ...], MinLen(1)] | None = None
    """Consecutive stages, each with its own epochs, layers and optimizer; if omitted, training has
    one stage."""
    average: Average | None = None
    """Average of the weights, evaluated instead of the raw weights; off if omitted."""
    normalization_statistics: Literal["moving", "recomputed"] = "moving"
    """Mean and variance that BatchNormalization uses in evaluation: moving averages, or recomputed
    from training images before each evaluation, which suits short training. For averaged weights
    they are always recomputed, except in layers that the stage freezes."""
    evaluate_every: Count = 1
    """Number of epochs between evaluations on the validation images; the last epoch is always
    evaluated."""
    report_steps: Count | None = None
    """Number of steps between additional rows in metrics.jsonl; if omitted, there is only one row
    per epoch."""
    checkpoint_seconds: Positive = 300.0
    """Seconds between checkpoints within an epoch; each epoch also ends with a checkpoint."""
    on_divergence: Literal["stop", "retry"] = "stop"
    """What to do when the loss is no longer finite: `stop` ends training, `retry` goes back to the last checkpoint with a quarter of the learning rate, at most three times."""  # noqa: E501 - the docs of a field are one line
    xla: bool = False
    """Whether to compile the training step with XLA; on a CPU, it halves the speed of convolutional
    networks."""

    def rules(self) -> Iterator[tuple[str, str]]:
        """Yields the violated rules that involve several keys."""
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
        """Returns the stages with all their settings filled in.

        Args:
            optimizer: the config's, for stages that have none of their own.
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
