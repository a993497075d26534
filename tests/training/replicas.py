"""Trains each case from stdin on one and on two logical devices, and writes JSON to stdout."""

import json
import sys
from functools import cache
from typing import Any

import numpy as np
import tensorflow as tf

cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)

from imgcls.config.config import Config  # noqa: E402
from imgcls.data.dataset import Data  # noqa: E402
from imgcls.data.pipeline import train_batches  # noqa: E402
from imgcls.network.weights import values  # noqa: E402
from imgcls.training import machine  # noqa: E402
from imgcls.training import prepare as preparing  # noqa: E402
from imgcls.training.machine import Machine  # noqa: E402
from tests import specs  # noqa: E402

IMAGES, BATCH, STEPS = 32, 8, 10


def config_of(case: dict[str, Any], replicas: int) -> Config:
    convolution: dict[str, Any] = {"filters": 4, "kernel_size": 3}
    if case.get("normalised"):
        # A bias right before a normalization has no gradient except rounding noise.
        convolution["use_bias"] = False
    if case.get("regularised"):
        convolution["kernel_regularizer"] = {"L2": {"l2": 0.05}}
    layers: list[Any] = [{"Conv2D": convolution}]
    layers += ["BatchNormalization"] if case.get("normalised") else []
    layers += ["ReLU", "Flatten", {"Dense": {"units": "classes", "activation": "softmax"}}]
    return Config.model_validate(
        {
            "dataset": {"name": "digits"},
            "layers": layers,
            "optimizer": {"SGD": {"learning_rate": 0.05, **case.get("clipping", {})}},
            "loss": "categorical_crossentropy",
            "training": {
                "batch_size": BATCH,
                "replicas": replicas,
                "device": "cpu",
                "precision": "float32",
                "class_weight": "auto" if case.get("weighted") else None,
                "average": {"EMA": {"decay": 0.8}} if case.get("averaged") else None,
            },
        }
    )


def data_of(case: dict[str, Any]) -> Data:
    images = IMAGES - BATCH + case.get("last", BATCH)
    rng = np.random.default_rng(0)
    labels = (np.arange(images) ** 2 % 3).astype(np.int32)
    pixels = rng.integers(0, 255, (images, 8, 8, 1), np.uint8)
    return specs.data_of(pixels, labels, ("a", "b", "c"))


@cache
def machine_of(replicas: int) -> Machine:
    """Caches one strategy per size: a second one would reuse the first one's collective keys."""
    return choose(config_of({}, replicas).training)


choose = machine.choose
machine.choose = lambda training: machine_of(int(training.replicas))


def run(case: dict[str, Any], replicas: int) -> list[list[float]]:
    config, data = config_of(case, replicas), data_of(case)
    assert machine_of(replicas).replicas == replicas
    prepared = preparing.prepare(config, data, lambda _: None)
    # One device gets the same batches as two, so that only the engine differs.
    targets = preparing.targets_of(config, data)
    batches = train_batches(
        data.splits["train"], (8, 8), (), BATCH, 0, range(STEPS), targets, smallest=2
    )
    rows = prepared.engine(0).advance(iter(batches), STEPS)
    assert rows[:, 2].max() == BATCH
    arrays = values(prepared.network.variables)
    if prepared.averaging:
        assert prepared.averaging.count == STEPS
        arrays |= {
            f"{name}/mean": value for name, value in values(prepared.averaging.variables).items()
        }
    weights = np.concatenate([each.ravel() for each in arrays.values()])
    return [(rows[:, 0] / rows[:, 2]).tolist(), weights.astype(float).tolist()]


if __name__ == "__main__":
    cases = json.load(sys.stdin)
    figures = {
        name: {str(count): run(case, count) for count in (1, 2)} for name, case in cases.items()
    }
    json.dump(figures, sys.stdout)
