"""Signals that end a training: the first is heeded at the next step, the second at once."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from imgcls.ops import startup

ENDING = (signal.SIGINT, signal.SIGTERM)


class Stop:
    """Whether a signal has asked for the end.

    Attributes:
        signal: the number of the signal that came, or None.
    """

    def __init__(self) -> None:
        self.signal: int | None = None

    def __bool__(self) -> bool:
        return self.signal is not None

    def check(self) -> None:
        """Ends the work where there is nothing to save yet.

        Raises:
            KeyboardInterrupt: if a signal has come.
        """
        if self:
            raise KeyboardInterrupt

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Handles a signal; only a flag is set, for anything may be going on at this moment."""
        del frame
        if self.signal is not None:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
            os._exit(128 + number)  # the first process of a container has no default actions
        self.signal = number
        os.write(startup.stderr, b"\nstopping; once more to stop at once\n")


Handlers = dict[signal.Signals, Any]


def _give_back(before: Handlers) -> None:
    for number, handler in before.items():
        signal.signal(number, handler)


@contextmanager
def heeded() -> Iterator[Stop]:
    """Heeds the ending signals inside; what handled them before does so again afterwards."""
    stop = Stop()
    before: Handlers = {number: signal.signal(number, stop) for number in ENDING}
    try:
        yield stop
    except KeyboardInterrupt:  # it came while there was nothing to save
        _give_back(before)
        if stop.signal is not None and stop.signal != signal.SIGINT:
            os.kill(os.getpid(), stop.signal)
        raise
    finally:
        _give_back(before)
