"""A run that diverges stops at once, or goes back and lowers its learning rate."""

import json

import pytest
import yaml

from imgcls.commands.train import train
from imgcls.errors import DivergedError
from imgcls.events import Saved, Warned
from imgcls.runs import checkpoints, folders
from tests.commands.compared import assert_same
from tests.commands.stopping import StopAt

# The penalty's gradient multiplies each weight by 1 - 2 * 0.1 * rate at each step: above a rate of
# 10 the weights grow without bound, below it they do not.
PENALISED = {"units": "classes", "activation": "softmax", "kernel_regularizer": {"L2": {"l2": 0.1}}}
SLOW_THEN_FAST = {
    "PiecewiseConstantDecay": {"boundaries": [2], "values": [0.001, 120.0]},
}


@pytest.fixture
def write(tmp_path, small):
    """Returns a function that writes a config which diverges above a learning rate of 10."""

    def write(rate, **training):
        path = tmp_path / "steep.yaml"
        changes = {
            "layers": ["Flatten", {"Dense": PENALISED}],
            "augmentation": [],
            "optimizer": {"SGD": {"learning_rate": rate}},
            "training": {"epochs": 6, "steps_per_epoch": 15, "batch_size": 16, **training},
        }
        path.write_text(yaml.safe_dump(small(**changes)), encoding="utf-8")
        return path

    return write


def test_a_loss_that_is_not_finite_ends_the_run_and_says_what_was_known(write, tmp_path):
    """
    A run that continued with nan would waste the night; the step and the rate show what to fix.
    """
    with pytest.raises(DivergedError) as caught:
        train(write(SLOW_THEN_FAST), lambda _: None, root=tmp_path)
    run = folders.open_run(tmp_path / "steep-001")
    status = folders.read_status(run)
    newest, _ = checkpoints.newest(run.checkpoints)

    assert newest is not None
    message = str(caught.value)
    assert message.startswith(("loss became inf at step ", "loss became nan at step "))
    assert "the last finite loss was " in message
    assert "the learning rate 120" in message
    assert str(caught.value.hint).endswith("on_divergence: retry does the first by itself")
    assert ("diverged", 7) == (status["state"], status["exit"])
    assert newest.step <= status["step"] < 60
    assert newest.state["best"]["epoch"] <= 2


@pytest.mark.parametrize("rate", [120.0, SLOW_THEN_FAST], ids=["number", "schedule"])
def test_retry_goes_back_and_lowers_the_rate_until_it_does_not_diverge(rate, write, tmp_path):
    """
    Nobody is awake at three in the morning to divide the learning rate by four.
    """
    told: list[object] = []
    trained = train(write(rate, on_divergence="retry"), told.append, root=tmp_path)
    warnings = [each.message for each in told if isinstance(each, Warned)]
    lines = (trained.run / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]

    assert "finished" == trained.status
    assert ["(1 of 3)", "(2 of 3)"] == [each[-8:] for each in warnings]
    assert "back to step " in warnings[0]
    assert "with the learning rate " in warnings[0]
    assert [1, 2, 3, 4, 5, 6] == [row["epoch"] for row in rows]
    assert 7.5 == rows[-1]["learning_rate"]


def test_the_fourth_divergence_ends_the_run(write, tmp_path):
    """
    Lowering the rate again and again forever would be a hang.
    """
    told: list[object] = []
    with pytest.raises(DivergedError) as caught:
        train(write(1e5, on_divergence="retry"), told.append, root=tmp_path)

    assert "retry" not in str(caught.value.hint)  # it has been tried
    assert 3 == sum(isinstance(each, Warned) for each in told)


def test_a_lowered_rate_stays_lowered_when_the_run_is_resumed(write, tmp_path):
    """
    Otherwise the run would diverge again after every stop.
    """
    whole = train(write(SLOW_THEN_FAST, on_divergence="retry"), lambda _: None, root=tmp_path).run
    press = StopAt(lambda event: event == Saved(60))
    config = write(SLOW_THEN_FAST, on_divergence="retry")
    stopped = train(config, press, root=tmp_path / "stopped")
    assert "interrupted" == stopped.status
    resumed = train(None, lambda _: None, resume=stopped.run).run
    one, other = (checkpoints.newest(run / "checkpoints")[0] for run in (whole, resumed))

    assert one is not None
    assert other is not None
    assert (2, 0.0625) == (one.state["retries"], one.state["rate"])
    assert {**one.state, "seconds": 0, "best": 0} == {**other.state, "seconds": 0, "best": 0}
    assert_same(whole, resumed)
