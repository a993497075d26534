"""Signals outside training: each ends the process at once, by that signal, and leaves last words.

A handler that ends the process by itself cannot be lost in a library's `except`, as a
KeyboardInterrupt can; there is nothing to save. Training has handlers of its own while it runs.
"""

import os
import signal
from contextlib import suppress
from types import FrameType
from typing import NoReturn

from imgcls.console.console import Console
from imgcls.ops import startup
from imgcls.training.signals import ENDING


def install(console: Console) -> None:
    """Installs handlers for the ending signals, except those that were ignored at the start.

    `nohup` and a shell's `&` ignore some for their children, and mean it.
    """
    stderr = startup.stderr_copy()

    def end(number: int, frame: FrameType | None) -> None:
        del frame
        with suppress(OSError):  # nobody listens any more
            # past the buffers, which may be in the middle of a line or of a flush
            os.write(stderr, console.final_output(number))
        end_by(number)

    for number in ENDING:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, end)


def restore() -> None:
    """Leaves the signals to the system again, for the last line has been written."""
    for number in ENDING:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)


def end_by(number: int) -> NoReturn:
    """Ends this process by a signal, so that a shell or a parent sees what ended it."""
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    os._exit(128 + number)  # the first process of a container has no default actions
