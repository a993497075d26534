"""What a frozen layer does in training: each is a decision, told in docs/training.md."""

from typing import Any

import numpy as np
import pytest

from imgcls.config.config import Config
from imgcls.config.data_spec import DataSpec
from imgcls.data.dataset import Data, Split
from imgcls.events import Event, EventSink
from imgcls.training.engine import IMAGES, LOSS
from imgcls.training.prepare import Prepared, prepare

SPEC = DataSpec(classes=("a", "b", "c"), size=(8, 8), stored=(8, 8), channels=1, resize="stretch")
L2 = {"kernel_regularizer": {"L2": {"l2": 0.5}}}
CONV = {"filters": 4, "kernel_size": 3, "padding": "same"}
DENSE = {"Dense": {"units": "classes"}}


def ignore(event: Event) -> None:
    del event


def prepared(layers: list[Any], report: EventSink = ignore, **training: Any) -> Prepared:
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (32, 8, 8, 1), np.uint8)
    labels = np.arange(32, dtype=np.int32) % 3
    split = Split(pixels, labels, tuple(map(str, range(32))))
    config = Config.model_validate(
        {
            "dataset": {"name": "digits"},
            "layers": layers,
            "optimizer": {"SGD": {"learning_rate": 0.1}},
            "training": {
                **({} if "stages" in training else {"epochs": 1}),
                "batch_size": 16,
                "device": "cpu",
                **training,
            },
        }
    )
    return prepare(config, Data(SPEC, {"train": split}, {}), report)


def loss(training: Prepared, stage: int = 0) -> float:
    engine = training.engine(stage)
    row = engine.advance(engine.batches(range(1)), 1)[0]
    return float(row[LOSS] / row[IMAGES])


def test_the_loss_counts_the_regularizers_of_frozen_weights() -> None:
    """
    Keras leaves them out: the reported loss would jump where a stage thaws its layers.
    """
    layers = [{"Conv2D": CONV | L2}, "Flatten", DENSE]
    frozen = [{"Conv2D": CONV | L2 | {"trainable": False}}, "Flatten", DENSE]
    training = prepared(frozen)
    penalty = float(training.network.regularization_loss())
    kernel = training.network.variables["layers[0].Conv2D/kernel"].numpy()

    assert pytest.approx(0.5 * float((kernel**2).sum()), rel=1e-5) == penalty
    assert loss(training) == pytest.approx(loss(prepared(layers)), rel=1e-6)
    np.testing.assert_array_equal(kernel, training.network.variables["layers[0].Conv2D/kernel"])


def test_dropout_in_a_frozen_block_still_drops() -> None:
    """
    As in Keras: freezing is about weights, and the head must not rely on single features.
    """
    block = {"layers": [{"Conv2D": CONV}, {"Dropout": {"rate": 0.5}}]}
    training = prepared([{"Residual": block | {"trainable": False}}, "Flatten", DENSE])
    name = "layers[0].Residual.layers[1].Dropout/seed_generator_state"
    before = training.network.variables[name].numpy()
    images = np.ones((2, 8, 8, 1), np.float32)
    training.engine(0)
    one, other = (np.asarray(training.network.model(images, training=True)) for _ in range(2))

    assert not np.array_equal(one, other)
    assert not np.array_equal(before, training.network.variables[name])


def test_normalization_in_a_frozen_block_uses_its_moving_statistics_and_keeps_them() -> None:
    """
    As in Keras: the statistics of a pretrained backbone belong to its weights.
    """
    block = {"layers": [{"Conv2D": CONV}, {"BatchNormalization": {"momentum": 0.5}}]}
    layer = "layers[0].Residual.layers[1].BatchNormalization"
    names = [f"{layer}/moving_{each}" for each in ("mean", "variance")]
    for frozen in (False, True):
        training = prepared(
            [{"Residual": block | {"trainable": not frozen}}, "Flatten", DENSE],
            normalization_statistics="recomputed",
        )
        before = [training.network.variables[name].numpy() for name in names]
        images = np.random.default_rng(1).random((16, 8, 8, 1), np.float32)
        training.engine(0)
        trained = np.asarray(training.network.model(images, training=True))
        evaluated = np.asarray(training.network.model(images, training=False))
        after = [training.network.variables[name].numpy() for name in names]

        assert frozen == np.array_equal(before, after)
        assert frozen == np.allclose(trained, evaluated, atol=1e-6)


def test_a_stage_thaws_only_what_it_selects() -> None:
    """
    Keras' flag of a block sets all that is inside: a layer that was frozen on purpose would learn.
    """
    inner = [{"Conv2D": CONV | {"trainable": False}}, {"Conv2D": CONV}]
    stages = [{"epochs": 1, "train": "head"}, {"epochs": 1}]
    training = prepared(
        [{"Residual": {"layers": inner}}, "Flatten", DENSE],
        epochs=10,
        stages=stages,
    )
    training.engine(0)
    first = {n for n, v in training.network.variables.items() if v.trainable}
    training.engine(1)
    second = {n for n, v in training.network.variables.items() if v.trainable}

    assert {"layers[2].Dense/kernel", "layers[2].Dense/bias"} == first
    assert second - first >= {"layers[0].Residual.layers[1].Conv2D/kernel"}
    assert "layers[0].Residual.layers[0].Conv2D/kernel" not in second
