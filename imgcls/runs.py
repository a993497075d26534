"""A run folder: its name, its lock, its status, its metrics, and what is where in it.

    runs/cifar10-001/
      config.yaml  model.json      all that later commands read, besides the weights
      checkpoints/step-N/          see checkpoints.py
      metrics.jsonl                a line each report; what a resume undid is in the file beside it
      status.json  run.lock        how it stands, and who is at work in it
      data.json  environment.json  log.txt

A folder never changes owner: a new run gets a new number, and only its trainer, who holds the
lock, writes in it.
"""

import difflib
import fcntl
import itertools
import json
import os
import re
import shutil
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from io import FileIO
from pathlib import Path
from typing import Any, Literal

from imgcls import checkpoints, files, rows
from imgcls.errors import LockedError, ResourceError, RunError

State = Literal["running", "interrupted", "failed", "diverged", "finished"]
"""How a run stands; one that is `running` while nobody holds its lock was killed."""

_NUMBERED = re.compile(r"(.+)-([0-9]{3,9})", re.DOTALL)


@dataclass(frozen=True)
class Run:
    """A run's folder and what is where in it; the files need not be there yet."""

    folder: Path

    def __str__(self) -> str:
        return str(self.folder)

    @property
    def config(self) -> Path:
        """What was asked, fully resolved."""
        return self.folder / "config.yaml"

    @property
    def model(self) -> Path:
        """What the data decided: classes, size, channels, normalisation."""
        return self.folder / "model.json"

    @property
    def metrics(self) -> Path:
        """One JSON object a line."""
        return self.folder / "metrics.jsonl"

    @property
    def superseded(self) -> Path:
        """The rows that a resume from an earlier step undid."""
        return self.folder / "metrics.superseded.jsonl"

    @property
    def checkpoints(self) -> Path:
        """The folder of the checkpoints."""
        return self.folder / "checkpoints"

    @property
    def environment(self) -> Path:
        """Versions, devices, threads, precision."""
        return self.folder / "environment.json"

    @property
    def data(self) -> Path:
        """Files, counts, splits, fingerprint."""
        return self.folder / "data.json"

    @property
    def status(self) -> Path:
        """How the run stands."""
        return self.folder / "status.json"

    @property
    def log(self) -> Path:
        """What was said while it trained."""
        return self.folder / "log.txt"


def create(root: Path, name: str) -> Run:
    """Returns a new run `<root>/<name>-<number>`, of which nobody else has the number.

    Args:
        root: the folder of the runs; made where it is missing.
        name: the config's, without its suffix.

    Raises:
        ResourceError: if the folder, or a file in it, cannot be written.
    """
    with files.writing(root):
        root.mkdir(parents=True, exist_ok=True)
        highest = max((_number(path.name, name) for path in root.iterdir()), default=0)
    for number in itertools.count(highest + 1):
        run = Run(root / f"{name}-{number:03}")
        with files.writing(run.folder):
            try:
                run.folder.mkdir()
            except FileExistsError:  # another process was faster
                continue
        try:
            set_status(run, "running")
            with files.writing(root):
                files.sync(root)
        except ResourceError:
            shutil.rmtree(run.folder, ignore_errors=True)  # it is ours, and nothing is in it
            raise
        return run
    raise AssertionError("there is always a next number")


def _number(folder: str, name: str) -> int:
    """Returns 12 for `cifar10-2-012` and `cifar10-2`; 0 if the folder is no run of that name."""
    match = _NUMBERED.fullmatch(folder)
    return int(match[2]) if match and match[1] == name else 0


def open_run(path: Path) -> Run:
    """Returns the run in this folder.

    Raises:
        RunError: if there is none, with the names of those that may have been meant.
    """
    run = Run(path)
    if _is_run(path):
        return run
    what = "is no run" if os.path.lexists(path) else "does not exist"
    meant = _meant(path)
    advice = f"did you mean {' or '.join(map(str, meant))}?" if meant else "the runs are in runs/"
    raise RunError(f"{path} {what}; {advice}")


def _is_run(path: Path) -> bool:
    return (path / "status.json").is_file() or (path / "config.yaml").is_file()


def _meant(path: Path) -> list[Path]:
    """Returns the run that the path leads into, or up to three with a name like its."""
    for above in path.parents:
        if _is_run(above) and above.name:
            return [above]
    for root in (path.parent, path.parent / "runs"):
        names = [run.folder.name for run in _runs(root)]
        close = difflib.get_close_matches(path.name, names, n=3, cutoff=0.6)
        if close:
            return [root / name for name in close]
    return []


def _runs(root: Path) -> list[Run]:
    try:
        return [Run(path) for path in sorted(root.iterdir()) if _is_run(path)]
    except OSError:
        return []


def newest(root: Path) -> Run:
    """Returns the run that was started last of those that have a checkpoint.

    Raises:
        RunError: if there is none.
    """
    runs = sorted(_runs(root), key=_started)
    for run in reversed(runs):
        if checkpoints.steps(run.checkpoints):
            return run
    if runs:
        raise RunError(
            f"{root} has no run with a checkpoint; {runs[-1]} ended before its first one",
            hint="imgcls train CONFIG, anew",
        )
    raise RunError(f"{root} has no run yet", hint="imgcls train CONFIG")


def _started(run: Run) -> tuple[str, int, str]:
    """Orders runs by their own word, never by a file's time; by number if it is the same."""
    try:
        started = str(read_status(run).get("started", ""))
    except RunError:
        started = ""
    match = _NUMBERED.fullmatch(run.folder.name)
    return started, int(match[2]) if match else 0, run.folder.name


def read_status(run: Run) -> dict[str, Any]:
    """Returns `state`, `started`, `changed` and what else `set_status` was given.

    Raises:
        RunError: if the file is missing or damaged.
    """
    status = files.read_json(run.status)
    if not isinstance(status, dict):
        raise RunError(f"{run.status} is no status")
    return status


def set_status(run: Run, state: State, **fields: object) -> None:
    """Writes how the run stands; when it was started is kept, the other fields are the given ones.

    Raises:
        ResourceError: if it cannot be written; the status stays as it was.
    """
    now = datetime.now(UTC).isoformat(timespec="microseconds")
    try:
        started = read_status(run).get("started", now)
    except RunError:  # a new run, or a damaged status: both begin now
        started = now
    files.write_json(run.status, {"state": state, "started": started, "changed": now, **fields})


@contextmanager
def lock(run: Run) -> Iterator[None]:
    """Holds the run for this process alone; the kernel lets go when the process ends, however.

    Raises:
        LockedError: if another process holds it, naming it.
        ResourceError: if the file system has no locks, or the folder cannot be written.
    """
    path = run.folder / "run.lock"
    with files.writing(path):
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        file = os.fdopen(os.open(path, flags, 0o666), "r+b", buffering=0)
    with file:
        with files.writing(path):
            _take(run, file)
        files.remove_stale(run.folder)
        yield


def _take(run: Run, file: FileIO) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise LockedError(f"{run} is in use by {_holder(file.read(1000))}") from error
    since = datetime.now(UTC).isoformat(timespec="seconds")
    file.truncate(0)
    file.write(files.to_json({"pid": os.getpid(), "host": socket.gethostname(), "since": since}))


def _holder(text: bytes) -> str:
    try:
        holder = json.loads(text)
        return f"process {holder['pid']} on {holder['host']} since {holder['since']}"
    except (ValueError, TypeError, KeyError):  # it has not said so yet
        return "another process"


def rewind_metrics(run: Run, step: int, epochs: int) -> None:
    """Moves the rows of later steps and epochs to `metrics.superseded.jsonl`.

    A resume will write them anew.

    Args:
        run: the run.
        step: the last one that is kept.
        epochs: how many are over: the row of an epoch comes after the checkpoint of its last step.

    Raises:
        ResourceError: if a file cannot be written.
        RunError: if a line is not a row.
    """

    def is_undone(row: Mapping[str, Any]) -> bool:
        over = row.get("kind") == "epoch" and row.get("epoch", 0) > epochs
        return bool(over or row.get("step", 0) > step)

    rows.rewind(run.metrics, run.superseded, is_undone)
