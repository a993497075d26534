"""From the figures of repeated runs to a median and its spread."""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Rounds = Sequence[Sequence[Mapping[str, Any]]]
"""For each repetition, the figures of each contender, in the comparison's order."""


@dataclass(frozen=True)
class Spread:
    """The middle of some numbers, and how far they reach."""

    median: float
    least: float
    most: float


def spread(values: Sequence[float]) -> Spread:
    """Returns the median of at least one number, with the least and the greatest."""
    return Spread(statistics.median(values), min(values), max(values))


def figures(rounds: Rounds, figure: str, contender: int) -> Spread:
    """Returns the spread of one contender's figure."""
    return spread([float(each[contender][figure]) for each in rounds])


def ratios(rounds: Rounds, figure: str, other: int) -> Spread:
    """Returns the spread of the first contender's figure divided by another's.

    Divided round by round: a machine that slows down while a round runs slows down both.
    """
    pairs = [(float(each[0][figure]), float(each[other][figure])) for each in rounds]
    return spread([mine / theirs if theirs else math.inf for mine, theirs in pairs])
