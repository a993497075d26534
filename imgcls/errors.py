"""The exceptions that a user may see, each with its exit code.

A message is `what is wrong[, got value][; what to do]` in lower case; a second line, `hint`, is for
a remedy that is a command. Any other exception that reaches the user is a bug in imgcls. The
classes here define the exit codes; the table in docs/cli.md is generated from them.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar


class ImgclsError(Exception):
    """An error that the user can fix: printed as `error: ...` without a traceback.

    Attributes:
        hint: a remedy, printed on a separate line.
        run: the run that the error is about, or None.
        resume: the command that resumes the run, or None if that is not possible.
    """

    exit_code: ClassVar[int] = 1
    run: Path | None = None
    resume: str | None = None

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint

    @classmethod
    def name(cls) -> str:
        """Returns the name of the exit code: `DATA` for DataError and its subclasses."""
        owner = next(each for each in cls.__mro__ if "exit_code" in vars(each))
        return "BUG" if owner is ImgclsError else owner.__name__.removesuffix("Error").upper()


class UsageError(ImgclsError):
    """The command line is invalid."""

    exit_code = 2


class PartialError(ImgclsError):
    """Results were written, but some inputs were rejected; each was reported."""

    exit_code = 3


class DataError(ImgclsError):
    """The dataset is missing or invalid."""

    exit_code = 5


class RunError(ImgclsError):
    """A run or checkpoint is missing, damaged, or does not match the config or the data."""

    exit_code = 6


class DivergedError(ImgclsError):
    """Training diverged: the loss or a weight is not finite."""

    exit_code = 7


class ResourceError(ImgclsError):
    """A resource is missing: memory, disk space, a permission, a device."""

    exit_code = 8


class LockedError(ImgclsError):
    """The run is in use by another process."""

    exit_code = 10


class MissedError(ImgclsError):
    """A condition of `evaluate --assert` does not hold; the results were written."""

    exit_code = 11


@dataclass(frozen=True, order=True)
class Mistake:
    """One mistake in a config.

    Attributes:
        place: `file:line:column`, or empty if the text is not known.
        key: the dotted key, such as `layers[1].Conv2D.filters`.
        message: what is wrong and what to do.
    """

    place: str
    key: str
    message: str

    def __str__(self) -> str:
        return ": ".join(part for part in (self.place, self.key, self.message) if part)


class ConfigError(ImgclsError):
    """The config is missing or invalid.

    It has every mistake that was found, in the order of the text.
    """

    exit_code = 4

    def __init__(self, *mistakes: Mistake, hint: str | None = None) -> None:
        super().__init__("\n".join(map(str, mistakes)), hint=hint)
        self.mistakes = mistakes

    @classmethod
    def at(cls, key: str, message: str) -> "ConfigError":
        """Returns an error for a key, where the caller does not know its place in the text."""
        return cls(Mistake("", key, message))
