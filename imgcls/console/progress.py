"""Progress: a bar on a terminal, an occasional line elsewhere."""

import time
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from imgcls.console.messages import Tick
from imgcls.console.streams import Messages, rich_console

if TYPE_CHECKING:
    import rich.console
    import rich.live

_SECONDS_BETWEEN_LINES = 30
_REDRAWS_PER_SECOND = 4  # each costs a few milliseconds of a core that trains
_BAR_WIDTH = 30
_CURSOR = "\x1b[?25h\n"


class Progress(Protocol):
    """Shows progress, and lines between it."""

    def tick(self, tick: Tick) -> None:
        """Shows how far something is."""

    def line(self, text: str, style: str = "") -> None:
        """Shows a line that stays; the style applies up to its first colon."""

    def close(self) -> None:
        """Removes the bar, if there is one."""

    def final_output(self) -> str:
        """Returns what the terminal needs if the process ends now, without `close`."""


class Lines:
    """Writes progress as a line, only after 30 s without a line."""

    def __init__(
        self, write: Callable[[str], object], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._write = write
        self._clock = clock
        self._last = clock()

    def tick(self, tick: Tick) -> None:
        """Writes a line if the last one is 30 s old."""
        if self._clock() - self._last >= _SECONDS_BETWEEN_LINES:
            self.line(str(tick))

    def line(self, text: str, style: str = "") -> None:  # noqa: ARG002  # a plain line has none
        """Writes a line."""
        self._write(text + "\n")
        self._last = self._clock()

    def close(self) -> None:
        """Does nothing: lines stay."""

    def final_output(self) -> str:
        """Returns nothing: lines stay."""
        return ""


class Bar:
    """A Rich progress bar and a line of metrics, redrawn below the lines that stay."""

    def __init__(self, messages: Messages) -> None:
        self._messages = messages
        self._live: rich.live.Live | None = None
        self._tick: Tick | None = None

    def tick(self, tick: Tick) -> None:
        """Moves the bar."""
        self._tick = tick
        if self._live is None:
            from rich.live import Live

            self._live = Live(
                console=self._console,
                get_renderable=self._drawing,
                transient=True,
                refresh_per_second=_REDRAWS_PER_SECOND,
            )
            self._live.start()

    def line(self, text: str, style: str = "") -> None:
        """Writes a line above the bar."""
        from rich.text import Text

        shown = Text(text)
        if style:
            shown.stylize(style, 0, text.index(":"))
        self._console.print(shown, soft_wrap=True)

    def close(self) -> None:
        """Removes the bar."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def final_output(self) -> str:
        """Returns the escape code that shows the cursor again, and a newline."""
        return _CURSOR if self._live is not None else ""

    @cached_property
    def _console(self) -> "rich.console.Console":
        """Created on first use: importing Rich takes 0.1 s."""
        return rich_console(self._messages, is_terminal=True)

    def _drawing(self) -> "rich.console.RenderableType":
        """Returns what to draw; Rich calls it from a thread of its own."""
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        tick = self._tick
        assert tick is not None, "drawn before the first tick"
        head = Table.grid(padding=(0, 1))
        head.add_column(no_wrap=True)  # in a narrow terminal the bar gives way
        head.add_column()
        head.add_row(
            Text(tick.head),
            ProgressBar(total=max(tick.total, 1), completed=tick.done, width=_BAR_WIDTH),
        )
        figures = Text(tick.figures, no_wrap=True, overflow="ellipsis")
        return Group(head, figures) if tick.figures else head
