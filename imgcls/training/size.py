"""Lower bounds of the memory that training needs, checked before any of it is allocated.

A config that exceeds them cannot be trained on this machine. One that does not may still need too
much; then TensorFlow's own error is reported, translated by `imgcls.ops.memory`.
"""

from collections import Counter
from collections.abc import Iterable
from math import prod

import keras
import tensorflow as tf

from imgcls import memory
from imgcls.config.components.layers.building import location
from imgcls.config.components.optimizers import Optimizer
from imgcls.config.config import Config
from imgcls.config.data_spec import DataSpec
from imgcls.errors import ConfigError
from imgcls.memory import amount
from imgcls.network.network import Network, shapes_only
from imgcls.training.machine import Machine
from imgcls.training.plan import PlannedStage, plan_of

_PROBE = (3, 5)  # a shape that no other variable of an optimizer has
_PIXEL_BYTES = 4  # batches are float32 in every precision


def check(config: Config, images: int, spec: DataSpec, machine: Machine) -> None:
    """Checks that there is enough memory for a batch, for the network's state, and for a step.

    On a GPU, only the batch is checked, against host memory: TensorFlow does not report how much
    memory a GPU has.

    Args:
        config: the config.
        images: the number of training images.
        spec: the data spec.
        machine: the devices to train on.

    Raises:
        ConfigError: if there is not enough, with the key that needs the most.
    """
    free = memory.free()
    if free is None:
        return
    images = min(config.training.batch_size, images)
    _check_batch(images, _PIXEL_BYTES * prod(spec.size) * spec.channels, free)
    if machine.on_gpu:
        return
    network = shapes_only(
        config.layers, spec, precision=machine.precision, replicas=machine.replicas
    )
    for stage in plan_of(config, images, network.layers).stages:
        _check_stage(config, stage, network, images, free // machine.replicas)


def _check_stage(
    config: Config, stage: PlannedStage, network: Network, images: int, free: int
) -> None:
    copies = slots(stage.settings.optimizer)
    taken: Counter[str] = Counter()
    kept: Counter[str] = Counter()
    largest = 0  # gradient
    for each in network.layers:
        if each.inner:
            continue
        key = location(each.place)  # shared by the repetitions of a Repeat, which are summed
        own, trained = each.layer.variables, each.layer.trainable_variables
        taken[key] += _bytes(own) * (1 if config.training.average is None else 2)
        if each.key in stage.trained:
            taken[key] += _bytes(trained) * copies
            kept[key] += activations(each.layer)
            largest = max([largest, *(_bytes([variable]) for variable in trained)])
    _check_state(taken, largest, free)
    if not config.training.xla:  # it may recompute a layer's input instead of keeping it
        _check_step(images, kept, taken.total(), free)


def slots(optimizer: Optimizer) -> int:
    """Returns the number of values that an optimizer keeps per weight."""
    probed = optimizer.model_copy(update={"learning_rate": 0.001}).build(1, 1)
    probed.build([keras.Variable(tf.zeros(_PROBE))])
    return sum(tuple(each.shape) == _PROBE for each in probed.variables)


def activations(layer: keras.Layer) -> int:
    """Returns the bytes per image that a trained layer keeps for the gradient of its weights.

    That is its input. Whether more is kept depends on what TensorFlow fuses or computes in place.
    """
    return int(prod(layer.input.shape[1:]) * tf.as_dtype(layer.compute_dtype).size)


def _bytes(variables: Iterable[keras.Variable]) -> int:
    return sum(prod(each.shape) * tf.as_dtype(each.dtype).size for each in variables)


def _check_batch(images: int, image: int, free: int) -> None:
    if image > free:
        message = f"one image needs {amount(image)}, {amount(free)} are free"
        raise ConfigError.at("dataset.size", message)
    if images * image > free:
        raise ConfigError.at(
            "training.batch_size",
            f"{images:,} images need {amount(images * image)}, {amount(free)} are free; "
            f"{free // image:,} are the most",
        )


def _check_state(taken: Counter[str], gradient: int, free: int) -> None:
    needed = taken.total() + gradient
    if needed > free:
        ((key, most),) = taken.most_common(1)
        raise ConfigError.at(
            key,
            f"the network with its optimizer needs {amount(needed)} at least, {amount(free)} are "
            f"free; this layer needs the most, {amount(most)}",
        )


def _check_step(images: int, kept: Counter[str], taken: int, free: int) -> None:
    fitting = (free - taken) // max(kept.total(), 1)
    if images <= fitting:
        return
    ((key, most),) = kept.most_common(1)
    needed = taken + (images if fitting else 1) * kept.total()
    message = f"{amount(needed)} at least, {amount(free)} are free"
    if fitting:
        message = f"a step of {images:,} images needs {message}; {fitting:,} are the most"
        raise ConfigError.at(
            "training.batch_size", f"{message}, for {key} keeps {amount(most)} each"
        )
    raise ConfigError.at(
        key, f"a step of one image needs {message}; this layer keeps {amount(most)}"
    )
