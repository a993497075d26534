"""`log.txt` of a run: the events reported during training, with timestamps."""

import os
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path

from imgcls import files
from imgcls.events import (
    Cached,
    EpochEnded,
    Event,
    EventSink,
    Noted,
    Saved,
    Started,
    Trained,
    Warned,
)

LOGGED = (Noted, Warned, Cached, Started, Saved, EpochEnded, Trained)


class Log:
    """Passes events on, and writes those worth keeping to a file.

    Args:
        path: the file; new lines are appended.
        report: takes every event.
    """

    def __init__(self, path: Path, report: EventSink) -> None:
        self._path = path
        self._report = report
        self._failed = False

    def __call__(self, event: Event) -> None:
        """Handles an event; if the log cannot be written, warns once and does not end training."""
        self._report(event)
        self.write(event)

    def write(self, event: Event | Trained) -> None:
        """Writes an event without passing it on."""
        if not isinstance(event, LOGGED):
            return
        now = datetime.now(UTC).isoformat(timespec="seconds")
        values = (f"{field.name}={getattr(event, field.name)!s}" for field in fields(event))
        try:
            line = f"{now} {type(event).__name__} {' '.join(values)}\n"
            descriptor = files.open_to_append(self._path)
            with os.fdopen(descriptor, "a", encoding="utf-8", errors="backslashreplace") as file:
                file.write(line)
        except OSError as error:
            if not self._failed:
                self._failed = True
                self._report(Warned(f"{self._path}: cannot be written: {error.strerror}"))
