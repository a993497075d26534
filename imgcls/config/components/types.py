"""Types of fields that several sections share.

A before-validator receives the user's text as a `Scalar`; its ValueError is the message.
"""

import os
from pathlib import Path
from typing import Annotated, Any

from annotated_types import Ge, Gt, Le
from pydantic import AfterValidator, BeforeValidator, PlainSerializer

from imgcls.config.language import messages
from imgcls.config.language.registry import Scalar

LARGEST = 2**31 - 1  # the largest dimension in TensorFlow


def _fits(number: int) -> int:
    if number > LARGEST:
        digits = len(str(number))
        # The largest float is 1.8e308.
        given = f"{number:.3g}" if digits < 300 else f"a number of {digits:,} digits"  # noqa: PLR2004
        raise ValueError(f"must be at most {LARGEST}, got {given}")
    return number


Count = Annotated[int, Ge(1), AfterValidator(_fits)]
"""A positive integer."""

Natural = Annotated[int, Ge(0), AfterValidator(_fits)]
"""A non-negative integer."""

Fraction = Annotated[float, Ge(0), Le(1)]
"""A fraction between 0 and 1, inclusive."""

Positive = Annotated[float, Gt(0)]
"""A positive number."""

NotNegative = Annotated[float, Ge(0)]
"""A non-negative number."""


def _both(value: Any) -> Any:  # noqa: ANN401
    return value if isinstance(value, list | tuple) else (value, value)


Pair = Annotated[
    tuple[Count, Count],
    BeforeValidator(_both, json_schema_input_type=Count | tuple[Count, Count]),
]
"""Height and width: one number for both, or a list of two."""


def absolute(written: Scalar) -> Path:
    """Returns a path of the user as an absolute path.

    Raises:
        ValueError: if the text is not a valid path.
    """
    if not written:
        raise ValueError("expected a path, got nothing")
    try:
        if b"\0" in os.fsencode(written):
            raise ValueError(f"expected a path, got {messages.got(written)}")
        return (written.folder / Path(written).expanduser()).absolute()
    except UnicodeEncodeError:  # a lone surrogate, which escapes can produce
        raise ValueError(f"expected a path, got {messages.got(written)}") from None
    except RuntimeError:
        user = written.partition("/")[0]
        raise ValueError(f"expected a path; user {messages.got(user)} has no home folder") from None


def _absolute(value: Any) -> Any:  # noqa: ANN401
    return absolute(value) if isinstance(value, Scalar) else value


File = Annotated[Path, BeforeValidator(_absolute), PlainSerializer(str)]
"""A path, relative to the config file and with `~` expanded; absolute once read."""
