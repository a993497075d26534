"""The view of a `Trained`."""

import shlex
import signal
from pathlib import Path
from typing import Any

from imgcls.console.numbers import count, counted, decimal, duration, joined, printable
from imgcls.events import Trained


def ending(trained: Trained) -> list[str]:
    """Returns how the training ended, and its best epoch."""
    run = printable(str(trained.run))
    epochs = f"{trained.epoch} of {counted(trained.epochs, 'epoch')}"
    if trained.status == "interrupted":
        by = f" by {signal.Signals(trained.signal).name}" if trained.signal else ""
        line = f"interrupted{by} after {epochs} (step {count(trained.step)})"
    elif trained.early:
        line = f"stopped early after {epochs} in {duration(trained.seconds)}: {trained.early}"
    else:
        line = f"finished {epochs} in {duration(trained.seconds)}"
    return [f"{run}: {line}"] + ([_best(trained.best)] if trained.best else [])


def _best(row: dict[str, Any]) -> str:
    """Returns the best epoch's validation metrics, or its training metrics without validation."""
    names = [name for name in row if name.startswith("val_")] or ["loss", "accuracy"]
    figures = [f"{name} {decimal(row[name])}" for name in names if name in row]
    return f"Best epoch: {joined(str(row['epoch']), *figures)}"


def coming_next(trained: Trained) -> list[str]:
    """Returns the commands that come next."""
    if trained.status == "interrupted":
        return [f"resume: {printable(resume(trained.run))}"]
    run = printable(shlex.quote(str(trained.run)))
    return [f"next: imgcls evaluate {run}", f"      imgcls predict IMAGE --run {run}"]


def resume(run: Path) -> str:
    """Returns the shell command that resumes a run."""
    return f"imgcls train --resume {shlex.quote(str(run))}"
