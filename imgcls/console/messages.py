"""The messages of events: how far something is, and the lines that stay."""

import math
from dataclasses import dataclass

from imgcls.console.numbers import count, counted, decimal, duration, joined, printable, rate
from imgcls.events import (
    Cached,
    Downloading,
    EpochEnded,
    Progressed,
    Scanning,
    StageStarted,
    Started,
    Validating,
)
from imgcls.memory import amount


@dataclass(frozen=True)
class Tick:
    """How far something is: what a progress bar shows.

    Attributes:
        what: what is counted.
        done: how many are done.
        total: how many there are.
        unit: what follows the numbers; may be empty.
        figures: further metrics, separated by two spaces; may be empty.
    """

    what: str
    done: int
    total: int
    unit: str = ""
    figures: str = ""

    @property
    def head(self) -> str:
        """All but the figures."""
        return f"{self.what} {count(self.done)}/{count(self.total)} {self.unit}".rstrip()

    def __str__(self) -> str:
        """Returns it as one line."""
        return joined(self.head, self.figures)


def tick(event: Progressed | Downloading | Scanning | Validating) -> Tick:
    """Returns how far something is."""
    match event:
        case Progressed():
            return Tick(
                f"Epoch {event.epoch}/{event.epochs}  step",
                event.step,
                event.steps,
                figures=_progress_figures(event),
            )
        case Downloading(done=done, total=total):
            mebibytes = round(done / 2**20), round(total / 2**20)
            return Tick(f"Downloading {event.name}", *mebibytes, unit="MiB")
        case Validating(done=done, total=total):
            return Tick("Evaluating images", done, total)
        case Scanning(done=done, total=total):
            return Tick("Reading images", done, total)


def _progress_figures(event: Progressed) -> str:
    left = duration(max(event.seconds_left, 0)) + " left"
    return joined(
        f"loss {decimal(event.loss)}",
        f"accuracy {decimal(event.accuracy)}",
        rate(event.images_per_second),
        left if math.isfinite(event.seconds_left) else "",
    )


def downloading(event: Downloading) -> str:
    """Returns the line that announces a download: what, how large, from where, to where."""
    return (
        f"Downloading {event.name} ({amount(event.total)}) "
        f"from {event.source} to {printable(event.target)}"
    )


def cached(event: Cached) -> str:
    """Returns the line about images from the cache, and about why others are not cached."""
    part = f"{count(event.images)} of " if event.images < event.total else ""
    images = f"Read {part}{counted(event.total, 'image')} from the cache"
    trouble = f"Decoded images are not cached: {printable(event.trouble)}"
    return joined(*([images] if event.images else []), *([trouble] if event.trouble else []))


def started(event: Started) -> str:
    """Returns the line that opens a training."""
    run = printable(str(event.run))
    images = ", ".join(f"{count(number)} {split}" for split, number in event.images.items())
    opening = f"Resuming {run} after step {count(event.step)}" if event.step else f"Training {run}"
    epochs = f"{counted(event.epochs, 'epoch')} of {counted(event.steps_per_epoch, 'step')}"
    network = (
        f"{counted(event.classes, 'class', 'classes')}, {counted(event.parameters, 'parameter')}"
    )
    return f"{opening}: {epochs}; images: {images}; {network}"


def stage_started(event: StageStarted) -> str:
    """Returns the line that opens a stage."""
    trained = counted(event.parameters, "trained parameter")
    return f"Stage {event.stage}/{event.stages}: {counted(event.epochs, 'epoch')}, {trained}"


def epoch(event: EpochEnded) -> str:
    """Returns the line of a finished epoch."""
    row = event.metrics
    names = ("loss", "accuracy", "val_loss", "val_accuracy")
    return joined(
        f"Epoch {event.epoch}/{event.epochs}",
        *(f"{name} {decimal(row[name])}" for name in names if name in row),
        rate(row["images_per_second"]) if "images_per_second" in row else "",
        duration(row["train_seconds"]) if "train_seconds" in row else "",
        "(best)" if event.best else "",
    )
