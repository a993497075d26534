"""A run with two checkpoints, and damage to the newer one, reproducible from a number."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgcls.errors import RunError
from imgcls.runs import checkpoints
from imgcls.runs.checkpoints import AVERAGED, MODEL, OPTIMIZER, Checkpoint

ARRAYS = ("model.safetensors", "optimizer.safetensors", "averaged.safetensors")
PLAIN = ("state.json", "MANIFEST.json")
FILES = ARRAYS + PLAIN
ATTACHED = ("../../config.yaml", "../../model.json")


def make(run: Path) -> None:
    """Creates a run with checkpoints at steps 5 and 10."""
    (run / "config.yaml").write_text("dataset: {name: digits}\nseed: 0\n")
    (run / "model.json").write_text('{"classes": ["cat", "dog"]}\n')
    for step in (5, 10):
        save(run, step)


def parts(step: int) -> dict[str, dict[str, NDArray[Any]]]:
    """Returns the arrays of a step."""
    weights = {
        "dense/kernel": np.random.default_rng(step).normal(size=(9, 8)).astype(np.float32),
        "dense/bias": np.zeros(8, np.float32),
        "dropout/seed": np.array([step, 2**32 - 1], np.uint32),
    }
    return {
        MODEL: weights,
        OPTIMIZER: {"000000": np.array(step), "000001": np.full((9, 8), 1 / 3, np.float64)},
        AVERAGED: weights | {"dense/kernel": np.full((9, 8), step, np.float32)},
    }


def save(run: Path, step: int) -> Path:
    """Saves the checkpoint of a step."""
    state = {"epoch": step // 5, "best": 0.1 + 0.2, "waited": None}
    attached = {name: run / name for name in ("config.yaml", "model.json")}
    return checkpoints.save(run / "checkpoints", step, parts(step), state, attached)


def cut(data: bytes, dice: random.Random) -> bytes:
    """A truncated file."""
    return data[: dice.randrange(len(data))]


def flipped(data: bytes, dice: random.Random) -> bytes:
    """A file with one flipped bit."""
    place = dice.randrange(len(data))
    return data[:place] + bytes([data[place] ^ 1 << dice.randrange(8)]) + data[place + 1 :]


def read_all(checkpoint: Path) -> None:
    """Reads everything in a checkpoint.

    Raises:
        RunError: if any of it is damaged.
    """
    loaded = checkpoints.load(checkpoint)
    for part in (MODEL, OPTIMIZER, AVERAGED):
        loaded.read(part)


def _message(checkpoint: Path) -> str:
    try:
        read_all(checkpoint)
    except RunError as error:
        return str(error)
    return ""


def sweep(run: Path, way: Callable[[bytes, random.Random], bytes], count: int) -> int:
    """Damages the files of step 10 in turn, `count` times; returns how often it was reported.

    Raises:
        AssertionError: if damage is loaded, not named, or the older checkpoint does not take over.
    """
    folder = run / "checkpoints"
    reported = 0
    names = FILES + ATTACHED
    for number in range(count):
        dice = random.Random(f"{way.__name__} {number}")  # noqa: S311 - no secret
        name = names[number % len(names)]
        path = folder / "step-10" / name
        data = path.read_bytes()
        path.write_bytes(way(data, dice))
        reported += path.name in _message(folder / "step-10")
        found, problems = checkpoints.newest(folder, Checkpoint.verify)
        if name in FILES:
            assert found is not None, f"{way.__name__} {number}"
            assert found.step == 5, f"{way.__name__} {number}"
            assert len(problems) == 1
            assert problems[0].startswith(str(path))
        else:  # both checkpoints have the same config
            assert found is None
            assert len(problems) == 2
        path.write_bytes(data)
    assert checkpoints.newest(folder, Checkpoint.verify)[1] == []
    return reported
