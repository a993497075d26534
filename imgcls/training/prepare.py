"""Prepares and checks everything that training needs, for both `train` and `check`."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from imgcls.config.components.layers.scalings import Normalization
from imgcls.config.components.schedules import Schedule
from imgcls.config.components.training import Training
from imgcls.config.config import Config
from imgcls.config.data_spec import DataSpec
from imgcls.data import batch_source
from imgcls.data.batch_source import BatchSource
from imgcls.data.dataset import Data, Split
from imgcls.data.targets import Targets
from imgcls.errors import ConfigError
from imgcls.evaluation.metrics import TOP
from imgcls.events import EventSink, Noted, Warned
from imgcls.images.buffers import blocks
from imgcls.network import network as networks
from imgcls.network.network import Network
from imgcls.network.normalization_statistics import normalizations
from imgcls.ops.scaled_schedule import ScaledSchedule
from imgcls.training import lagging, size
from imgcls.training import machine as machines
from imgcls.training.averaging import Averaging
from imgcls.training.engine import Engine, StageOptimizer
from imgcls.training.machine import Machine
from imgcls.training.plan import Plan, plan_of

if TYPE_CHECKING:
    from collections.abc import Sequence


IMBALANCE = 10
"""Ratio of the largest class to the smallest from which on a warning is given."""


@dataclass(frozen=True)
class Prepared:
    """Everything that training needs, checked.

    Attributes:
        config: the config.
        data: the splits.
        spec: the data spec that the network is built from.
        machine: the devices and the precision.
        network: the network with its initial weights.
        plan: the stages.
        batch_source: the source of the batches.
        averaging: the average of the weights, or None.
    """

    config: Config
    data: Data
    spec: DataSpec
    machine: Machine
    network: Network
    plan: Plan
    batch_source: BatchSource
    averaging: Averaging | None

    def engine(self, stage: int) -> Engine:
        """Returns the engine of a stage, with a new optimizer.

        Sets which layers are trainable; engines of other stages must take no more steps.

        Args:
            stage: the number of the stage, from 0.
        """
        planned, training = self.plan.stages[stage], self.config.training
        for each in self.network.layers:
            if not each.inner:  # on a composite layer, it would also set the layers inside it
                each.layer.trainable = each.key in planned.trained
        averaged = self.averaging and self.averaging.average.every == "step"
        with self.machine.strategy.scope():
            return Engine(
                self.network,
                self._optimizer(stage),
                self.config.loss,
                self.machine.strategy,
                self.batch_source,
                averaging=self.averaging if averaged else None,
                xla=training.xla,
            )

    def _optimizer(self, stage: int) -> StageOptimizer:
        settings, steps = self.plan.stages[stage].settings, self.plan.steps_per_epoch
        optimizer, schedule = settings.optimizer.build(steps, settings.epochs), None
        rate = settings.optimizer.learning_rate
        if self.config.training.on_divergence == "retry" and isinstance(rate, Schedule):
            schedule = ScaledSchedule(rate.build(steps, settings.epochs))
            optimizer.learning_rate = schedule
        return StageOptimizer(optimizer, settings.optimizer, schedule)


def prepare(config: Config, data: Data, report: EventSink) -> Prepared:
    """Returns everything that training needs.

    Args:
        config: the checked config.
        data: the data, with a train split.
        report: receives events: warnings, and the device.

    Raises:
        ConfigError: if a layer, a stage or a metric does not fit, or there is not enough memory.
        ResourceError: if the requested device cannot be used.
    """
    machine = machines.choose(config.training)
    for warning in machine.warnings:
        report(Warned(warning))
    report(Noted(f"Device: {machine.device}, precision {machine.precision}"))
    _check_metrics(config.training, len(data.spec.classes))
    if imbalanced := imbalance(config.training, data):
        report(Warned(imbalanced))
    spec = with_moments(config, data)
    images = len(data.splits["train"].labels)
    size.check(config, images, spec, machine)
    with machine.strategy.scope():
        network = networks.build(
            config.layers,
            spec,
            config.seed,
            precision=machine.precision,
            replicas=machine.replicas,
        )
        average = config.training.average
        averaging = Averaging(average, network) if average else None
    plan = plan_of(config, images, network.layers)
    if config.training.normalization_statistics == "moving" and averaging is None:
        for warning in lagging.warnings(plan, normalizations(network)):
            report(Warned(warning))
    source = batch_source_of(config, data, machine)
    return Prepared(config, data, spec, machine, network, plan, source, averaging)


def with_moments(config: Config, data: Data) -> DataSpec:
    """Returns the data spec, with mean and variance of the images if a layer needs them."""
    nested = (inner for layer in config.layers for inner in layer.nested())
    if not any(isinstance(layer, Normalization) for layer in nested):
        return data.spec
    mean, variance = moments(data.splits["train"])
    return data.spec.model_copy(update={"mean": mean, "variance": variance})


def _check_metrics(training: Training, classes: int) -> None:
    monitors: list[tuple[str, object]] = [("training.best", training.best)]
    sections: Sequence[tuple[str, object]] = [
        ("training", training),
        *((f"training.stages[{at}]", each) for at, each in enumerate(training.stages or ())),
    ]
    for key, section in sections:
        for name in ("early_stopping", "reduce_lr_on_plateau"):
            monitor = getattr(getattr(section, name), "monitor", None)
            monitors.append((f"{key}.{name}.monitor", monitor))
    for key, metric in monitors:
        if metric == "val_top_5_accuracy" and classes <= TOP:
            raise ConfigError.at(
                key, f"{metric} is always 1 with {classes} classes; write val_accuracy"
            )


def imbalance(training: Training, data: Data) -> str | None:
    """Returns a warning if accuracy selects the best epoch although it hides the small classes."""
    counts = np.bincount(data.splits["train"].labels, minlength=len(data.spec.classes))
    least, most = int(counts.argmin()), int(counts.argmax())
    weighted = training.class_weight is not None
    if weighted or training.best != "val_accuracy" or counts[most] < IMBALANCE * counts[least]:
        return None
    names = data.spec.classes
    return (
        f"imbalanced classes: {counts[most]:,} training images of {names[most]!r}, "
        f"{counts[least]:,} of {names[least]!r}; accuracy hardly depends on the small classes: "
        "write training.best: val_macro_f1 to select the best epoch, or class_weight: auto"
    )


def moments(split: Split) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Returns the mean and the variance of each channel of a split's images in 0..1."""
    channels = split.pixels.shape[-1]
    # In integers, so that the variance of a constant channel is exactly 0.
    total, squares, count = np.zeros(channels, object), np.zeros(channels, object), 0
    for pixels in blocks(split.pixels):
        values = pixels.reshape(-1, channels).astype(np.int64)
        total += values.sum(axis=0).astype(object)
        squares += np.square(values).sum(axis=0).astype(object)
        count += len(values)
    pairs = list(zip(total, squares, strict=True))
    mean = tuple(each / (count * 255) for each, _ in pairs)
    variance = tuple((count * high - low**2) / (count * 255) ** 2 for low, high in pairs)
    return mean, variance


def batch_source_of(config: Config, data: Data, machine: Machine) -> BatchSource:
    """Returns the source of the training batches of a config."""
    split, training = data.splits["train"], config.training
    given = (split, data.spec.size, config.augmentation, training.batch_size, config.seed)
    targets = targets_of(config, data)
    if machine.on_gpu and machine.replicas == 1:
        return batch_source.on_device(*given, targets, machine.strategy.extended.worker_devices[0])
    return batch_source.on_host(*given, targets, smallest=machine.replicas)


def targets_of(config: Config, data: Data) -> Targets:
    """Returns the targets and weights of the training images.

    Raises:
        ConfigError: if a weight is given for a class that the data does not have.
    """
    return Targets(len(data.spec.classes), config.loss.smoothing, class_weights(config, data))


def class_weights(config: Config, data: Data) -> NDArray[np.float32] | None:
    """Returns the weight of each class, or None for equal weights.

    Raises:
        ConfigError: if a weight is given for a class that the data does not have.
    """
    wanted, classes = config.training.class_weight, data.spec.classes
    if wanted is None:
        return None
    labels = data.splits["train"].labels
    if wanted == "auto":
        counts = np.bincount(labels, minlength=len(classes))
        return (len(labels) / (len(classes) * np.maximum(counts, 1))).astype(np.float32)
    unknown = sorted(set(wanted) - set(classes))
    if unknown:
        known = ", ".join(classes[:20])
        raise ConfigError.at(
            f"training.class_weight.{unknown[0]}", f"unknown class; the data has {known}"
        )
    return np.array([wanted.get(name, 1.0) for name in classes], np.float32)
