"""The events that a long command reports to its caller while it works, and what training returns.

The console imports this at every start, so it imports nothing that takes time.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal


@dataclass(frozen=True)
class Warned:
    """Something the user should know that does not stop the work."""

    message: str


@dataclass(frozen=True)
class Noted:
    """One line of information: the device, the run that is used."""

    message: str


@dataclass(frozen=True)
class Downloading:
    """Progress of the download of a published data set; the first event has `done` 0.

    Attributes:
        name: of the data set.
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
    """This many of the images are read."""

    done: int
    total: int


@dataclass(frozen=True)
class Cached:
    """What the cache of decoded images did for a data set.

    Attributes:
        images: how many came from the cache.
        total: how many images there are.
        trouble: why the others are not kept for later runs; empty where they are.
    """

    images: int
    total: int
    trouble: str = ""


@dataclass(frozen=True)
class Started:
    """A training starts or is resumed."""

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
    """A stage of a training of several begins, or is resumed."""

    stage: int  # from 1
    stages: int
    epochs: int  # of this stage
    parameters: int  # that are trained


@dataclass(frozen=True)
class Progressed:
    """Some steps were taken. Loss and accuracy are those of the epoch so far."""

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
    """The epoch's validation has seen this many images."""

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
    """What `train` returns.

    Attributes:
        run: the run folder.
        status: `finished`, or `interrupted` when a signal ended it.
        epoch: how many epochs are done.
        step: how many steps are done.
        best: the metrics row of the best epoch, or None before the first evaluation.
        early: why it ended before its last epoch, where it did so by itself.
        signal: the number of the signal that ended it, or None.
        seconds: of this training call.
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
