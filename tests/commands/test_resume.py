"""A run that is stopped and resumed is bit-identical to an uninterrupted one."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from imgcls.commands.train import train
from imgcls.errors import RunError
from imgcls.events import EpochEnded, Progressed, Saved, Started, Validating, Warned
from imgcls.runs import checkpoints
from imgcls.runs.checkpoints import AVERAGED, MODEL, OPTIMIZER
from tests.commands.compared import assert_same, rows, state
from tests.commands.stopping import StopAt

TRAINING = {
    "epochs": 3,
    "batch_size": 16,
    "report_steps": 20,
    "average": {"EMA": {"decay": 0.9}},
    "reduce_lr_on_plateau": {"monitor": "loss", "patience": 0, "min_delta": 1.0},
    "early_stopping": {"monitor": "val_accuracy", "patience": 5},
    "class_weight": "auto",
}
STEPS = 90  # per epoch


def ignore(event: object) -> None:
    del event


def assert_kept_alike(one: Path, other: Path) -> None:
    assert checkpoints.steps(one / "checkpoints") == checkpoints.steps(other / "checkpoints")


@pytest.fixture(scope="module")
def in_one_go(tmp_path_factory, small):
    """The config, and an uninterrupted run of it."""
    folder = tmp_path_factory.mktemp("whole")
    config = folder / "small.yaml"
    config.write_text(yaml.safe_dump(small(training=TRAINING)), encoding="utf-8")
    return config, train(config, ignore, root=folder / "runs").run


MOMENTS = {
    "within the first epoch": lambda e: isinstance(e, Progressed) and e.step > 10,
    "in the middle of the second": lambda e: isinstance(e, Progressed) and e.epoch == 2,
    "at the last step of the second": lambda e: (
        isinstance(e, Progressed) and (e.epoch, e.step) == (2, STEPS)
    ),
    "in the validation of the second": lambda e: isinstance(e, Validating) and e.done < 100,
    "as the second ends": lambda e: isinstance(e, EpochEnded) and e.epoch == 2,
    "in the last validation": lambda e: isinstance(e, Validating),
    "before the first step": lambda e: isinstance(e, Started),
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_stopped_and_resumed_run_equals_one_in_one_go(moment, in_one_go, tmp_path):
    """
    A night of training that was cut in two must be worth as much as an uninterrupted one.
    """
    config, whole = in_one_go
    stop = StopAt(MOMENTS[moment])
    first = train(config, stop, root=tmp_path)
    assert first.status == "interrupted"
    second = train(None, ignore, resume=first.run)
    assert second.status == "finished"

    assert_same(whole, first.run)
    assert_kept_alike(whole, first.run)


def test_a_run_stopped_twice_while_one_epoch_is_validated_equals_one_in_one_go(in_one_go, tmp_path):
    """
    The checkpoint before an epoch's validation and the one after it have the same step.
    """
    config, whole = in_one_go
    validating = MOMENTS["in the validation of the second"]
    run = train(config, StopAt(validating), root=tmp_path).run
    train(None, StopAt(validating), resume=run)
    train(None, StopAt(lambda event: isinstance(event, Saved)), resume=run)
    train(None, ignore, resume=run)

    assert_same(whole, run)
    assert_kept_alike(whole, run)


def test_rows_of_steps_that_were_lost_are_not_there_twice(in_one_go, tmp_path):
    """
    A kill between a row and its checkpoint leaves a row for a step that is trained again.
    """
    config, whole = in_one_go
    run = train(config, StopAt(MOMENTS["in the middle of the second"]), root=tmp_path).run
    later = [row for row in rows(whole) if row["step"] > 2 * STEPS - 10]
    with (run / "metrics.jsonl").open("a", encoding="utf-8") as metrics:
        metrics.writelines(json.dumps(row) + "\n" for row in later)
    train(None, ignore, resume=run)

    assert_same(whole, run)
    assert len(later) == len((run / "metrics.superseded.jsonl").read_text().splitlines())


@pytest.mark.parametrize("part", [MODEL, OPTIMIZER, AVERAGED])
def test_a_damaged_newest_checkpoint_costs_time_and_no_bit(part, in_one_go, tmp_path):
    """
    A flipped bit on disk may only cost the training since the previous checkpoint.
    """
    config, whole = in_one_go
    stop = StopAt(lambda event: isinstance(event, Progressed) and event.epoch == 3)
    run = train(config, stop, root=tmp_path).run
    before, newest = checkpoints.steps(run / "checkpoints")[-2:]
    arrays = run / "checkpoints" / f"step-{newest}" / f"{part}.safetensors"
    data = bytearray(arrays.read_bytes())
    data[len(data) // 2] ^= 1
    arrays.write_bytes(data)
    events: list[object] = []
    train(None, events.append, resume=run)

    assert [True] == [str(arrays) in each.message for each in events if isinstance(each, Warned)]
    assert [before] == [event.step for event in events if isinstance(event, Started)]
    assert_same(whole, run)


def test_a_finished_run_has_nothing_to_resume(in_one_go):
    """
    Resuming a finished run by mistake must change nothing.
    """
    _, whole = in_one_go
    before = state(whole)
    again = train(None, ignore, resume=whole)

    assert (again.status, again.step) == ("finished", 3 * STEPS)
    assert before.keys() == state(whole).keys()


def test_other_data_is_noticed_before_a_run_goes_on(write_config, tmp_path):
    """
    A model trained half on one data set and half on another would look like a good one.
    """
    rng = np.random.default_rng(0)
    pixels, labels = rng.integers(0, 255, (40, 8, 8), np.uint8), np.arange(40) % 2
    np.savez(tmp_path / "own.npz", x_train=pixels, y_train=labels)
    config = write_config(dataset={"npz": str(tmp_path / "own.npz")}, training={"batch_size": 8})
    stop = StopAt(lambda event: isinstance(event, Progressed))
    run = train(config, stop, root=tmp_path).run
    pixels[3, 3, 3] ^= 1
    np.savez(tmp_path / "own.npz", x_train=pixels, y_train=labels)

    with pytest.raises(RunError, match="the data has changed since"):
        train(None, ignore, resume=run)


def test_ctrl_c_saves_says_how_to_go_on_and_ends_by_its_signal(in_one_go, tmp_path):
    """
    A shell loop around training runs must stop, and the user must know the next command.
    """
    config, whole = in_one_go
    command = [sys.executable, "-m", "imgcls", "train"]
    process = subprocess.Popen(
        [*command, str(config), "--runs", str(tmp_path)], stderr=subprocess.PIPE, text=True
    )
    run = tmp_path / "small-001"
    while process.poll() is None and not _rows_so_far(run):
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)

    assert process.returncode == -signal.SIGINT
    assert f"imgcls train --resume {run}" in errors
    assert "Traceback" not in errors
    subprocess.run([*command, "--resume", str(run)], check=True, capture_output=True)
    assert_same(whole, run)


def _rows_so_far(run: Path) -> list[dict[str, Any]]:
    try:
        return rows(run)
    except (OSError, ValueError):
        return []
