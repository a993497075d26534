"""Measures startup: the time to the help, to a config's mistakes, to the first step on CIFAR-10."""

import argparse
import contextlib
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import ModuleType

from benchmarks.lines import say
from imgcls.errors import ConfigError

STARTS = 5
MISTAKES = """\
dataset: {name: digit}
augmentation: [{RandomFlip: {mode: sideways}}]
layers: [{Dropout: {rate: 1.5}}, {Dense: {units: classes, units: 3}}]
optimizer: {SGD: {lr: 3}}
loss: binary_crossentropy
"""


class _FirstStepTakenError(Exception):
    pass


def main() -> None:
    """Measures one of the three and prints the seconds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("help", "mistakes", "step"))
    parser.add_argument("config", type=Path, nargs="?", default=Path("configs/cifar10.yaml"))
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    times = 1 if options.quick else STARTS
    if options.what == "help":
        say(seconds=_seconds(["--help"], 0, times))
    elif options.what == "mistakes":
        with tempfile.TemporaryDirectory() as folder:
            config = Path(folder) / "mistakes.yaml"
            config.write_text(MISTAKES, encoding="utf-8")
            say(seconds=_seconds(["train", str(config)], ConfigError.exit_code, times))
    else:
        say(**_first_step(options.config))


def _seconds(arguments: list[str], code: int, times: int) -> float:
    """Returns the median seconds of several starts, each of which must end with this exit code."""
    command = [sys.executable, "-m", "imgcls", *arguments]
    seconds = []
    for _ in range(times):
        began = time.perf_counter()
        done = subprocess.run(command, capture_output=True, check=False)
        seconds.append(time.perf_counter() - began)
        if done.returncode != code:
            raise SystemExit(f"{command} ended with {done.returncode}: {done.stderr!r}")
    return statistics.median(seconds)


def _first_step(config: Path) -> dict[str, float]:
    """Returns the seconds from the end of TensorFlow's import to the end of the first step.

    The import ends when `startup.start` returns; the seconds before it and those of the import are
    returned, too.
    """
    from imgcls.commands.train import train
    from imgcls.events import Progressed
    from imgcls.ops import startup

    began = time.perf_counter()
    marks = _watched(startup)

    def report(event: object) -> None:
        if isinstance(event, Progressed):
            marks.append(time.perf_counter())
            raise _FirstStepTakenError

    with tempfile.TemporaryDirectory() as root, contextlib.suppress(_FirstStepTakenError):
        train(config, report, root=Path(root))
    before, after, first = marks
    return {
        "seconds": first - after,
        "seconds_before_import": before - began,
        "seconds_of_import": after - before,
    }


def _watched(startup: ModuleType) -> list[float]:
    """Returns a list to which the times of the start and the end of the import will be added."""
    marks: list[float] = []
    start = startup.start

    def watched() -> str:
        if marks:
            return str(start())
        marks.append(time.perf_counter())
        said = str(start())
        marks.append(time.perf_counter())
        return said

    startup.start = watched  # type: ignore[attr-defined]
    return marks


if __name__ == "__main__":
    main()
