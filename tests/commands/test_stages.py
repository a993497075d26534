"""Training in several stages: which layers learn, when a stage ends, and how it is resumed."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import yaml

from imgcls.commands.evaluate import evaluate
from imgcls.commands.train import train
from imgcls.errors import ConfigError, RunError
from imgcls.events import EpochEnded, Progressed, Saved, StageStarted, Started, Validating
from imgcls.runs import checkpoints
from tests.commands.compared import assert_same, rows
from tests.commands.stopping import StopAt

if TYPE_CHECKING:
    from imgcls.inference.loading import Choice

LAYERS: list[Any] = [
    {"Conv2D": {"filters": 8, "kernel_size": 3, "kernel_regularizer": {"L2": {"l2": 0.01}}}},
    "BatchNormalization",
    "ReLU",
    {"Dropout": {"rate": 0.2}},
    {"Residual": {"layers": [{"Conv2D": {"filters": 8, "kernel_size": 3, "padding": "same"}}]}},
    "GlobalAveragePooling2D",
    {"Dense": {"units": "classes", "activation": "softmax"}},
]
STAGES: list[Any] = [
    {"epochs": 2, "train": "head", "optimizer": {"Adam": {"learning_rate": 0.01}}},
    {"epochs": 2, "optimizer": {"Adam": {"learning_rate": 0.001}}},
]
TRAINING: dict[str, Any] = {
    "batch_size": 32,
    "report_steps": 20,
    "stages": STAGES,
    "average": {"EMA": {"decay": 0.9}},
}
STEPS = 45  # per epoch


def ignore(event: object) -> None:
    del event


def weights(run: Path, step: int) -> dict[str, Any]:
    return checkpoints.load(run / "checkpoints" / f"step-{step}").read("model")


def changed(one: dict[str, Any], other: dict[str, Any]) -> set[str]:
    return {name for name in one if not np.array_equal(one[name], other[name])}


@pytest.fixture(scope="module")
def write(tmp_path_factory, small):
    """Returns a function that writes a config with these stages and other training settings."""

    def config(**training: Any) -> Path:
        path: Path = tmp_path_factory.mktemp("config") / "stages.yaml"
        sections = small(layers=LAYERS, training=TRAINING | training)
        path.write_text(yaml.safe_dump(sections), encoding="utf-8")
        return path

    return config


@pytest.fixture(scope="module")
def uninterrupted(write, tmp_path_factory):
    """The config, and an uninterrupted run of it."""
    config = write()
    return config, train(config, ignore, root=tmp_path_factory.mktemp("whole")).run


MOMENTS = {
    "in the first stage": lambda e: isinstance(e, Progressed) and e.step > 10,
    "in the last validation of the first stage": lambda e: (
        isinstance(e, Validating) and e.done > 100
    ),
    "as the first stage ends": lambda e: isinstance(e, EpochEnded) and e.epoch == 2,
    "as the second stage begins": lambda e: isinstance(e, StageStarted) and e.stage == 2,
    "in the second stage": lambda e: isinstance(e, Progressed) and e.epoch == 3 and e.step > 10,
    "in the last epoch": lambda e: isinstance(e, Progressed) and e.epoch == 4,
    "before the first step": lambda e: isinstance(e, Started),
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_run_that_is_stopped_in_any_stage_or_between_two_is_resumed_bit_for_bit(
    moment, uninterrupted, tmp_path
):
    """
    A checkpoint between two stages must be unambiguous, whenever the run was killed.
    """
    config, whole = uninterrupted
    first = train(config, StopAt(MOMENTS[moment]), root=tmp_path)
    assert "interrupted" == first.status
    second = train(None, ignore, resume=first.run)

    assert "finished" == second.status
    assert_same(whole, first.run)


def test_a_run_that_is_stopped_twice_at_one_boundary_is_resumed_bit_for_bit(
    uninterrupted, tmp_path
):
    """
    A scheduler may stop a job as soon as it has started, again and again.
    """
    config, whole = uninterrupted
    run = train(config, StopAt(MOMENTS["as the first stage ends"]), root=tmp_path).run
    saved = checkpoints.newest(run / "checkpoints")[0]
    assert saved is not None
    assert 0 == saved.state["stage"]
    train(None, StopAt(lambda event: isinstance(event, Started)), resume=run)
    train(None, StopAt(lambda event: isinstance(event, Saved)), resume=run)
    train(None, ignore, resume=run)

    assert_same(whole, run)


def test_a_stage_trains_its_layers_and_no_others(write, tmp_path):
    """
    A stage that trains only the head must not change the backbone.
    """
    run = train(write(average=None, checkpoint_seconds=1e-9), ignore, root=tmp_path).run
    steps = checkpoints.steps(run / "checkpoints")
    first = [step for step in steps if step <= 2 * STEPS]
    moved = changed(weights(run, first[0]), weights(run, first[-1])) if len(first) > 1 else set()
    later = changed(weights(run, first[-1]), weights(run, steps[-1]))

    assert moved <= {
        "layers[6].Dense/kernel",
        "layers[6].Dense/bias",
        "layers[3].Dropout/seed_generator_state",
    }
    assert later == set(weights(run, steps[-1]))


def test_rows_name_their_stage_and_epochs_are_counted_on(uninterrupted):
    """
    Users who plot the metrics must see where the second stage began.
    """
    _, run = uninterrupted
    epochs = [row for row in rows(run) if row["kind"] == "epoch"]

    assert [(1, 1), (1, 2), (2, 3), (2, 4)] == [(row["stage"], row["epoch"]) for row in epochs]
    assert {1, 2} == {row["stage"] for row in rows(run) if row["kind"] == "steps"}
    assert [0.01, 0.01, 0.001, 0.001] == [pytest.approx(row["learning_rate"]) for row in epochs]


def test_a_stage_that_ends_early_is_followed_by_the_next(write, tmp_path):
    """
    Early stopping applies to one stage; the next has its own patience.
    """
    early = {"monitor": "val_accuracy", "patience": 1, "min_delta": 1}
    stages = [
        {"epochs": 9, "train": "head", "early_stopping": early},
        {"epochs": 2, "train": ["layers[:2]", "layers[4].Residual"]},
    ]
    config = write(stages=stages)
    run = train(config, ignore, root=tmp_path / "whole").run
    stopped = train(
        config,
        StopAt(lambda e: isinstance(e, StageStarted) and e.stage == 2),
        root=tmp_path / "stopped",
    ).run
    train(None, ignore, resume=stopped)

    assert [1, 1, 2, 2] == [row["stage"] for row in rows(run) if row["kind"] == "epoch"]
    assert_same(run, stopped)


def test_extending_lengthens_the_last_stage(write, tmp_path):
    """
    What was trained before the extension must not change.
    """
    longer = [STAGES[0], STAGES[1] | {"epochs": 3}]
    whole = train(write(stages=longer), ignore, root=tmp_path / "whole").run
    run = train(write(), ignore, root=tmp_path / "short").run
    train(None, ignore, resume=run, extend=1)

    assert_same(whole, run)
    with pytest.raises(RunError, match=r"training\.stages\[0\]\.epochs: 2 -> 3"):
        train(None, ignore, resume=run, overrides=["training.stages[0].epochs=3"])


def test_extending_a_run_whose_first_stage_ended_early_leaves_that_stage_over(write, tmp_path):
    """
    Extending must lengthen only the last stage, whatever stage the run is in.
    """
    early = {"monitor": "val_accuracy", "patience": 1, "min_delta": 1}
    first = {"epochs": 9, "train": "head", "early_stopping": early}
    stop = StopAt(lambda e: isinstance(e, StageStarted) and e.stage == 2)
    run = train(write(stages=[first, {"epochs": 1}]), stop, root=tmp_path).run
    train(None, ignore, resume=run, extend=1)

    assert [1, 1, 2, 2] == [row["stage"] for row in rows(run) if row["kind"] == "epoch"]


def test_the_validation_of_each_stage_is_that_of_evaluate(uninterrupted):
    """
    This must also hold with averaged weights and with regularizers of frozen layers.
    """
    _, run = uninterrupted
    choices: list[tuple[Choice, int | None]] = [("best", None), ("last", 4 * STEPS)]
    for choice, step in choices:
        found = evaluate(run, ignore, split="validation", checkpoint=choice)
        number = int(found.checkpoint.removeprefix("step-"))
        row = next(row for row in rows(run) if row["step"] == number and row["kind"] == "epoch")

        assert step in {None, number}
        assert (row["val_loss"], row["val_accuracy"]) == (found.loss, found.accuracy)


@pytest.mark.parametrize(
    ("train_", "message"),
    [
        ("layers[7:]", "unknown layer 'layers[7:]'"),
        (["stem"], "unknown layer 'stem'"),
        ("layers[5]", "selects no layer whose weights can be trained"),
    ],
)
def test_a_stage_that_trains_nothing_is_an_error(write, tmp_path, train_, message):
    """
    A typo in a layer's index would cost a night of training nothing.
    """
    stages = [STAGES[0], {"epochs": 1, "train": train_}]
    with pytest.raises(ConfigError) as raised:
        train(write(stages=stages), ignore, root=tmp_path)
    (mistake,) = raised.value.mistakes

    assert "training.stages[1].train" == mistake.key
    assert message in mistake.message


def test_a_layer_that_is_not_trainable_is_frozen_in_every_stage(tmp_path, small):
    """
    `trainable: false` in a layer takes precedence over `train: all`.
    """
    frozen = [{"Conv2D": LAYERS[0]["Conv2D"] | {"trainable": False}}, *LAYERS[1:]]
    path = tmp_path / "frozen.yaml"
    training = {"epochs": 1, "checkpoint_seconds": 1e-9}
    path.write_text(yaml.safe_dump(small(layers=frozen, training=training)), encoding="utf-8")
    run = train(path, ignore, root=tmp_path).run
    first, last = (checkpoints.steps(run / "checkpoints")[at] for at in (0, -1))
    assert first < last

    assert not {
        name
        for name in changed(weights(run, first), weights(run, last))
        if name.startswith("layers[0].Conv2D")
    }
