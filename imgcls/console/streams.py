"""The two standard streams: results must arrive or it is an error; messages never stop the work."""

import contextlib
import io
import os
from typing import TYPE_CHECKING, TextIO

from imgcls.errors import ResourceError

if TYPE_CHECKING:
    import rich.console

_NATURAL_WIDTH = 10_000  # a table is as wide as it is; a narrow terminal wraps it by itself


class Results(io.TextIOBase):
    """stdout, as a file of which nothing is lost in silence; Typer writes its help to it too."""

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream
        self.is_terminal = is_terminal(stream)

    @property
    def encoding(self) -> str:  # type: ignore[override]  # typeshed has a plain attribute
        """The stream's."""
        return getattr(self._stream, "encoding", None) or "utf-8"

    def isatty(self) -> bool:
        """Returns whether people look at it."""
        return self.is_terminal

    def write(self, text: str, /) -> int:
        """Writes text and sends it off.

        Raises:
            ResourceError: if it cannot be written.
            BrokenPipeError: if the reader went away. Nothing more is written at exit either.
        """
        if text == "":  # Typer tries whether this is a file; /dev/full refuses even that
            return 0
        if self._stream is None or self._stream.closed:
            raise ResourceError("cannot write the results: stdout is closed")
        try:
            self._stream.write(encodable(text, self._stream))
            self._stream.flush()
        except OSError as err:
            self._abandon()
            if isinstance(err, BrokenPipeError):
                raise
            reason = (err.strerror or str(err)).lower()
            raise ResourceError(f"cannot write the results: {reason}") from err
        return len(text)

    def _abandon(self) -> None:
        """Lets what is still in the buffer go nowhere, or Python tries it again at exit: 120."""
        assert self._stream is not None
        with contextlib.suppress(OSError, ValueError):  # a stream without a descriptor has no exit
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._stream.fileno())
            os.close(nowhere)


class Messages(io.TextIOBase):
    """stderr, as a file that swallows what cannot be written: a closed terminal ends no training.

    Rich writes to it too, partly from a thread of its own.
    """

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream
        self.is_terminal = is_terminal(stream)

    @property
    def encoding(self) -> str:  # type: ignore[override]  # typeshed has a plain attribute
        """The stream's; Rich chooses its characters by it."""
        return getattr(self._stream, "encoding", None) or "utf-8"

    def write(self, text: str, /) -> int:
        """Writes text, or loses it."""
        if self._stream is not None:
            with contextlib.suppress(OSError, ValueError):
                self._stream.write(encodable(text, self._stream))
        return len(text)

    def flush(self) -> None:
        """Sends off what was written, or loses it."""
        if self._stream is not None:
            with contextlib.suppress(OSError, ValueError):
                self._stream.flush()

    def isatty(self) -> bool:
        """Returns whether people look at it."""
        return self.is_terminal

    def fileno(self) -> int:
        """Returns the stream's descriptor; Rich asks it for the terminal's size."""
        if self._stream is None:
            raise io.UnsupportedOperation("fileno")
        return self._stream.fileno()


def is_terminal(stream: TextIO | None) -> bool:
    """Returns whether a stream is a terminal that can move its cursor."""
    if stream is None or stream.closed or os.environ.get("TERM", "") in {"dumb", "unknown"}:
        return False
    return stream.isatty()


def encodable(text: str, stream: TextIO) -> str:
    """Returns text that the stream's encoding can write, with escapes for what it cannot."""
    encoding = stream.encoding or "utf-8"
    return text.encode(encoding, "backslashreplace").decode(encoding)


def rich_console(file: TextIO | io.TextIOBase, *, is_terminal: bool) -> "rich.console.Console":
    """Returns a Rich console that escapes nothing off a terminal, whatever FORCE_COLOR says."""
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
    """Returns what Rich makes of tables and lines, as wide as they are."""
    text = io.StringIO()
    console = rich_console(text, is_terminal=is_terminal)
    console.width = _NATURAL_WIDTH
    for each in renderables:
        console.print(each, soft_wrap=isinstance(each, str))
    return "".join(line.rstrip() + "\n" for line in text.getvalue().splitlines())
