"""Two runs, compared bit for bit, except for what depends on the clock."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from imgcls.runs import checkpoints
from imgcls.runs.checkpoints import AVERAGED, MODEL, OPTIMIZER, Checkpoint

CLOCK = ("_seconds", "_per_second")


def timeless(row: dict[str, Any]) -> dict[str, Any]:
    """Returns a row of metrics without the values that depend on the clock."""
    return {key: value for key, value in row.items() if not key.endswith(CLOCK)}


def rows(run: Path) -> list[dict[str, Any]]:
    """Returns the rows of a run's metrics."""
    lines = (run / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    return [timeless(json.loads(line)) for line in lines]


def state(run: Path) -> dict[str, Any]:
    """Returns everything that the newest checkpoint holds: step, state, arrays."""
    newest, problems = checkpoints.newest(run / "checkpoints", Checkpoint.verify)
    assert not problems
    assert newest is not None
    plain = {**newest.state, "best": timeless(newest.state["best"] or {}), "seconds": None}
    parts = [part for part in (MODEL, OPTIMIZER, AVERAGED) if newest.has(part)]
    arrays = {f"{part}/{name}": each for part in parts for name, each in newest.read(part).items()}
    return {"step": newest.step, "state": plain, **arrays}


def assert_same(one: Path, other: Path) -> None:
    """Asserts that two runs have equal metrics, weights, optimizers, random states and bests."""
    assert rows(one) == rows(other)
    mine, theirs = state(one), state(other)
    assert mine.keys() == theirs.keys()
    for key, value in mine.items():
        assert np.array_equal(value, theirs[key]), key
