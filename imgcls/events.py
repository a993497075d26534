"""The events that a long command reports while it works, and the result of training.

The console imports this module at every start, so it must not import anything slow.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal


@dataclass(frozen=True)
class Warned:
    """A warning: something that the user should know, but that does not stop the command."""

    message: str


@dataclass(frozen=True)
class Noted:
    """One line of information, such as the device or the run that is used."""

    message: str


@dataclass(frozen=True)
class Downloading:
    """Progress of the download of a published dataset; the first event has `done` 0.

    Attributes:
        name: the name of the dataset.
        source: the URL that it is downloaded from.
        target: the file that it will be kept in.
        done: bytes downloaded so far.
        total: bytes to download.
    """

    name: str
    source: str
    target: str
    done: int
    total: int


@dataclass(frozen=True)
class Scanning:
    """Progress of reading the images."""

    done: int
    total: int


@dataclass(frozen=True)
class Cached:
    """How many images of a dataset came from the cache of decoded images.

    Attributes:
        images: the number of images from the cache.
        total: the number of images in the dataset.
        trouble: why the other images are not cached for later runs; empty if they are.
    """

    images: int
    total: int
    trouble: str = ""


@dataclass(frozen=True)
class Started:
    """Training starts or is resumed."""

    run: Path
    epochs: int
    steps_per_epoch: int
    images: dict[str, int]  # by split
    classes: int
    parameters: int
    device: str
    precision: str
    step: int  # already done; 0 for a new run


@dataclass(frozen=True)
class StageStarted:
    """One of several stages starts or is resumed."""

    stage: int  # from 1
    stages: int
    epochs: int  # of this stage
    parameters: int  # that are trained


@dataclass(frozen=True)
class Progressed:
    """Progress of training; loss and accuracy are those of the epoch so far."""

    epoch: int  # from 1
    epochs: int
    step: int  # within the epoch, from 1
    steps: int
    loss: float
    accuracy: float
    images_per_second: float
    seconds_left: float  # of the whole training


@dataclass(frozen=True)
class Validating:
    """Progress of an evaluation, in images."""

    done: int
    total: int


@dataclass(frozen=True)
class EpochEnded:
    """An epoch is over and its row is in metrics.jsonl."""

    epoch: int
    epochs: int
    metrics: dict[str, Any]
    best: bool  # its checkpoint is the best so far


@dataclass(frozen=True)
class Saved:
    """A checkpoint is complete."""

    step: int


@dataclass(frozen=True)
class Trained:
    """The result of training.

    Attributes:
        run: the run folder.
        status: `finished`, or `interrupted` when a signal ended it.
        epoch: the number of epochs done.
        step: the number of steps done.
        best: the metrics row of the best epoch, or None before the first evaluation.
        early: why early stopping ended training before the last epoch, or None.
        signal: the number of the signal that ended it, or None.
        seconds: the duration of this call.
    """

    run: Path
    status: Literal["finished", "interrupted"]
    epoch: int
    epochs: int
    step: int
    best: dict[str, Any] | None
    early: str | None
    signal: int | None
    seconds: float


Event = (
    StageStarted
    | Warned
    | Noted
    | Downloading
    | Scanning
    | Cached
    | Started
    | Progressed
    | Validating
    | EpochEnded
    | Saved
)
EventSink = Callable[[Event], None]
