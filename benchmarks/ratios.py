"""Computes medians and their spread from the figures of repeated runs."""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Rounds = Sequence[Sequence[Mapping[str, Any]]]
"""For each round, the figures of each contender, in the order of the comparison."""


@dataclass(frozen=True)
class Spread:
    """The median of some numbers, with the least and the greatest."""

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

    The division is done round by round, because a slow machine slows down all runs of a round.
    """
    pairs = [(float(each[0][figure]), float(each[other][figure])) for each in rounds]
    return spread([mine / theirs if theirs else math.inf for mine, theirs in pairs])
