"""How the process ends, for the programs that watch it: the last line on stderr."""

import json
import re
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from imgcls.errors import ImgclsError

_PLAIN = re.compile(r"[A-Za-z0-9_./:@%+,-]+")
_SIGNALLED = 128  # a shell's code for what a signal ended is this and the signal's number


@dataclass(frozen=True)
class ExitStatus:
    """How the process ends.

    Attributes:
        code: as a shell sees it.
        error: the code's name, or the signal's; None where nothing went wrong.
        run: the run that it was about, where there is one.
        resume: the command that goes on with the run, where that is possible.
    """

    code: int = 0
    error: str | None = None
    run: Path | None = None
    resume: str | None = None

    @classmethod
    def of(
        cls, kind: type[ImgclsError], run: Path | None = None, resume: str | None = None
    ) -> Self:
        """Returns the ending by an error of this kind."""
        return cls(kind.exit_code, kind.name(), run, resume)

    @classmethod
    def by(cls, number: int, run: Path | None = None, resume: str | None = None) -> Self:
        """Returns the ending by a signal."""
        name = signal.Signals(number).name.removeprefix("SIG")
        return cls(_SIGNALLED + number, name, run, resume)

    @property
    def signal(self) -> int | None:
        """The number of the signal that ends the process, or None."""
        return self.code - _SIGNALLED if self.code > _SIGNALLED else None

    def line(self, warnings: int = 0) -> str:
        """Returns it as `imgcls: exit=6 error=RUN run=...`; what does not apply is left out.

        Args:
            warnings: how many there were.
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
    """Returns a value as it is, or as a JSON string, in ASCII, if it is no plain word."""
    return text if _PLAIN.fullmatch(text) else json.dumps(text)
