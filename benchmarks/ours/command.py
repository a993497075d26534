"""Runs `imgcls train` as users do, and reads the files of the run."""

import json
import resource
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.lines import peak_bytes

Figures = dict[str, float | str | None]


def trained(config: Path, overrides: Sequence[str], folder: Path) -> Figures:
    """Returns the figures of one training run.

    Args:
        config: the YAML file.
        overrides: `key=value` each.
        folder: the working folder, without runs.

    Returns:
        `images_per_second` of the training phase from the second epoch on, which excludes startup,
        tracing, validation and checkpoints; `seconds_per_image`; `precision`; `device`; and the
        `peak_bytes` of the process.
    """
    given = [each for override in overrides for each in ("--set", override)]
    done = subprocess.run(
        [sys.executable, "-m", "imgcls", "train", str(config.resolve()), *given],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(done.stderr)
    run = next((folder / "runs").iterdir())
    environment = json.loads((run / "environment.json").read_text(encoding="utf-8"))
    rate = _rate((run / "metrics.jsonl").read_text(encoding="utf-8").splitlines())
    return {
        "images_per_second": rate,
        "seconds_per_image": 1 / rate,
        "precision": environment["precision"],
        "device": environment["device"],
        "peak_bytes": peak_bytes(resource.RUSAGE_CHILDREN),
    }


def _rate(lines: Iterable[str]) -> float:
    rows: list[dict[str, Any]] = [json.loads(line) for line in lines]
    later = [row for row in rows if row["kind"] == "epoch"][1:]
    seconds = sum(row["train_seconds"] for row in later)
    return float(sum(row["images_per_second"] * row["train_seconds"] for row in later) / seconds)
