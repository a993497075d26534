"""Ctrl-C at a chosen moment."""

import os
import signal
from collections.abc import Callable


class StopAt:
    """Presses Ctrl-C at the first matching event."""

    def __init__(self, fits: Callable[[object], bool]) -> None:
        self.fits = fits
        self.pressed = False

    def __call__(self, event: object) -> None:
        """Receives an event."""
        if not self.pressed and self.fits(event):
            self.pressed = True
            os.kill(os.getpid(), signal.SIGINT)
