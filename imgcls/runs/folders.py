"""A run folder: its name, its lock, its status, its metrics and its files.

    runs/cifar10-001/
      config.yaml  model.json      what later commands read, besides the weights
      changes.json                 changes made to the config when the run was resumed, if any
      checkpoints/step-N/          see checkpoints.py
      metrics.jsonl                one row per line; rows undone by a resume are in
                                   metrics.superseded.jsonl
      status.json  run.lock        its status, and the process that is working in it
      data.json  environment.json  log.txt

A folder belongs to one run forever: a new run gets a new number, and only the training process,
which holds the lock, writes to the folder.
"""

import difflib
import itertools
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from imgcls import files, filesystem
from imgcls.errors import ResourceError, RunError
from imgcls.runs import checkpoints, lock, rows

RunState = Literal["running", "interrupted", "failed", "diverged", "finished"]
"""The state of a run; a run that is `running` but not locked was killed."""

_NUMBERED = re.compile(r"(.+)-([0-9]{3,9})", re.DOTALL)


@dataclass(frozen=True)
class Run:
    """A run folder and the paths of its files, which need not exist yet."""

    folder: Path

    def __str__(self) -> str:
        return str(self.folder)

    @property
    def config(self) -> Path:
        """The config, with every default written out."""
        return self.folder / "config.yaml"

    @property
    def model(self) -> Path:
        """The data spec: classes, size, channels, mean and variance."""
        return self.folder / "model.json"

    @property
    def metrics(self) -> Path:
        """The metrics rows, one JSON object per line."""
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
    def changes(self) -> Path:
        """The changes made to the config when the run was resumed."""
        return self.folder / "changes.json"

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
        """The status of the run."""
        return self.folder / "status.json"

    @property
    def log(self) -> Path:
        """The messages reported during training."""
        return self.folder / "log.txt"


@contextmanager
def created(root: Path, name: str, config: bytes) -> Iterator[Run]:
    """Creates a new run `<root>/<name>-<number>` with a unique number, and locks it.

    It appears atomically with its config, its status and its lock: even after a kill at this
    moment, a search for unfinished runs finds one that can be resumed, or none. A draft that a dead
    process left in `root` stays: on a shared disk, its owner may be alive on another machine.

    Args:
        root: the folder of the runs; created if it is missing.
        name: the name of the config file, without its suffix.
        config: the content of `config.yaml`.

    Raises:
        ResourceError: if the folder, or a file in it, cannot be written.
    """
    with ExitStack() as held:
        with files.writing(root):
            root.mkdir(parents=True, exist_ok=True)
            with files.draft_folder(root / "run") as draft:
                held.enter_context(lock.held(draft))
                files.write_whole(Run(draft).config, config)
                set_status(Run(draft), "running")
                run = _numbered(draft, name)
        yield run


def _numbered(draft: Path, name: str) -> Run:
    """Renames a draft to its final name, whose number is above all others."""
    root = draft.parent
    highest = max((_number(path.name, name) for path in root.iterdir()), default=0)
    for number in itertools.count(highest + 1):
        run = Run(root / f"{name}-{number:03}")
        with files.writing(run.folder):
            try:
                draft.rename(run.folder)
            except OSError:
                if os.path.lexists(run.folder):  # another process was faster
                    continue
                raise
        try:
            with files.writing(root):
                filesystem.sync(root)
        except ResourceError:
            remove_unused(run)
            raise
        return run
    raise AssertionError("there is always a next number")


def _number(folder: str, name: str) -> int:
    """Returns 12 for `cifar10-2-012` and `cifar10-2`; 0 if the folder is not a run of that name."""
    match = _NUMBERED.fullmatch(folder)
    return int(match[2]) if match and match[1] == name else 0


def open_run(path: Path) -> Run:
    """Returns the run in this folder.

    Raises:
        RunError: if there is none, suggesting runs with similar names.
    """
    run = Run(path)
    if _is_run(path):
        return check_own(run)
    what = "is no run" if os.path.lexists(path) else "does not exist"
    meant = _meant(path)
    advice = f"did you mean {' or '.join(map(str, meant))}?" if meant else "the runs are in runs/"
    raise RunError(f"{path} {what}; {advice}")


def check_own(run: Run) -> Run:
    """Returns the run if its folder has no symbolic links, which could lead out of it.

    Raises:
        RunError: naming the link.
    """
    try:
        with os.scandir(run.folder) as entries:
            link = next((entry.path for entry in entries if entry.is_symlink()), None)
    except OSError as error:
        raise RunError(f"{run} cannot be read, {files.reason(error)}") from error
    if link is not None:
        raise RunError(f"{link} is a link; a run's files must be in its own folder")
    return run


def _is_run(path: Path) -> bool:
    return (path / "status.json").is_file() or (path / "config.yaml").is_file()


def _meant(path: Path) -> list[Path]:
    """Returns the run that contains the path, or up to three runs with similar names."""
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
        found = [path for path in sorted(root.iterdir()) if _is_run(path)]
    except OSError:
        return []
    return [Run(path) for path in found if not files.is_temporary(path.name)]


def named(root: Path, name: str) -> list[Run]:
    """Returns the runs named after a config, the highest number first."""
    numbers = {run: _number(run.folder.name, name) for run in _runs(root)}
    return sorted((run for run in numbers if numbers[run]), key=lambda run: -numbers[run])


def remove_unused(run: Run) -> None:
    """Removes a run that never trained; other files in its folder are kept, with the folder."""
    files.remove_stale(run.folder)
    own = (run.config, run.model, run.data, run.environment, run.status, run.log)
    for path in (*own, run.folder / lock.NAME):
        files.discard(path)
    with suppress(OSError):
        run.folder.rmdir()


def newest(root: Path) -> Run:
    """Returns the most recently started run that has a checkpoint.

    Among the runs of one config, it is the one with the highest number.

    Raises:
        RunError: if there is none.
    """
    runs = sorted(_runs(root), key=_started)
    saved = [run for run in runs if checkpoints.steps(run.checkpoints)]
    if saved:
        # If the clock was set back, a later run looks older, but still has the higher number.
        match = _NUMBERED.fullmatch(saved[-1].folder.name)
        same = named(root, match[1]) if match else []
        return check_own(next((run for run in same if run in saved), saved[-1]))
    if runs:
        raise RunError(
            f"{root} has no run with a checkpoint; {runs[-1]} ended before its first one",
            hint="start a new run: imgcls train CONFIG",
        )
    raise RunError(f"{root} has no run yet", hint="imgcls train CONFIG")


def _started(run: Run) -> tuple[str, str]:
    """Returns the start time in a run's status, never the time of a file, to order runs."""
    try:
        return str(read_status(run).get("started", "")), run.folder.name
    except RunError:
        return "", run.folder.name


def read_status(run: Run) -> dict[str, Any]:
    """Returns `state`, `started`, `changed` and the other fields passed to `set_status`.

    Raises:
        RunError: if the file is missing or damaged.
    """
    status = files.read_json(run.status)
    if not isinstance(status, dict):
        raise RunError(f"{run.status} is no status")
    return status


def set_status(run: Run, state: RunState, **fields: object) -> None:
    """Writes the status of a run; keeps the start time and replaces all other fields.

    Raises:
        ResourceError: if it cannot be written; the previous status is kept.
    """
    now = datetime.now(UTC).isoformat(timespec="microseconds")
    try:
        started = read_status(run).get("started", now)
    except RunError:  # a new run, or a damaged status: both start now
        started = now
    files.write_json(run.status, {"state": state, "started": started, "changed": now, **fields})


def rewind_metrics(run: Run, step: int, epochs: int) -> None:
    """Moves rows after this step or after this epoch to `metrics.superseded.jsonl`.

    They will be written again. The row of an epoch may come after a checkpoint at its last step.

    Raises:
        ResourceError: if a file cannot be written.
        RunError: if a line is not a row.
    """

    def is_undone(row: Mapping[str, Any]) -> bool:
        over = row.get("kind") == "epoch" and row.get("epoch", 0) > epochs
        return bool(over or row.get("step", 0) > step)

    rows.rewind(run.metrics, run.superseded, is_undone)
