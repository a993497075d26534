"""A process that is killed, or gets an error, at every single system call.

strace kills the process (or makes the call fail) at the n-th call, for every n: each state that a
crash can leave behind is tested, not just a sample.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import imgcls

CALLS = "fsync,flock,write,?ftruncate,?mkdir,?mkdirat,?rename,?renameat,?renameat2"
CALLS += ",?unlink,?unlinkat,?rmdir"

Traced = tuple["subprocess.CompletedProcess[str]", list[str]]


def _traceable() -> bool:
    """Returns whether strace is installed and may trace: some containers forbid it."""
    command = ["strace", "-qq", "-e", "inject=?rmdir:signal=KILL:when=1", "true"]
    return bool(
        shutil.which("strace")
        and subprocess.run(command, capture_output=True, check=False).returncode == 0
    )


needs_strace = pytest.mark.skipif(not _traceable(), reason="needs strace, and the right to trace")


def trace(child: str, folder: Path, *inject: str) -> Traced:
    """Runs Python code in a separate process; returns the process and its system calls.

    Args:
        child: the code; `sys.argv[1]` is the folder.
        folder: its working folder; the log `strace` is written there, too.
        inject: strace's options.
    """
    log = folder / "strace"
    done = subprocess.run(
        ["strace", "-f", "-y", "-qq", "-o", log, "-e", f"trace={CALLS}", *inject,
         sys.executable, "-B", "-c", child, folder],
        env=os.environ | {"PYTHONPATH": str(Path(imgcls.__file__).parents[1]),
                          "OPENBLAS_NUM_THREADS": "1"},
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    return done, [line for line in log.read_text().splitlines() if "(" in line]


def sweep(
    begin: Callable[..., Traced],
    folder: Path,
    calls: list[str],
    what: str,
    lasting: str = "",
    step: int = 1,
) -> Iterator[tuple[Path, "subprocess.CompletedProcess[str]"]]:
    """Traces once per call, two at a time; yields the folder and the process.

    Args:
        begin: called with a folder that does not exist yet and strace's options.
        folder: the parent of all of these.
        calls: of an undisturbed process.
        what: happens at the call, in strace's syntax.
        lasting: with "+", it happens at every later call of the same name as well.
        step: 2 takes every second call.
    """

    def disturb(number: int) -> tuple[Path, "subprocess.CompletedProcess[str]"]:
        """Disturbs one call; strace counts the calls of each name separately."""
        named = [call.split()[1].partition("(")[0] for call in calls[:number]]
        place = f"when={named.count(named[-1])}{lasting}"
        where = folder / str(number)
        return where, begin(where, "-e", f"inject={named[-1]}:{what}:{place}")[0]

    with ThreadPoolExecutor(2) as pool:
        yield from pool.map(disturb, range(1, len(calls) + 1, step))


def opened(call: str) -> str:
    """Returns the path of the file that a traced call is about."""
    return call.partition("<")[2].partition(">")[0]
