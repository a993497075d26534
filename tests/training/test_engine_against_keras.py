"""The engine matches Keras' `fit`: one table of losses, optimizers, regularizers and schedules."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from imgcls.config.components.layers import Layer
from imgcls.config.components.losses import Loss
from imgcls.config.components.optimizers import Optimizer
from imgcls.config.components.regularizers import Regularizer
from imgcls.config.components.schedules import Schedule
from imgcls.data.batch_source import BatchSource
from imgcls.data.targets import Targets
from imgcls.network.network import Network, build
from imgcls.training import engine
from imgcls.training.engine import IMAGES, LOSS, Engine, StageOptimizer
from tests.specs import spec_of

STEPS, BATCH, CLASSES = 20, 16, 3
EPOCHS, STEPS_PER_EPOCH = 4, 5  # for the schedules
SPEC = spec_of(("a", "b", "c"))
DIGITS = 5e-5  # relative, or absolute below 1

schedules = keras.optimizers.schedules

OPTIMIZERS: dict[str, tuple[dict[str, Any], Callable[[], Any]]] = {
    "SGD": ({}, keras.optimizers.SGD),
    "SGD, nesterov, clipnorm": (
        {"learning_rate": 0.05, "momentum": 0.9, "nesterov": True, "clipnorm": 0.1},
        lambda: keras.optimizers.SGD(0.05, momentum=0.9, nesterov=True, clipnorm=0.1),
    ),
    "RMSprop": (
        {"centered": True, "momentum": 0.5},
        lambda: keras.optimizers.RMSprop(centered=True, momentum=0.5),
    ),
    "Adagrad": ({}, keras.optimizers.Adagrad),
    "Adadelta": ({"learning_rate": 1.0}, lambda: keras.optimizers.Adadelta(1.0)),
    "Adam": ({}, keras.optimizers.Adam),
    "Adam, amsgrad, global_clipnorm": (
        {"amsgrad": True, "global_clipnorm": 0.2},
        lambda: keras.optimizers.Adam(amsgrad=True, global_clipnorm=0.2),
    ),
    "AdamW": (
        {"weight_decay": 0.1, "clipvalue": 0.01},
        lambda: keras.optimizers.AdamW(weight_decay=0.1, clipvalue=0.01),
    ),
    "Nadam": ({}, keras.optimizers.Nadam),
    "Lion": ({"weight_decay": 0.1}, lambda: keras.optimizers.Lion(weight_decay=0.1)),
}

LOSSES: dict[str, tuple[dict[str, Any], Callable[[], Any], bool]] = {
    # (fields, Keras' loss on probabilities, whether it takes one-hot labels)
    "categorical_crossentropy": ({}, keras.losses.CategoricalCrossentropy, True),
    "categorical_crossentropy, smoothed": (
        {"label_smoothing": 0.2},
        lambda: keras.losses.CategoricalCrossentropy(label_smoothing=0.2),
        True,
    ),
    "sparse_categorical_crossentropy": ({}, keras.losses.SparseCategoricalCrossentropy, False),
    "categorical_focal_crossentropy": (
        {"alpha": 0.3, "gamma": 1.5, "label_smoothing": 0.1},
        lambda: keras.losses.CategoricalFocalCrossentropy(
            alpha=0.3, gamma=1.5, label_smoothing=0.1
        ),
        True,
    ),
    "mean_squared_error": ({}, keras.losses.MeanSquaredError, True),
    "mean_absolute_error": ({}, keras.losses.MeanAbsoluteError, True),
}

REGULARIZERS: dict[str, dict[str, Any]] = {
    "L1": {"l1": 0.02},
    "L2": {"l2": 0.02},
    "L1L2": {"l1": 0.01, "l2": 0.03},
}

SCHEDULES: dict[str, tuple[dict[str, Any], Callable[[], Any]]] = {
    "CosineDecay": (
        {"initial_learning_rate": 0.02, "alpha": 0.1},
        lambda: schedules.CosineDecay(0.02, EPOCHS * STEPS_PER_EPOCH, 0.1),
    ),
    "CosineDecay, warm": (
        {"initial_learning_rate": 0.02, "warmup_epochs": 1},
        lambda: schedules.CosineDecay(
            0.0, 3 * STEPS_PER_EPOCH, warmup_target=0.02, warmup_steps=STEPS_PER_EPOCH
        ),
    ),
    "ExponentialDecay": (
        {"initial_learning_rate": 0.02, "decay_epochs": 2, "decay_rate": 0.5, "staircase": True},
        lambda: schedules.ExponentialDecay(0.02, 2 * STEPS_PER_EPOCH, 0.5, staircase=True),
    ),
    "PiecewiseConstantDecay": (
        {"boundaries": [1, 3], "values": [0.02, 0.01, 0.001]},
        # At the boundary Keras still has the old value; ours changes where the epoch begins.
        lambda: schedules.PiecewiseConstantDecay([4, 14], [0.02, 0.01, 0.001]),
    ),
    "PolynomialDecay": (
        {"initial_learning_rate": 0.02, "end_learning_rate": 0.001, "power": 2.0},
        lambda: schedules.PolynomialDecay(0.02, EPOCHS * STEPS_PER_EPOCH, 0.001, power=2.0),
    ),
}


def network(regularizer: dict[str, Any] | None = None) -> Network:
    dense: dict[str, Any] = {"units": "classes", "activation": "softmax"}
    if regularizer:
        dense["kernel_regularizer"] = regularizer
    layers = [
        {"Conv2D": {"filters": 4, "kernel_size": 3, "activation": "tanh"}},
        "BatchNormalization",
        "Flatten",
        {"Dense": dense},
    ]
    return build([Layer.read(layer) for layer in layers], SPEC, seed=1)


def batches() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, CLASSES, STEPS * BATCH).astype(np.int32)
    images = rng.random((STEPS * BATCH, 8, 8, 1)).astype(np.float32)
    images[:, :4] *= (labels[:, None, None, None] + 1) / CLASSES
    return images, labels


def source(loss: Loss, weights: Any = None) -> BatchSource:
    """Returns the batches of every step, with targets for a loss."""
    images, labels = batches()
    targets = Targets(CLASSES, loss.smoothing, weights).lookup(labels)(np.arange(len(labels)))
    return BatchSource(
        lambda _: tf.data.Dataset.from_tensor_slices((images, *targets)).batch(BATCH)
    )


def made(
    optimizer: Optimizer, loss: Loss, regularizer: Any = None, weights: Any = None
) -> tuple[Network, Engine]:
    strategy = tf.distribute.OneDeviceStrategy("/cpu:0")
    with strategy.scope():
        net = network(regularizer)
        built = StageOptimizer(optimizer.build(STEPS_PER_EPOCH, EPOCHS), optimizer)
        return net, Engine(net, built, loss, strategy, source(loss, weights))


def ours(
    optimizer: Optimizer, loss: Loss, regularizer: Any = None, weights: Any = None
) -> tuple[list[float], list[np.ndarray]]:
    net, engine = made(optimizer, loss, regularizer, weights)
    data = engine.batches(range(STEPS))
    rows = np.concatenate([engine.advance(data, 7), engine.advance(data, STEPS - 7)])
    return list(rows[:, LOSS] / rows[:, IMAGES]), arrays(net)


def arrays(net: Network) -> list[np.ndarray]:
    return [np.asarray(each) for each in net.variables.values()]


def kerases(
    optimizer: Any, loss: Any, one_hot: bool, regularizer: Any = None, weights: Any = None
) -> tuple[list[float], list[np.ndarray]]:
    net = network(regularizer)
    whole = keras.Sequential([net.model, keras.layers.Softmax()])
    whole.compile(optimizer=optimizer, loss=loss, jit_compile=False)
    means: list[float] = []
    images, labels = batches()
    whole.fit(
        images,
        keras.utils.to_categorical(labels, CLASSES) if one_hot else labels,
        batch_size=BATCH,
        shuffle=False,
        verbose=0,
        class_weight=weights,
        callbacks=[
            keras.callbacks.LambdaCallback(
                on_train_batch_end=lambda _, logs: means.append(logs["loss"])
            )
        ],
    )
    # Keras reports the mean since the start of the epoch.
    steps = np.arange(1, STEPS + 1)
    sums = np.array(means) * steps
    return list(np.diff(sums, prepend=0.0)), arrays(net)


def assert_equal(one: Any, other: Any) -> None:
    np.testing.assert_allclose(one[0], other[0], rtol=DIGITS, atol=DIGITS)
    for mine, theirs in zip(one[1], other[1], strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=DIGITS, atol=DIGITS)


CROSSENTROPY = Loss.read("categorical_crossentropy")


@pytest.mark.parametrize("compiled", [False, True], ids=["as it is", "compiled"])
@pytest.mark.parametrize("case", OPTIMIZERS)
def test_each_optimizer_takes_keras_steps(case, compiled, monkeypatch):
    """
    Users who copy an optimizer from a tutorial must get its results, however large their network.
    """
    monkeypatch.setattr(engine, "COMPILED_WEIGHTS", 0 if compiled else 10**9)
    fields, build = OPTIMIZERS[case]
    optimizer = Optimizer.read({case.split(",")[0]: fields})

    assert_equal(
        ours(optimizer, CROSSENTROPY),
        kerases(build(), keras.losses.CategoricalCrossentropy(), True),
    )


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("case", LOSSES)
def test_each_loss_gives_keras_steps_with_class_weights_and_without(case, weighted):
    """
    Our loss is computed from logits, Keras' from probabilities; users must not notice a difference.
    """
    fields, build, one_hot = LOSSES[case]
    loss = Loss.read({case.split(",")[0]: fields})
    weights = [0.5, 2.0, 1.25]

    assert_equal(
        ours(
            Optimizer.read("Adam"),
            loss,
            weights=np.array(weights, np.float32) if weighted else None,
        ),
        kerases(
            keras.optimizers.Adam(),
            build(),
            one_hot,
            weights=dict(enumerate(weights)) if weighted else None,
        ),
    )


@pytest.mark.parametrize("case", REGULARIZERS)
def test_each_regularizer_counts_once(case):
    """
    A penalty that is counted twice, or not at all, changes every weight.
    """
    fields = {case: REGULARIZERS[case]}

    assert_equal(
        ours(Optimizer.read("SGD"), CROSSENTROPY, fields),
        kerases(keras.optimizers.SGD(), keras.losses.CategoricalCrossentropy(), True, fields),
    )


@pytest.mark.parametrize("case", SCHEDULES)
def test_each_schedule_gives_keras_rates(case):
    """
    Lengths are in epochs here and in steps in Keras; the rate of each step must be the same.
    """
    fields, build = SCHEDULES[case]
    optimizer = Optimizer.read({"SGD": {"learning_rate": {case.split(",")[0]: fields}}})

    assert_equal(
        ours(optimizer, CROSSENTROPY),
        kerases(keras.optimizers.SGD(build()), keras.losses.CategoricalCrossentropy(), True),
    )


@pytest.mark.parametrize(
    ("registry", "table"),
    [(Optimizer, OPTIMIZERS), (Loss, LOSSES), (Regularizer, REGULARIZERS), (Schedule, SCHEDULES)],
)
def test_the_table_has_every_name(registry, table):
    """
    Whatever is added to a registry must be compared with Keras.
    """
    assert set(registry.named()) == {case.split(",")[0] for case in table}


def test_how_many_steps_a_call_takes_changes_nothing():
    """
    The number depends on timing, so if it mattered, no run could be repeated.
    """

    def run(*calls: int) -> list[np.ndarray]:
        net, engine = made(Optimizer.read("Adam"), CROSSENTROPY)
        data = engine.batches(range(STEPS))
        rows = [engine.advance(data, steps) for steps in calls]
        return [np.concatenate(rows), *arrays(net)]

    for one, other in zip(run(20), run(1, 2, 3, 14), strict=True):
        assert np.array_equal(one, other)
