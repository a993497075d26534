"""From a checked config and its data to an engine that can take steps."""

import numpy as np
from numpy.typing import NDArray

from imgcls.config.components.layers.scalings import Normalization
from imgcls.config.components.schedules import Schedule
from imgcls.config.components.training import Training
from imgcls.config.config import Config
from imgcls.data import batch_source
from imgcls.data.batch_source import BatchSource
from imgcls.data.dataset import Data, Split
from imgcls.data.pipeline import steps_per_pass
from imgcls.data.traits import Traits
from imgcls.errors import ConfigError
from imgcls.evaluation.metrics import TOP
from imgcls.images.buffers import blocks
from imgcls.network import model
from imgcls.ops.scaled_schedule import ScaledSchedule
from imgcls.training import size
from imgcls.training.engine import Engine
from imgcls.training.machine import Machine


def traits_of(config: Config, data: Data) -> Traits:
    """Returns what the data decides; the moments only where a layer wants them.

    Raises:
        ConfigError: if a metric is asked for that so few classes do not have.
    """
    _check_metrics(config.training, len(data.classes))
    nested = (inner for layer in config.layers for inner in layer.nested())
    wants = any(isinstance(layer, Normalization) for layer in nested)
    mean, variance = moments(data.splits["train"]) if wants else ((), ())
    return Traits(
        classes=data.classes,
        size=data.size,
        stored=data.stored,
        channels=data.channels,
        resize=data.resize,
        mean=mean,
        variance=variance,
    )


def _check_metrics(training: Training, classes: int) -> None:
    wanted = {
        "best": training.best,
        "early_stopping.monitor": getattr(training.early_stopping, "monitor", None),
        "reduce_lr_on_plateau.monitor": getattr(training.reduce_lr_on_plateau, "monitor", None),
    }
    for key, metric in wanted.items():
        if metric == "val_top_5_accuracy" and classes <= TOP:
            raise ConfigError.at(
                f"training.{key}",
                f"{metric} is always 1 with {classes} classes; write val_accuracy",
            )


def moments(split: Split) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Returns the mean and the variance of each channel of a split's images in 0..1."""
    channels = split.pixels.shape[-1]
    # In whole numbers, so that the variance of a constant channel is exactly 0.
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


def engine_of(config: Config, data: Data, traits: Traits, machine: Machine) -> Engine:
    """Returns the engine of a config, at its first step.

    Raises:
        ConfigError: if a layer does not fit what comes before it, or memory does not suffice.
    """
    size.check(config, data, traits, machine)
    training = config.training
    steps = training.steps_per_epoch or steps_per_pass(
        len(data.splits["train"].labels), training.batch_size
    )
    with machine.strategy.scope():
        network = model.build(
            config.layers,
            traits,
            config.seed,
            precision=machine.precision,
            replicas=machine.replicas,
        )
        optimizer = config.optimizer.build(steps, training.epochs)
        scaled_schedule = None
        rate = config.optimizer.learning_rate
        if training.on_divergence == "retry" and isinstance(rate, Schedule):
            scaled_schedule = ScaledSchedule(rate.build(steps, training.epochs))
            optimizer.learning_rate = scaled_schedule
    engine = Engine(
        network,
        optimizer,
        config.optimizer,
        config.loss,
        machine.strategy,
        batch_source_of(config, data, machine),
        training,
        class_weights=class_weights(config, data),
    )
    engine.scaled_schedule = scaled_schedule
    return engine


def batch_source_of(config: Config, data: Data, machine: Machine) -> BatchSource:
    """Returns where the training batches of a config are made."""
    split, training = data.splits["train"], config.training
    given = (split, data.size, config.augmentation, training.batch_size, config.seed)
    if machine.on_gpu and machine.replicas == 1:
        return batch_source.on_device(*given, machine.strategy.extended.worker_devices[0])
    return batch_source.on_host(*given, smallest=machine.replicas)


def class_weights(config: Config, data: Data) -> NDArray[np.float32] | None:
    """Returns the weight of each class, or None for equal weights.

    Raises:
        ConfigError: if a class is named that the data does not have.
    """
    wanted = config.training.class_weight
    if wanted is None:
        return None
    labels = data.splits["train"].labels
    if wanted == "auto":
        counts = np.bincount(labels, minlength=len(data.classes))
        return (len(labels) / (len(data.classes) * np.maximum(counts, 1))).astype(np.float32)
    unknown = sorted(set(wanted) - set(data.classes))
    if unknown:
        known = ", ".join(data.classes[:20])
        raise ConfigError.at(
            f"training.class_weight.{unknown[0]}", f"unknown class; the data has {known}"
        )
    return np.array([wanted.get(name, 1.0) for name in data.classes], np.float32)
