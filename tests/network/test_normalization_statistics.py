"""Recomputed batch normalization statistics: means over the batches, and no other change."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from imgcls.config.components.layers import Layer
from imgcls.config.config import Config
from imgcls.network.network import Network, build
from imgcls.network.normalization_statistics import Recomputation, normalizations
from imgcls.network.weights import values
from imgcls.training.prepare import Prepared, prepare
from imgcls.training.snapshot import Snapshot
from tests.specs import data_of, spec_of

CLASSES = ("a", "b", "c")
RNG = np.random.default_rng(0)
BATCHES = [RNG.normal(1, 2, (count, 6, 5, 3)).astype(np.float32) for count in (7, 7, 3)]
LAYERS: list[Any] = [
    {"Conv2D": {"filters": 4, "kernel_size": 3}},
    "BatchNormalization",
    "ReLU",
    {"Dropout": {"rate": 0.5}},
    {"Residual": {"layers": [{"Conv2D": {"filters": 4, "kernel_size": 1}}, "BatchNormalization"]}},
    "Flatten",
    {"Dense": {"units": 6}},
    "BatchNormalization",
    {"Dense": {"units": "classes"}},
]
FIRST, INNER, ROWS = (
    "layers[1].BatchNormalization",
    "layers[4].Residual.layers[1].BatchNormalization",
    "layers[7].BatchNormalization",
)


def network(*layers: Any, **options: Any) -> Network:
    found = [Layer.read(each) for each in layers or LAYERS]
    return build(found, spec_of(CLASSES, (6, 5), 3), 0, **options)


def recompute(net: Network, *keys: str) -> None:
    layers = [normalizations(net)[key] for key in keys or normalizations(net)]
    Recomputation(net, layers, "/cpu:0").run(iter(map(tf.constant, BATCHES)))


def moments(outputs: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Returns the means of the batches' means and variances, weighted by batch size."""
    wide = [each.astype(np.float64) for each in outputs]
    sizes = [len(each) for each in wide]
    axes = tuple(range(wide[0].ndim - 1))
    return (
        np.average([each.mean(axes) for each in wide], axis=0, weights=sizes),
        np.average([each.var(axes) for each in wide], axis=0, weights=sizes),
    )


def assert_statistics(net: Network, key: str, outputs: list[np.ndarray]) -> None:
    mean, variance = moments(outputs)
    layer = normalizations(net)[key]
    np.testing.assert_allclose(mean, layer.moving_mean, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(variance, layer.moving_variance, rtol=1e-4, atol=1e-5)


def normalized(images: np.ndarray, epsilon: float = 0.001) -> np.ndarray:
    axes = tuple(range(images.ndim - 1))
    return np.asarray((images - images.mean(axes)) / np.sqrt(images.var(axes) + epsilon))


def test_they_are_the_means_of_the_batches_own_weighted_by_their_images():
    """
    A last batch of three images must not count as much as a batch of a thousand.
    """
    net = network()
    recompute(net)

    convolution = net.model.layers[0]
    assert_statistics(net, FIRST, [convolution(batch).numpy() for batch in BATCHES])


def test_what_lies_behind_a_normalization_sees_it_as_in_training():
    """
    Otherwise later layers would be measured on activations that the stale statistics distort.
    """
    net = network()
    recompute(net)

    first, inner, dense = net.model.layers[0], net.layers[5].layer, net.model.layers[6]
    assert "layers[4].Residual.layers[0].Conv2D" == net.layers[5].key
    relu = [np.maximum(normalized(first(batch).numpy()), 0) for batch in BATCHES]
    inside = [inner(each).numpy() for each in relu]
    assert_statistics(net, INNER, inside)
    flat = [
        (each + normalized(deep)).reshape(len(each), -1)
        for each, deep in zip(relu, inside, strict=True)
    ]
    assert_statistics(net, ROWS, [dense(each).numpy() for each in flat])


def test_rows_of_numbers_are_normalized_too():
    """
    Batch normalization after Dense is as common as after a convolution.
    """
    net = network("Flatten", {"Dense": {"units": 5}}, "BatchNormalization", LAYERS[-1])
    recompute(net)

    dense = net.model.layers[1]
    outputs = [dense(batch.reshape(len(batch), -1)).numpy() for batch in BATCHES]
    assert_statistics(net, "layers[2].BatchNormalization", outputs)


def test_they_are_float32_where_the_network_computes_in_less():
    """
    A variance in bfloat16 has only two digits.
    """
    net = network(precision="bfloat16")
    recompute(net)
    outputs = [tf.cast(net.model.layers[0](batch), tf.float32).numpy() for batch in BATCHES]

    assert_statistics(net, FIRST, outputs)


def test_nothing_else_changes():
    """
    If recomputing advanced the seed of a Dropout, each evaluation would change the rest of
    training.
    """
    net = network()
    before = values(net.variables)
    recompute(net)
    after = values(net.variables)

    changed = {name for name in before if not np.array_equal(before[name], after[name])}
    assert {
        f"{key}/moving_{each}" for key in (FIRST, INNER, ROWS) for each in ("mean", "variance")
    } == changed
    assert any("seed" in name for name in before)
    assert {None} == {each.collected for each in normalizations(net).values()}


def test_twice_is_the_same_to_the_last_bit():
    """
    A resumed run must recompute the same statistics as an uninterrupted one.
    """
    net, again = network(), network()
    recompute(net)
    recompute(again)
    recompute(again)

    one, other = values(net.variables), values(again.variables)
    assert [] == [name for name in one if one[name].tobytes() != other[name].tobytes()]


def test_only_the_layers_that_are_asked_for():
    """
    Frozen layers use their own moving statistics in training too, so these must be kept.
    """
    net = network()
    before = values(net.variables)
    recompute(net, INNER, ROWS)
    after = values(net.variables)

    assert np.array_equal(before[f"{FIRST}/moving_mean"], after[f"{FIRST}/moving_mean"])
    outputs = [net.model.layers[0](batch).numpy() for batch in BATCHES]
    plain = [np.maximum(each / np.sqrt(1.001), 0) for each in outputs]
    assert_statistics(net, INNER, [net.layers[5].layer(each).numpy() for each in plain])


@pytest.fixture
def prepared(small: Any) -> Callable[..., Prepared]:
    """Returns a function that prepares training on synthetic images, in stages if asked to."""

    def make(**training: Any) -> Prepared:
        pixels = RNG.integers(0, 256, (40, 6, 5, 3), np.uint8)
        labels = np.arange(40, dtype=np.int32) % 3
        training = {"batch_size": 16, "device": "cpu", "precision": "float32", **training}
        config = Config.model_validate(small(layers=LAYERS, augmentation=[], training=training))
        return prepare(config, data_of(pixels, labels, CLASSES), lambda _: None)

    return make


def refreshed(training: Prepared, stage: int = 0) -> set[str]:
    """Returns the keys of the normalizations whose statistics a checkpoint has recomputed."""
    net = training.network
    before = values(net.variables)
    engine = training.engine(stage)
    parts = Snapshot(training, stage).parts(engine, 0)
    return {
        key
        for key in normalizations(net)
        if not np.array_equal(before[f"{key}/moving_mean"], parts["model"][f"{key}/moving_mean"])
    }


def test_a_checkpoint_recomputes_those_of_the_layers_that_its_stage_trains(prepared):
    """
    Freezing a layer must freeze its statistics too.
    """
    recomputed = {"normalization_statistics": "recomputed"}
    stages = [{"epochs": 1, "train": [INNER, "layers[6:]"]}, {"epochs": 1}]
    staged = prepared(stages=stages, **recomputed)

    assert {INNER, ROWS} == refreshed(staged, 0)
    assert {FIRST, INNER, ROWS} == refreshed(prepared(**recomputed))
    assert set() == refreshed(prepared())
