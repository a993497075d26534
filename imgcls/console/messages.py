"""What is said of each event and of how a training ended."""

import math
import shlex
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imgcls.console.numbers import count, decimal, duration, printable, rate
from imgcls.events import (
    Cached,
    Downloading,
    EpochEnded,
    Progressed,
    Scanning,
    Started,
    Trained,
    Validating,
)
from imgcls.memory import amount

if TYPE_CHECKING:
    from imgcls.evaluation.assertions import Outcome

_GAP = "  "


@dataclass(frozen=True)
class Tick:
    """How far something is: what a progress bar shows.

    Attributes:
        what: what goes on.
        done: how much of it is done.
        total: how much there is.
        figures: what else is known, separated by two spaces; may be empty.
    """

    what: str
    done: int
    total: int
    figures: str = ""

    @property
    def head(self) -> str:
        """All but the figures."""
        return f"{self.what} {count(self.done)}/{count(self.total)}"

    def __str__(self) -> str:
        """Returns it as one line."""
        return _joined(self.head, self.figures)


def tick(event: Progressed | Downloading | Scanning | Validating) -> Tick:
    """Returns how far something is."""
    match event:
        case Progressed():
            return Tick(
                f"epoch {event.epoch}/{event.epochs}{_GAP}step",
                event.step,
                event.steps,
                _progress_figures(event),
            )
        case Downloading(done=done, total=total):
            mebibytes = round(done / 2**20), round(total / 2**20)
            return Tick(f"downloading {event.name}{_GAP}MiB", *mebibytes)
        case Validating(done=done, total=total):
            return Tick("evaluating images", done, total)
        case Scanning(done=done, total=total):
            return Tick("reading images", done, total)


def _progress_figures(event: Progressed) -> str:
    left = duration(max(event.seconds_left, 0)) + " left"
    return _joined(
        f"loss {decimal(event.loss)}",
        f"accuracy {decimal(event.accuracy)}",
        rate(event.images_per_second),
        left if math.isfinite(event.seconds_left) else "",
    )


def downloading(event: Downloading) -> str:
    """Returns the line that opens a download: what, how large, from where, to where."""
    return (
        f"downloading {event.name}, {amount(event.total)}, "
        f"from {event.source} to {printable(event.target)}"
    )


def cached(event: Cached) -> str:
    """Returns the line of what came from the cache of decoded images, and of what goes wrong."""
    part = f"{count(event.images)} of " if event.images < event.total else ""
    images = f"{part}{_counted(event.total, 'image')} from the cache"
    trouble = f"decoded images are not kept for later runs: {printable(event.trouble)}"
    return _joined(*([images] if event.images else []), *([trouble] if event.trouble else []))


def started(event: Started) -> str:
    """Returns the line that opens a training."""
    images = ", ".join(f"{count(number)} {split}" for split, number in event.images.items())
    return (
        f"{printable(str(event.run))}: {_counted(event.epochs, 'epoch')} of "
        f"{_counted(event.steps_per_epoch, 'step')}"
        + (f", going on after step {count(event.step)}" if event.step else "")
        + f"; images: {images}; {_counted(event.classes, 'class', 'classes')}; "
        f"{_counted(event.parameters, 'parameter')}; {event.device}, {event.precision}"
    )


def epoch(event: EpochEnded) -> str:
    """Returns the line of an epoch that is over."""
    row = event.metrics
    names = ("loss", "accuracy", "val_loss", "val_accuracy")
    return _joined(
        f"epoch {event.epoch}/{event.epochs}",
        *(f"{name} {decimal(row[name])}" for name in names if name in row),
        rate(row["images_per_second"]) if "images_per_second" in row else "",
        duration(row["train_seconds"]) if "train_seconds" in row else "",
        "best" if event.best else "",
    )


def ending(trained: Trained) -> list[str]:
    """Returns what came of a training: how it ended, and its best epoch."""
    run = printable(str(trained.run))
    epochs = f"{trained.epoch} of {_counted(trained.epochs, 'epoch')}"
    if trained.status == "interrupted":
        by = f" by {signal.Signals(trained.signal).name}" if trained.signal else ""
        line = f"interrupted{by} after {epochs}, step {count(trained.step)}"
    elif trained.early:
        line = f"stopped early after {epochs} in {duration(trained.seconds)}: {trained.early}"
    else:
        line = f"trained {epochs} in {duration(trained.seconds)}"
    return [f"{run}: {line}"] + ([_best(trained.best)] if trained.best else [])


def _best(row: dict[str, Any]) -> str:
    """Returns the best epoch's validation figures, or the training ones if there are no others."""
    names = [name for name in row if name.startswith("val_")] or ["loss", "accuracy"]
    figures = (f"{name} {decimal(row[name])}" for name in names if name in row)
    return "best: " + _joined(f"epoch {row['epoch']}" if "epoch" in row else "", *figures)


def coming_next(trained: Trained) -> list[str]:
    """Returns the commands that come next."""
    if trained.status == "interrupted":
        return [f"resume: {printable(resume(trained.run))}"]
    run = quoted(trained.run)
    return [f"next: imgcls evaluate {run}", f"      imgcls predict IMAGE --run {run}"]


def resume(run: Path) -> str:
    """Returns the command that goes on with a run, as a shell takes it."""
    return f"imgcls train --resume {shlex.quote(str(run))}"


def missed(outcome: "Outcome") -> str:
    """Returns what a figure is, and what it was to be."""
    asserted, value = outcome.assertion, outcome.value
    shown = str(value) if isinstance(value, int) else decimal(value)
    if value is not None and asserted.holds(float(shown)):
        shown = repr(value)  # four decimals of 0.96999 would contradict the line
    return f"{printable(asserted.figure)} is {shown}, not {asserted.comparison} {asserted.bound}"


def quoted(path: Path) -> str:
    """Returns a path as a shell takes it."""
    return printable(shlex.quote(str(path)))


def _counted(number: int, noun: str, plural: str = "") -> str:
    return f"{count(number)} {noun if number == 1 else plural or noun + 's'}"


def _joined(*parts: str) -> str:
    return _GAP.join(part for part in parts if part)
