"""`imgcls` and `python -m imgcls`: what must come before anything else is imported."""

import os
import signal
from typing import NoReturn


def main() -> NoReturn:
    """Runs the command line; Ctrl-C ends it without a traceback from the first moment on."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # it is not ignored
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    _fill_standard_streams()
    from imgcls.cli import app

    app.main()


def _fill_standard_streams() -> None:
    """Puts /dev/null where a standard stream is closed.

    Else the next file that is opened would be the stream, and get what TensorFlow writes to stderr.
    Python has looked already: `sys.stdout` is None, and writing results stays an error.
    """
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:  # noqa: PLR2004  # stderr
        os.set_inheritable(descriptor, True)
    os.close(descriptor)


if __name__ == "__main__":
    main()
