"""stdout and stderr: results that cannot be written are an error, lost messages are not."""

import contextlib
import io
import os
import select
from typing import TYPE_CHECKING, TextIO

from imgcls.errors import ResourceError

if TYPE_CHECKING:
    import rich.console

_NATURAL_WIDTH = 10_000  # a table has its own width; a narrow terminal wraps it


class Results(io.TextIOBase):
    """stdout, as a file that loses nothing silently; Typer writes its help to it too."""

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream
        self.is_terminal = is_terminal(stream)

    @property
    def encoding(self) -> str:  # type: ignore[override]  # typeshed has a plain attribute
        """The stream's."""
        return getattr(self._stream, "encoding", None) or "utf-8"

    def isatty(self) -> bool:
        """Returns whether it is a terminal."""
        return self.is_terminal

    def write(self, text: str, /) -> int:
        """Writes text and flushes it.

        Raises:
            ResourceError: if it cannot be written.
            BrokenPipeError: if its reader went away. Nothing is written at exit either.
        """
        if text == "":  # Typer tests whether this is a file; /dev/full rejects even that
            return 0
        if self._stream is None or self._stream.closed:
            raise ResourceError("cannot write the results: stdout is closed")
        try:
            _write_all(encodable(text, self._stream), self._stream)
        except BrokenPipeError:
            raise
        except OSError as err:
            reason = (err.strerror or str(err)).lower()
            raise ResourceError(f"cannot write the results: {reason}") from err
        return len(text)


def _write_all(text: str, stream: TextIO) -> None:
    """Writes all of a text, or raises.

    It goes around the stream: unbuffered, as with PYTHONUNBUFFERED=1, Python's own write stops
    after a partial write without an error; buffered, Python writes again at exit what failed.
    """
    try:
        descriptor = stream.fileno()
    except (OSError, ValueError):  # not a file
        stream.write(text)
        stream.flush()
        return
    stream.flush()
    left = memoryview(text.encode(stream.encoding or "utf-8"))
    while left:
        try:
            left = left[os.write(descriptor, left) :]
        except BlockingIOError:  # a pipe that another program has set to be non-blocking
            select.select([], [descriptor], [])


class Messages(io.TextIOBase):
    """stderr, as a file that ignores write errors: a closed terminal must not end a training.

    Rich writes to it too, also from a thread of its own.
    """

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream
        self.is_terminal = is_terminal(stream)

    @property
    def encoding(self) -> str:  # type: ignore[override]  # typeshed has a plain attribute
        """The stream's; Rich chooses its characters by it."""
        return getattr(self._stream, "encoding", None) or "utf-8"

    def write(self, text: str, /) -> int:
        """Writes text if possible."""
        if self._stream is not None:
            with contextlib.suppress(OSError, ValueError):
                self._stream.write(encodable(text, self._stream))
        return len(text)

    def flush(self) -> None:
        """Flushes the stream if possible."""
        if self._stream is not None:
            with contextlib.suppress(OSError, ValueError):
                self._stream.flush()

    def isatty(self) -> bool:
        """Returns whether it is a terminal."""
        return self.is_terminal

    def fileno(self) -> int:
        """Returns the stream's descriptor, from which Rich reads the size of the terminal."""
        if self._stream is None:
            raise io.UnsupportedOperation("fileno")
        return self._stream.fileno()


def is_terminal(stream: TextIO | None) -> bool:
    """Returns whether a stream is a terminal that can move its cursor."""
    if stream is None or stream.closed or os.environ.get("TERM", "") in {"dumb", "unknown"}:
        return False
    return stream.isatty()


def encodable(text: str, stream: TextIO) -> str:
    """Returns the text with escapes for characters that the stream's encoding lacks."""
    encoding = stream.encoding or "utf-8"
    return text.encode(encoding, "backslashreplace").decode(encoding)


def rich_console(file: TextIO | io.TextIOBase, *, is_terminal: bool) -> "rich.console.Console":
    """Returns a Rich console that writes escape codes only to a terminal, despite FORCE_COLOR."""
    from rich.console import Console

    return Console(
        file=file,  # type: ignore[arg-type]  # a TextIOBase is all it needs
        force_terminal=is_terminal,
        force_interactive=is_terminal,
        color_system=None if os.environ.get("NO_COLOR") else "auto",
        highlight=False,
        markup=False,
        emoji=False,
    )


def rendered(*renderables: object, is_terminal: bool) -> str:
    """Returns tables and lines as text, without wrapping."""
    text = io.StringIO()
    console = rich_console(text, is_terminal=is_terminal)
    console.width = _NATURAL_WIDTH
    for each in renderables:
        console.print(each, soft_wrap=isinstance(each, str))
    return "".join(line.rstrip() + "\n" for line in text.getvalue().splitlines())
