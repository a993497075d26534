"""A real training process that is killed at random moments, and resumed until it is done.

Shared by the test suite and the long runs in `tests/endurance`.
"""

import random
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from imgcls import files
from imgcls.errors import RunError
from imgcls.runs import checkpoints, folders, rows
from tests.commands.compared import assert_same

LONGEST_END = 25.0  # seconds from SIGTERM: containers and Slurm give 30

TRAINING = {
    "epochs": 5,
    "batch_size": 8,
    "report_steps": 20,
    "checkpoint_seconds": 0.2,
    "average": {"EMA": {"decay": 0.9}},
    "reduce_lr_on_plateau": {"monitor": "loss", "patience": 0, "min_delta": 1.0},
    "early_stopping": {"monitor": "val_accuracy", "patience": 5},
    "class_weight": "auto",
}


STARTED = b" epochs of "  # on stderr, right before the first step
IN_TRAINING = 0.6  # share of the moments; the others fall into startup, which is mostly imports


@dataclass
class Trial:
    """A config, an uninterrupted run of it, and how long that took.

    Attributes:
        config: uses everything that has a state.
        whole: the uninterrupted run.
        start_seconds: from the start of its process to its first step.
        train_seconds: from there to its end.
        moments: draws the moments; seeded, so that a failure can be reproduced.
        kills: how many processes were killed so far.
        trained: how many of them were training.
        slowest: the longest time in seconds from a signal to the end of its process.
    """

    config: Path
    whole: Path
    start_seconds: float
    train_seconds: float
    moments: random.Random
    kills: int = 0
    trained: int = 0
    slowest: float = 0.0


def begin(folder: Path, config: dict[str, Any], seed: int) -> Trial:
    """Returns a trial after its uninterrupted run."""
    path = folder / "small.yaml"
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    said = folder / "whole.txt"
    began = time.monotonic()
    process = start(path, folder / "whole", said)
    _pass(process, 300, said)
    started = time.monotonic()
    _pass(process, 300)
    assert process.returncode == 0, said.read_text()
    return Trial(
        path,
        folder / "whole" / "small-001",
        started - began,
        time.monotonic() - started,
        random.Random(seed),  # noqa: S311 - no secret
    )


def start(config: Path, root: Path, said: Path) -> "subprocess.Popen[bytes]":
    """Starts `imgcls train CONFIG --resume auto`, with stderr redirected to a file."""
    command = [sys.executable, "-m", "imgcls", "train", config, "--resume", "auto", "--runs", root]
    with said.open("wb") as errors:
        return subprocess.Popen(list(map(str, command)), stdout=subprocess.DEVNULL, stderr=errors)


def _pass(process: "subprocess.Popen[bytes]", seconds: float, said: Path | None = None) -> None:
    """Waits until the process ends, the seconds have passed, or it has started to train."""
    end = time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < end:
        if said is not None and STARTED in said.read_bytes():
            return
        time.sleep(0.003)


def end_often(trial: Trial, folder: Path, number: signal.Signals, times: int) -> int:
    """Kills processes with a signal at random moments, over as many runs as needed.

    Whatever the moment was, the run must verify, and in the end equal the uninterrupted one.

    Returns:
        the number of runs.
    """
    goal, count = trial.kills + times, 0
    while trial.kills < goal:
        root = folder / f"runs-{count}"
        while not _ended(trial, root, number if trial.kills < goal else None):
            pass
        run = root / "small-001"
        assert_same(trial.whole, run)
        assert [run] == [path for path in root.iterdir() if not files.is_temporary(path.name)]
        assert [] == [path for path in run.rglob("*") if files.is_temporary(path.name)]
        shutil.rmtree(root)
        count += 1
    return count


def _ended(trial: Trial, root: Path, number: signal.Signals | None) -> bool:
    """Runs one process, with or without sending it a signal; returns whether the run is done."""
    said = root.with_suffix(".txt")
    process = start(trial.config, root, said)
    if number is None:
        _pass(process, 300)
    elif trial.moments.random() < IN_TRAINING:
        _pass(process, 300, said)
        _pass(process, trial.moments.uniform(0, trial.train_seconds))
    else:
        _pass(process, trial.moments.uniform(0, trial.start_seconds))
    began = time.monotonic()
    if number is not None and process.poll() is None:
        process.send_signal(number)
    code = process.wait(300)
    if number is not None:
        trial.slowest = max(trial.slowest, time.monotonic() - began)
    errors = said.read_bytes()
    assert b"Traceback" not in errors, errors.decode()
    assert code == 0 or (number is not None and code == -number), errors.decode()
    _assert_whole(root, code)
    trial.kills += code != 0
    trial.trained += code != 0 and STARTED in errors
    # It may have been killed after it had finished: another start would begin a new run.
    return code == 0 or _state(root) == "finished"


def _state(root: Path) -> str:
    try:
        return str(folders.read_status(folders.Run(root / "small-001"))["state"])
    except RunError:  # killed before it had a status
        return ""


def _assert_whole(root: Path, code: int) -> None:
    """Asserts that the run can be resumed, and lost no more than it may."""
    run = folders.Run(root / "small-001")
    if not checkpoints.steps(run.checkpoints):
        return
    newest, problems = checkpoints.newest(run.checkpoints, checkpoints.Checkpoint.verify)
    assert newest is not None
    assert problems == []
    if code == -signal.SIGTERM:  # nothing that was reported is lost
        assert newest.step >= max((row["step"] for row in rows.read(run.metrics)), default=0)
