"""`log.txt` of a run: what was said while it trained, with the time."""

from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path

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
    """Passes events on, and writes those that matter later to a file.

    Args:
        path: the file, which is appended to.
        report: takes every event.
    """

    def __init__(self, path: Path, report: EventSink) -> None:
        self._path = path
        self._report = report
        self._failed = False

    def __call__(self, event: Event) -> None:
        """Takes an event; a log that cannot be written is one warning, never the training's end."""
        self._report(event)
        self.write(event)

    def write(self, event: Event | Trained) -> None:
        """Writes an event that was passed on before there was a file."""
        if not isinstance(event, LOGGED):
            return
        now = datetime.now(UTC).isoformat(timespec="seconds")
        values = (f"{field.name}={getattr(event, field.name)!s}" for field in fields(event))
        try:
            with self._path.open("a", encoding="utf-8", errors="backslashreplace") as file:
                file.write(f"{now} {type(event).__name__} {' '.join(values)}\n")
        except OSError as error:
            if not self._failed:
                self._failed = True
                self._report(Warned(f"{self._path}: cannot be written: {error.strerror}"))
