"""A run with two checkpoints, and damage to the newer one, repeatable from its number."""

import random
from collections.abc import Callable
from pathlib import Path

import numpy as np

from imgcls.errors import RunError
from imgcls.runs import checkpoints

PARTS = ("arrays.npz", "state.json", "MANIFEST.json")
ATTACHED = ("../../config.yaml", "../../model.json")


def make(run: Path) -> None:
    """Makes a run with the checkpoints 5 and 10."""
    (run / "config.yaml").write_text("dataset: {name: digits}\nseed: 0\n")
    (run / "model.json").write_text('{"classes": ["cat", "dog"]}\n')
    attached = {name: run / name for name in ("config.yaml", "model.json")}
    for step in (5, 10):
        arrays = {
            "model/0": np.random.default_rng(step).normal(size=(9, 8)).astype(np.float32),
            "model/1": np.zeros(8, np.float32),
            "optimizer/0": np.array(step),
            "seed/0": np.array([step, 2**32 - 1], np.uint32),
        }
        state = {"epoch": step // 5, "best": 0.1 + 0.2, "waited": None}
        checkpoints.save(run / "checkpoints", step, arrays, state, attached)


def cut(data: bytes, dice: random.Random) -> bytes:
    """A file that lost its end."""
    return data[: dice.randrange(len(data))]


def flipped(data: bytes, dice: random.Random) -> bytes:
    """A file with one other bit."""
    place = dice.randrange(len(data))
    return data[:place] + bytes([data[place] ^ 1 << dice.randrange(8)]) + data[place + 1 :]


def _refusal(checkpoint: Path) -> str:
    try:
        checkpoints.load(checkpoint)
    except RunError as error:
        return str(error)
    return ""


def sweep(run: Path, way: Callable[[bytes, random.Random], bytes], count: int) -> int:
    """Damages every file of step 10, so many times in all; returns how often that was told.

    Raises:
        AssertionError: if damage is loaded, not named, or the older checkpoint does not take over.
    """
    folder = run / "checkpoints"
    told = 0
    for number in range(count):
        dice = random.Random(f"{way.__name__} {number}")  # noqa: S311 - no secret
        name = (PARTS + ATTACHED)[number % 5]
        path = folder / "step-10" / name
        data = path.read_bytes()
        path.write_bytes(way(data, dice))
        told += path.name in _refusal(folder / "step-10")
        found, problems = checkpoints.newest(folder)
        if name in PARTS:
            assert found is not None, f"{way.__name__} {number}"
            assert found.step == 5, f"{way.__name__} {number}"
            assert len(problems) == 1
            assert problems[0].startswith(str(path))
        else:  # both belong to the same config
            assert found is None
            assert len(problems) == 2
        path.write_bytes(data)
    assert checkpoints.newest(folder)[1] == []
    return told
