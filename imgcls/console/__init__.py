"""The only package that prints: results to stdout, everything else to stderr.

Unless it writes to a terminal, it writes plain lines: no escape codes, no carriage returns, no
wrapping. Rich is imported on first use, TensorFlow never.
"""

from imgcls.console.console import Console
from imgcls.console.exit_status import ExitStatus

__all__ = ["Console", "ExitStatus"]
