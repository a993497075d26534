"""Signals during training: those that end it, after the step or at once, and one that saves."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any, TypeVar

from imgcls.ops import startup

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
SAVING = signal.SIGUSR1  # Slurm sends it before the time limit, with --signal=USR1@90

_STOPPING = b"\nStopping after this step; press Ctrl-C again to quit immediately.\n"

_Result = TypeVar("_Result")


class Stop:
    """Whether a signal has requested the end of training, or a checkpoint.

    Attributes:
        signal: the number of the signal that requested the end, or None.
        before: the previous handler of each signal.
        stderr: file descriptor of the user's stderr, which works even while TensorFlow starts.
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
        """Raises if a signal has requested the end; used while there is nothing to save yet.

        Raises:
            KeyboardInterrupt: with the signal's number, if one was received.
        """
        if self:
            raise KeyboardInterrupt(self.signal)

    def interrupt(self, work: Callable[[], _Result]) -> _Result:
        """Returns the result of `work`, which a signal interrupts at any point.

        It must clean up after any exception, and must not import TensorFlow, whose imports turn a
        KeyboardInterrupt into other exceptions.

        Raises:
            KeyboardInterrupt: with the signal's number.
        """
        self._interrupts = True
        try:
            self.check()
            return work()
        finally:
            self._interrupts = False
            self.check()  # a callback or an import may have swallowed the exception

    def wants_save(self) -> bool:
        """Returns whether a checkpoint was requested since the last call."""
        wanted, self._wants_save = self._wants_save, False
        return wanted

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Handles a signal: sets a flag, because any code may be running, or interrupts `work`."""
        del frame
        if number == SAVING:
            self._wants_save = True
            return
        if self.signal is not None:  # in the first process of a container
            os._exit(128 + number)
        self.signal = number
        if os.getpid() != 1:
            # The next signal gets the default action: TensorFlow may block Python for many seconds.
            # The first process of a container has no default actions and gets here again.
            for each in ENDING:
                if each in self.before:
                    signal.signal(each, signal.SIG_DFL)
        with suppress(OSError):  # the terminal may have just been closed
            cursor = b"\x1b[?25h" if os.isatty(self.stderr) else b""  # a progress bar hid it
            os.write(self.stderr, cursor + (b"" if self._interrupts else _STOPPING))
        if self._interrupts:
            self.check()


@contextmanager
def handling() -> Iterator[Stop]:
    """Installs handlers for the signals, and restores the previous ones afterwards.

    A signal that was ignored when the process started stays ignored, for nohup and `&`.
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
