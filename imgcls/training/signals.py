"""Signals during a training: those that end it, at the next step or at once, and one that saves."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

from imgcls.ops import startup

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
SAVING = signal.SIGUSR1  # what Slurm sends ahead of time, with --signal=USR1@90


class Stop:
    """Whether a signal has asked for the end, or for a checkpoint.

    Attributes:
        signal: the number of the signal that asked for the end, or None.
        before: what handled each of the signals before.
    """

    def __init__(self) -> None:
        self.signal: int | None = None
        self.before: dict[int, Any] = {}
        self._wants_save = False

    def __bool__(self) -> bool:
        return self.signal is not None

    def check(self) -> None:
        """Ends the work where there is nothing to save yet.

        Raises:
            KeyboardInterrupt: if a signal has come.
        """
        if self:
            raise KeyboardInterrupt

    def wants_save(self) -> bool:
        """Returns whether a checkpoint was asked for since the last time this was asked."""
        wanted, self._wants_save = self._wants_save, False
        return wanted

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Handles a signal; only a flag is set, for anything may be going on at this moment."""
        del frame
        if number == SAVING:
            self._wants_save = True
            return
        if self.signal is not None:  # in the first process of a container
            os._exit(128 + number)
        self.signal = number
        if os.getpid() != 1:
            # The next one is the system's: TensorFlow may not let Python run for many seconds.
            # The first process of a container has no default actions, and comes here once more.
            for each in ENDING:
                if each in self.before:
                    signal.signal(each, signal.SIG_DFL)
        with suppress(OSError):  # the terminal may be what has just gone
            cursor = b"\x1b[?25h" if os.isatty(startup.stderr) else b""  # a progress bar hid it
            os.write(startup.stderr, cursor + b"\nstopping; once more to stop at once\n")


@contextmanager
def handling() -> Iterator[Stop]:
    """Heeds the signals inside; what handled them before does so again afterwards.

    One that was ignored when the process began stays so: nohup and `&` of a script mean it.

    Raises:
        KeyboardInterrupt: with the signal's number, if one came while there was nothing to save.
    """
    stop = Stop()
    for number in (*ENDING, SAVING):
        if signal.getsignal(number) != signal.SIG_IGN:
            stop.before[number] = signal.signal(number, stop)
    try:
        yield stop
    except KeyboardInterrupt:  # it came while there was nothing to save
        raise KeyboardInterrupt(stop.signal or signal.SIGINT) from None
    finally:
        for handled, handler in stop.before.items():
            signal.signal(handled, handler)
