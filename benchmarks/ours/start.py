"""How long until `imgcls` answers: its help, and the first training step on CIFAR-10."""

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

HELPS = 5


class _FirstStepTakenError(Exception):
    pass


def main() -> None:
    """Measures one of the two and prints its seconds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("help", "step"))
    parser.add_argument("config", type=Path, nargs="?", default=Path("configs/cifar10.yaml"))
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    if options.what == "help":
        say(seconds=statistics.median(_help() for _ in range(1 if options.quick else HELPS)))
    else:
        say(**_first_step(options.config))


def _help() -> float:
    began = time.perf_counter()
    command = [sys.executable, "-m", "imgcls", "--help"]
    subprocess.run(command, capture_output=True, check=True)
    return time.perf_counter() - began


def _first_step(config: Path) -> dict[str, float]:
    """Returns the seconds from the end of TensorFlow's import to the first step, and the others'.

    The import ends where `startup.start` returns; what comes before it is told beside.
    """
    from imgcls.commands.train import train
    from imgcls.ops import startup
    from imgcls.training.events import Progressed

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
    """Returns the list that the begin and the end of the import will be written to."""
    marks: list[float] = []
    start = startup.start

    def watched() -> None:
        if not marks:
            marks.append(time.perf_counter())
            start()
            marks.append(time.perf_counter())

    startup.start = watched  # type: ignore[attr-defined]
    return marks


if __name__ == "__main__":
    main()
