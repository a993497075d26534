"""The exit status, and the last line on stderr that reports it to programs."""

import json
import re
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from imgcls.errors import ImgclsError

_PLAIN = re.compile(r"[A-Za-z0-9_./:@%+,-]+")
_SIGNALLED = 128  # a shell reports this plus the number of the signal


@dataclass(frozen=True)
class ExitStatus:
    """How the process ends.

    Attributes:
        code: the exit code that a shell reports.
        error: the name of the code or of the signal; None for success.
        run: the run folder, if a run was involved.
        resume: the shell command that resumes the run, if that is possible.
    """

    code: int = 0
    error: str | None = None
    run: Path | None = None
    resume: str | None = None

    @classmethod
    def of(
        cls, kind: type[ImgclsError], run: Path | None = None, resume: str | None = None
    ) -> Self:
        """Returns the status of an error of this class."""
        return cls(kind.exit_code, kind.name(), run, resume)

    @classmethod
    def by(cls, number: int, run: Path | None = None, resume: str | None = None) -> Self:
        """Returns the status of a process that a signal ended."""
        name = signal.Signals(number).name.removeprefix("SIG")
        return cls(_SIGNALLED + number, name, run, resume)

    @property
    def signal(self) -> int | None:
        """The number of the signal that ends the process, or None."""
        return self.code - _SIGNALLED if self.code > _SIGNALLED else None

    def line(self, warnings: int = 0) -> str:
        """Returns `imgcls: exit=6 error=RUN run=...`; fields that do not apply are omitted.

        Args:
            warnings: the number of warnings.
        """
        fields = {
            "exit": self.code,
            "error": self.error,
            "run": self.run,
            "resume": self.resume,
            "warnings": warnings or None,
        }
        shown = (f"{key}={_value(str(it))}" for key, it in fields.items() if it is not None)
        return " ".join(["imgcls:", *shown])


def _value(text: str) -> str:
    """Returns a plain word unchanged, and anything else as a JSON string in ASCII."""
    return text if _PLAIN.fullmatch(text) else json.dumps(text)
