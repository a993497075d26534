"""The types that fields of several sections share.

A before-validator sees the user's text as a `Scalar`; what it raises as ValueError is the message.
"""

import os
from pathlib import Path
from typing import Annotated, Any

from annotated_types import Ge, Gt, Le
from pydantic import AfterValidator, BeforeValidator, PlainSerializer

from imgcls.config.language import messages
from imgcls.config.language.registry import Scalar

LARGEST = 2**31 - 1  # what TensorFlow's sizes hold


def _fits(number: int) -> int:
    if number > LARGEST:
        digits = len(str(number))
        # A float ends at 1.8e308.
        given = f"{number:.3g}" if digits < 300 else f"a number of {digits:,} digits"  # noqa: PLR2004
        raise ValueError(f"must be at most {LARGEST}, got {given}")
    return number


Count = Annotated[int, Ge(1), AfterValidator(_fits)]
"""A whole number from 1 on."""

Natural = Annotated[int, Ge(0), AfterValidator(_fits)]
"""A whole number from 0 on."""

Fraction = Annotated[float, Ge(0), Le(1)]
"""A share between 0 and 1."""

Positive = Annotated[float, Gt(0)]
"""A number above 0."""

NotNegative = Annotated[float, Ge(0)]
"""A number from 0 on."""


def _both(value: Any) -> Any:  # noqa: ANN401
    return value if isinstance(value, list | tuple) else (value, value)


Pair = Annotated[
    tuple[Count, Count],
    BeforeValidator(_both, json_schema_input_type=Count | tuple[Count, Count]),
]
"""Height and width: one number for both, or a list of two."""


def absolute(written: Scalar) -> Path:
    """Returns the absolute path that the user's text means.

    Raises:
        ValueError: if no file can be called so.
    """
    if not written:
        raise ValueError("must be a path, got nothing")
    try:
        if b"\0" in os.fsencode(written):
            raise ValueError(f"must be a path, got {messages.got(written)}")
        return (written.folder / Path(written).expanduser()).absolute()
    except UnicodeEncodeError:  # half of a character, as JSON's escapes can write it
        raise ValueError(f"must be a path, got {messages.got(written)}") from None
    except RuntimeError:
        user = written.partition("/")[0]
        raise ValueError(f"must be a path; {messages.got(user)} has no home folder") from None


def _absolute(value: Any) -> Any:  # noqa: ANN401
    return absolute(value) if isinstance(value, Scalar) else value


File = Annotated[Path, BeforeValidator(_absolute), PlainSerializer(str)]
"""A path: relative to the file that says it, `~` expanded; absolute once read."""
