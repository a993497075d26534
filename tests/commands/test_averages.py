"""Averaged weights and recomputed normalization statistics, in training and afterwards."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from imgcls.commands.evaluate import evaluate
from imgcls.commands.train import train
from imgcls.errors import RunError
from imgcls.events import Progressed, Validating
from imgcls.runs import checkpoints
from tests.commands.compared import assert_same, rows
from tests.commands.stopping import StopAt

LAYERS: list[Any] = [
    {"Conv2D": {"filters": 16, "kernel_size": 3, "use_bias": False}},
    "BatchNormalization",  # with Keras' momentum of 0.99, far too slow for 115 steps
    "ReLU",
    {"Conv2D": {"filters": 32, "kernel_size": 3, "use_bias": False}},
    "BatchNormalization",
    "ReLU",
    {"Dropout": {"rate": 0.2}},
    "GlobalAveragePooling2D",
    {"Dense": {"units": "classes", "activation": "softmax"}},
]
SHORT: dict[str, Any] = {"epochs": 5, "batch_size": 64}  # 115 steps


def ignore(event: object) -> None:
    del event


@pytest.fixture
def trained(tmp_path, small):
    """Returns a function that trains a small network with changes to the training section."""

    def run(name: str = "small", report: Any = ignore, **training: Any) -> Path:
        path = tmp_path / f"{name}.yaml"
        optimizer = {"Adam": {"learning_rate": 0.003}}
        sections = small(layers=LAYERS, optimizer=optimizer, training=SHORT | training)
        path.write_text(yaml.safe_dump(sections), encoding="utf-8")
        return train(path, report, root=tmp_path / "runs").run

    return run


def accuracy(run: Path, **options: Any) -> float:
    return evaluate(run, ignore, split="validation", checkpoint="last", **options).accuracy


def test_a_short_run_is_not_evaluated_on_its_first_weights_or_statistics(trained):
    """
    An average that still contains the initial weights, or lags behind, hides a good network.
    """
    moving = trained("moving")
    averaged = trained("averaged", average={"EMA": {"decay": 0.999}})
    recomputed = trained("recomputed", normalization_statistics="recomputed")

    assert accuracy(moving) < 0.6
    assert accuracy(averaged) > 0.7
    assert accuracy(recomputed) > 0.7
    assert accuracy(averaged, weights="raw") == pytest.approx(accuracy(moving))


def test_raw_and_averaged_weights_are_both_at_hand(trained):
    """
    Users who doubt the average can evaluate the raw weights.
    """
    run = trained(average={"EMA": {"decay": 0.9}}, epochs=2)
    best = evaluate(run, ignore, split="validation")
    averaged = evaluate(run, ignore, split="validation", weights="averaged")
    raw = evaluate(run, ignore, split="validation", weights="raw")
    plain = trained("plain", epochs=1)

    assert best == averaged
    assert raw.loss != averaged.loss
    with pytest.raises(RunError, match="has no averaged weights"):
        evaluate(plain, ignore, weights="averaged")


def test_swa_is_the_mean_of_the_weights_at_the_ends_of_epochs(trained):
    """
    This is the definition of stochastic weight averaging.
    """
    run = trained(average={"SWA": {"start_epoch": 1}}, epochs=3)
    steps = checkpoints.steps(run / "checkpoints")
    last = checkpoints.load(run / "checkpoints" / f"step-{steps[-1]}")
    kept = [checkpoints.load(run / "checkpoints" / f"step-{step}") for step in steps[-2:]]
    name = "layers[8].Dense/kernel"
    mean = np.mean([each.read("model")[name] for each in kept], axis=0)

    assert 2 == last.state["averaged"]
    np.testing.assert_allclose(mean, last.read("averaged")[name], atol=1e-7)


def test_the_first_epochs_of_swa_have_no_average(trained):
    """
    An average of nothing must be neither evaluated nor saved.
    """
    run = trained(average={"SWA": {"start_epoch": 2}}, epochs=3, best="loss")
    saved = [checkpoints.load(each) for each in sorted((run / "checkpoints").glob("step-*"))]

    assert {False, True} == {each.has("averaged") for each in saved}
    assert {each.has("averaged") for each in saved if each.state["averaged"] == 0} == {False}


WAYS: dict[str, dict[str, Any]] = {
    "EMA": {"average": {"EMA": {"decay": 0.99}}},
    "SWA": {"average": {"SWA": {"start_epoch": 0}}},
    "recomputed": {"normalization_statistics": "recomputed"},
    "both": {
        "average": {"EMA": {"decay": 0.99}},
        "normalization_statistics": "recomputed",
    },
}


@pytest.mark.parametrize("way", WAYS)
def test_a_run_that_is_stopped_is_resumed_bit_for_bit(way, trained):
    """
    Recomputing statistics for a checkpoint must not change what is trained after it.
    """
    whole = trained("whole", **WAYS[way], epochs=2)
    stop = StopAt(lambda event: isinstance(event, Progressed) and event.step > 5)
    run = trained("stopped", stop, **WAYS[way], epochs=2)
    stop = StopAt(lambda event: isinstance(event, Progressed) and event.epoch == 2)
    train(None, stop, resume=run)
    train(None, ignore, resume=run)

    assert_same(whole, run)


def test_an_epoch_is_averaged_once_though_its_validation_is_stopped_and_begun_again(trained):
    """
    The average is updated before validation, which a signal may interrupt.
    """
    swa = {"average": {"SWA": {"start_epoch": 0}}, "epochs": 2}
    whole = trained("whole", **swa)
    run = trained("stopped", StopAt(lambda event: isinstance(event, Validating)), **swa)
    train(None, StopAt(lambda event: isinstance(event, Validating)), resume=run)
    train(None, ignore, resume=run)

    assert_same(whole, run)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("way", ["plain", "EMA", "recomputed"])
def test_the_validation_figures_of_training_are_those_of_evaluate(precision, way, trained):
    """
    Two figures for one network that differ in the last digit make users doubt both.
    """
    run = trained(**WAYS.get(way, {}), precision=precision, epochs=1)
    (row,) = (row for row in rows(run) if row["kind"] == "epoch")
    found = evaluate(run, ignore, split="validation", precision=precision)

    assert precision == row["evaluate_precision"]
    assert (row["val_loss"], row["val_accuracy"], row["val_top_5_accuracy"]) == (
        found.loss,
        found.accuracy,
        found.top_5_accuracy,
    )
