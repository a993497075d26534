"""Signals outside training: each ends the process at once, by that signal, and leaves last words.

A handler that ends the process by itself cannot be lost in a library's `except`, as a
KeyboardInterrupt can; there is nothing to save. Training has handlers of its own while it runs.
"""

import ctypes
import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import NoReturn

from imgcls.console.console import Console
from imgcls.ops import startup
from imgcls.training.signals import ENDING

_PATIENCE = 1.0  # seconds that the main thread has to run the handler


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
    _watch(end)


def _watch(end: Callable[[int, FrameType | None], None]) -> None:
    """Ends the process from a thread where the main thread does not run the handler.

    Python runs handlers between two instructions of the main thread, which may be inside
    TensorFlow for minutes.
    """
    receiver, sender = os.pipe()
    os.set_blocking(sender, False)
    signal.set_wakeup_fd(sender, warn_on_full_buffer=False)

    def watch() -> None:
        while number := os.read(receiver, 1)[0]:
            if signal.getsignal(number) is end:  # training has handlers of its own
                time.sleep(_PATIENCE)
                end(number, None)

    threading.Thread(target=watch, name="signals", daemon=True).start()


def restore() -> None:
    """Leaves the signals to the system again, for the last line has been written."""
    for number in ENDING:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)


def end_by(number: int) -> NoReturn:
    """Ends this process by a signal, so that a shell or a parent sees what ended it."""
    # Python's own `signal` works in the main thread only.
    ctypes.CDLL(None).signal(number, None)  # SIG_DFL is a null pointer
    os.kill(os.getpid(), number)
    os._exit(128 + number)  # the first process of a container has no default actions
