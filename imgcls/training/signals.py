"""Signals during a training: those that end it, after this step or at once, and one that saves."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any, TypeVar

from imgcls.ops import startup

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
SAVING = signal.SIGUSR1  # what Slurm sends ahead of time, with --signal=USR1@90

_STOPPING = b"\nStopping after this step; press Ctrl-C again to quit immediately.\n"

_Result = TypeVar("_Result")


class Stop:
    """Whether a signal has asked for the end, or for a checkpoint.

    Attributes:
        signal: the number of the signal that asked for the end, or None.
        before: what handled each of the signals before.
        stderr: where the user reads, also while TensorFlow starts.
    """

    def __init__(self) -> None:
        self.signal: int | None = None
        self.before: dict[int, Any] = {}
        self.stderr = startup.stderr_copy()
        self._wants_save = False
        self._interrupts = False

    def __bool__(self) -> bool:
        return self.signal is not None

    def check(self) -> None:
        """Ends the work where there is nothing to save yet.

        Raises:
            KeyboardInterrupt: with the signal's number, if one has come.
        """
        if self:
            raise KeyboardInterrupt(self.signal)

    def interrupt(self, work: Callable[[], _Result]) -> _Result:
        """Returns what `work` returns; a signal interrupts it, wherever it is.

        It must clean up after any exception, and must not import TensorFlow, whose imports make
        other exceptions of a KeyboardInterrupt.

        Raises:
            KeyboardInterrupt: with the signal's number.
        """
        self._interrupts = True
        try:
            self.check()
            return work()
        finally:
            self._interrupts = False
            self.check()  # a callback or an import of a library may have lost the exception

    def wants_save(self) -> bool:
        """Returns whether a checkpoint was asked for since the last time this was asked."""
        wanted, self._wants_save = self._wants_save, False
        return wanted

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Handles a signal: sets a flag, for anything may be going on, or interrupts the work."""
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
            cursor = b"\x1b[?25h" if os.isatty(self.stderr) else b""  # a progress bar hid it
            os.write(self.stderr, cursor + (b"" if self._interrupts else _STOPPING))
        if self._interrupts:
            self.check()


@contextmanager
def handling() -> Iterator[Stop]:
    """Installs handlers for the signals, and restores those before afterwards.

    A signal that was ignored when the process began stays ignored: nohup and `&` mean it.
    """
    stop = Stop()
    for number in (*ENDING, SAVING):
        if signal.getsignal(number) != signal.SIG_IGN:
            stop.before[number] = signal.signal(number, stop)
    try:
        yield stop
    finally:
        for handled, handler in stop.before.items():
            signal.signal(handled, handler)
        with suppress(OSError):
            os.close(stop.stderr)
