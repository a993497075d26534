"""Runs the contenders of a comparison in turn, each time in a new process."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.comparison import Comparison, Contender, Kind

ROOT = Path(__file__).parent.parent
_LAST_LINES = 3  # of stderr, which contain the reason


class UnmeasuredError(Exception):
    """A contender cannot run here; the message is the reason."""


@dataclass(frozen=True)
class Settings:
    """The settings for all contenders.

    Attributes:
        kind: the kind of machine; peers compute in the precision that imgcls would choose on it.
        photos: a folder of photographs in class folders.
        torch: the path of a Python that has PyTorch.
        quick: whether to take only a few steps, to test the benchmark itself.
        root: the folder that contains the modules of the contenders.
    """

    kind: Kind
    photos: Path | None = None
    torch: str | None = None
    quick: bool = False
    root: Path = ROOT


def rounds(
    comparison: Comparison, settings: Settings, times: int, tell: Callable[[str], None]
) -> list[list[dict[str, Any]]]:
    """Returns the figures of each contender in each round; a round runs each contender once.

    Args:
        comparison: the comparison to measure.
        settings: the settings for all contenders.
        times: the number of rounds.
        tell: receives a line of text after each measurement.

    Raises:
        UnmeasuredError: if a contender cannot run.
    """
    for contender in comparison.contenders:
        command(contender, settings)  # report missing requirements before spending an hour
    measured = []
    for number in range(1, times + 1):
        figures = []
        for contender in comparison.contenders:
            figures.append(figures_of(contender, settings))
            value = figures[-1][comparison.figure]
            tell(f"  {number} of {times}: {contender.name}: {value:,.5g} {comparison.unit}")
        measured.append(figures)
    return measured


def figures_of(contender: Contender, settings: Settings) -> dict[str, Any]:
    """Returns the figures that a contender prints.

    Raises:
        UnmeasuredError: if it fails, with the last lines of its stderr.
    """
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONPATH": str(settings.root)}
    done = subprocess.run(
        command(contender, settings),
        cwd=settings.root,
        env=os.environ | quiet | contender.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        said = " / ".join(done.stderr.strip().splitlines()[-_LAST_LINES:])
        raise UnmeasuredError(f"{contender.name} ended with {done.returncode}: {said}")
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return figures


def command(contender: Contender, settings: Settings) -> list[str]:
    """Returns the command line of a contender.

    Raises:
        UnmeasuredError: if it needs a setting that was not given.
    """
    python = sys.executable if contender.python == "imgcls" else settings.torch
    if python is None:
        raise UnmeasuredError(
            "give a Python that has PyTorch: --torch PYTHON or IMGCLS_BENCH_TORCH"
        )
    if settings.photos is None and any("{photos}" in each for each in contender.command):
        raise UnmeasuredError("give a folder of photographs: --photos FOLDER")
    filled = [
        each.replace("{precision}", settings.kind).replace("{photos}", str(settings.photos))
        for each in contender.command
    ]
    return [python, "-m", *filled, *(["--quick"] if settings.quick else [])]
