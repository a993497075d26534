"""Numbers and names in the form that people read."""

import math
import re

_MISSING = "n/a"
_SMALLEST, _LARGEST = 1e-4, 1e6  # what four decimals show well
_TENTHS_BELOW = 9.95  # this and more is rounded to whole numbers
_MILLISECONDS_BELOW = 0.9995  # this is 1.0 s
_MINUTE, _HOUR = 60, 3600
_UNPRINTABLE = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


def count(number: int) -> str:
    """Returns a whole number with thousands separators."""
    return f"{number:,}"


def counted(number: int, noun: str, plural: str = "") -> str:
    """Returns a number of things: `1 step`, `1,704 steps`."""
    return f"{count(number)} {noun if number == 1 else plural or noun + 's'}"


def joined(*parts: str) -> str:
    """Returns the parts that are not empty, separated by two spaces."""
    return "  ".join(part for part in parts if part)


def decimal(number: float | None) -> str:
    """Returns a loss or a fraction with four decimals; `n/a` for None and nan."""
    if number is None or math.isnan(number):
        return _MISSING
    if number == 0 or _SMALLEST <= abs(number) < _LARGEST:
        return f"{number:.4f}"
    return f"{number:.1e}"


def probability(number: float) -> str:
    """Returns a probability with four decimals; `n/a` for nan."""
    return f"{number:.4f}" if math.isfinite(number) else _MISSING


def rate(per_second: float) -> str:
    """Returns images per second."""
    return f"{per_second:,.{0 if per_second >= _TENTHS_BELOW else 1}f} images/s"


def duration(seconds: float) -> str:
    """Returns a time such as `18 ms`, `1.2 s`, `12 s`, `3 min 20 s` or `1 h 05 min`."""
    if not math.isfinite(seconds):
        return _MISSING
    if seconds < _MILLISECONDS_BELOW:
        return f"{seconds * 1000:.0f} ms"
    if seconds < _TENTHS_BELOW:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE} min {whole % _MINUTE:02} s"
    hours, minutes = divmod(round(seconds / _MINUTE), 60)
    return f"{hours} h {minutes:02} min"


def shape(lengths: tuple[int, ...]) -> str:
    """Returns a shape such as `32x32x3`."""
    return "x".join(map(str, lengths))


def printable(text: str) -> str:
    """Returns text that can neither move the cursor nor break the line: it is escaped.

    File names may hold any byte: a newline, an escape code, half a character.
    """
    return _UNPRINTABLE.sub(lambda found: found.group().encode("unicode_escape").decode(), text)
