"""What a start of Python costs, in ratios: machines differ by half and more, and so do minutes."""

import resource
import subprocess
import sys
from collections.abc import Sequence

ROUNDS = 5


def cost(arguments: Sequence[str], libraries: str) -> float:
    """Returns the processor's time of a start, as a multiple of that of importing `libraries`.

    Both are taken in turns, and the least of each counts: what else the machine does is not ours.
    """
    ours, theirs = [], []
    for _ in range(ROUNDS):
        theirs.append(_seconds(["-c", f"import {libraries}"]))
        ours.append(_seconds(arguments))
    return min(ours) / min(theirs)


def _seconds(arguments: Sequence[str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *arguments], capture_output=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
