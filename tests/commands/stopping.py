"""Ctrl-C at a chosen moment."""

import os
import signal
from collections.abc import Callable


class StopAt:
    """Presses Ctrl-C when the first event comes that fits."""

    def __init__(self, fits: Callable[[object], bool]) -> None:
        self.fits = fits
        self.pressed = False

    def __call__(self, event: object) -> None:
        """Takes an event."""
        if not self.pressed and self.fits(event):
            self.pressed = True
            os.kill(os.getpid(), signal.SIGINT)
