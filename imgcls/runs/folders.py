"""A run folder: its name, its lock, its status, its metrics, and what is where in it.

    runs/cifar10-001/
      config.yaml  model.json      all that later commands read, besides the weights
      changes.json                 what a later start changed of the config, if anything
      checkpoints/step-N/          see checkpoints.py
      metrics.jsonl                a line each report; what a resume undid is in the file beside it
      status.json  run.lock        how it stands, and who is at work in it
      data.json  environment.json  log.txt

A folder never changes owner: a new run gets a new number, and only its trainer, who holds the
lock, writes in it.
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

from imgcls import files
from imgcls.errors import ResourceError, RunError
from imgcls.runs import checkpoints, lock, rows

RunState = Literal["running", "interrupted", "failed", "diverged", "finished"]
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
        """What the data decided: classes, size, channels, normalization."""
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
    def changes(self) -> Path:
        """What a later start changed of the config."""
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
        """How the run stands."""
        return self.folder / "status.json"

    @property
    def log(self) -> Path:
        """What was said while it trained."""
        return self.folder / "log.txt"


@contextmanager
def created(root: Path, name: str, config: bytes) -> Iterator[Run]:
    """Makes a new run `<root>/<name>-<number>`, of which nobody else has the number, and holds it.

    It appears with its config, its status and its lock at once: even after a kill at this moment, a
    search for unfinished runs finds one that can be resumed, or none. A draft that a dead process
    left in `root` stays: no lock shows another machine on a shared disk that its owner is alive.

    Args:
        root: the folder of the runs; made where it is missing.
        name: the config's, without its suffix.
        config: all that `config.yaml` is to say.

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
    """Gives a draft its own name; its number is above all others."""
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
                files.sync(root)
        except ResourceError:
            remove_unused(run)
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
        return check_own(run)
    what = "is no run" if os.path.lexists(path) else "does not exist"
    meant = _meant(path)
    advice = f"did you mean {' or '.join(map(str, meant))}?" if meant else "the runs are in runs/"
    raise RunError(f"{path} {what}; {advice}")


def check_own(run: Run) -> Run:
    """Returns the run if its folder holds its own files: a link in it would lead out of it.

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
        found = [path for path in sorted(root.iterdir()) if _is_run(path)]
    except OSError:
        return []
    return [Run(path) for path in found if not files.is_temporary(path.name)]


def named(root: Path, name: str) -> list[Run]:
    """Returns the runs of one config's name, the newest first, by their numbers."""
    numbers = {run: _number(run.folder.name, name) for run in _runs(root)}
    return sorted((run for run in numbers if numbers[run]), key=lambda run: -numbers[run])


def remove_unused(run: Run) -> None:
    """Removes a run that never trained; what is not a run's own file stays, and its folder."""
    files.remove_stale(run.folder)
    own = (run.config, run.model, run.data, run.environment, run.status, run.log)
    for path in (*own, run.folder / lock.NAME):
        files.discard(path)
    with suppress(OSError):
        run.folder.rmdir()


def newest(root: Path) -> Run:
    """Returns the run that was started last of those that have a checkpoint.

    Of the runs of one config, that is the one with the highest number.

    Raises:
        RunError: if there is none.
    """
    runs = sorted(_runs(root), key=_started)
    saved = [run for run in runs if checkpoints.steps(run.checkpoints)]
    if saved:
        # A clock that was put back makes a later run the older one, but not its number the lower.
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
    """Orders runs by their own word, never by a file's time."""
    try:
        return str(read_status(run).get("started", "")), run.folder.name
    except RunError:
        return "", run.folder.name


def read_status(run: Run) -> dict[str, Any]:
    """Returns `state`, `started`, `changed` and what else `set_status` was given.

    Raises:
        RunError: if the file is missing or damaged.
    """
    status = files.read_json(run.status)
    if not isinstance(status, dict):
        raise RunError(f"{run.status} is no status")
    return status


def set_status(run: Run, state: RunState, **fields: object) -> None:
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


def rewind_metrics(run: Run, step: int, epochs: int) -> None:
    """Moves rows after this step, and after so many epochs, to `metrics.superseded.jsonl`.

    They will be written again. An epoch's row comes after the checkpoint of its last step.

    Raises:
        ResourceError: if a file cannot be written.
        RunError: if a line is not a row.
    """

    def is_undone(row: Mapping[str, Any]) -> bool:
        over = row.get("kind") == "epoch" and row.get("epoch", 0) > epochs
        return bool(over or row.get("step", 0) > step)

    rows.rewind(run.metrics, run.superseded, is_undone)
