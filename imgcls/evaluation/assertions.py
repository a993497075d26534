"""What `evaluate --assert` asks of an evaluation, such as `accuracy>=0.97` or `recall[cat]>0.9`."""

import math
import operator
import re
from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import shorten
from typing import TYPE_CHECKING, Any, Self

from imgcls.config.language.messages import instead
from imgcls.errors import UsageError
from imgcls.evaluation import metrics

if TYPE_CHECKING:
    from imgcls.evaluation.scores import Evaluation

SCALARS = ("accuracy", "top_5_accuracy", "macro_f1", "balanced_accuracy", "loss", "images")
BY_CLASS = ("precision", "recall", "f1", "support")
COMPARISONS = {
    ">=": operator.ge,
    ">": operator.gt,
    "<=": operator.le,
    "<": operator.lt,
    "==": operator.eq,
    "=": operator.eq,
}
_LONGEST_ADVICE = 200  # characters; a run may have thousands of classes
_NOT_SHARES = {"loss", "images", "support"}

# A class may be called anything, also `a]>=1`: its name goes as far as it can.
_ASSERTION = re.compile(
    rf"\s*([\w-]+)(?:\[(.*)\])?\s*({'|'.join(COMPARISONS)})\s*([^\s<>=]+)\s*", re.DOTALL
)


@dataclass(frozen=True)
class Assertion:
    """One figure, and what it is to be.

    Attributes:
        metric: one of SCALARS, or of BY_CLASS.
        label: the class that the figure is of, or None.
        comparison: one of COMPARISONS.
        bound: the number, as it was written.
    """

    metric: str
    label: str | None
    comparison: str
    bound: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Returns what `METRIC>=NUMBER` or `METRIC[CLASS]>=NUMBER` asks.

        Raises:
            UsageError: if it is neither, the metric is unknown, or no share is so large.
        """
        match = _ASSERTION.fullmatch(text)
        if not match:
            raise _wrong(text, "must be a figure, >=, >, <=, < or =, and a number")
        metric, label, comparison, bound = match.groups()
        if metric not in SCALARS + BY_CLASS:
            known = [*SCALARS, *(f"{each}[CLASS]" for each in BY_CLASS)]
            raise _wrong(text, f"unknown metric {metric}; {instead(metric, known, 'metric')}")
        if metric in BY_CLASS and label is None:
            raise _wrong(text, f"{metric} is of one class; write {metric}[CLASS]")
        if metric in SCALARS and label is not None:
            raise _wrong(text, f"{metric} is of all classes; write it without [{label}]")
        number = _number(text, bound)
        if metric not in _NOT_SHARES and not 0 <= number <= 1:
            raise _wrong(text, f"{metric} is a share, from 0 to 1; got {bound}")
        return cls(metric, label, comparison, bound)

    @property
    def figure(self) -> str:
        """What is asserted of, such as `accuracy` or `recall[cat]`."""
        return self.metric if self.label is None else f"{self.metric}[{self.label}]"

    def __str__(self) -> str:
        return f"{self.figure}{self.comparison}{self.bound}"

    def check(self, classes: Sequence[str]) -> None:
        """Checks what only a run knows.

        Raises:
            UsageError: if it has no such class, or too few for its top-5 accuracy to mean anything.
        """
        if self.label is not None and self.label not in classes:
            meant = shorten(instead(self.label, classes, "class"), _LONGEST_ADVICE)
            raise _wrong(str(self), f"the run has no class {self.label}; {meant}")
        if self.metric == "top_5_accuracy" and len(classes) <= metrics.TOP:
            why = f"it is given for more than {metrics.TOP} classes; the run has {len(classes)}"
            raise _wrong(str(self), why)

    def holds(self, value: float | None) -> bool:
        """Returns whether a figure is what it is to be; one that is undefined is not."""
        return value is not None and bool(COMPARISONS[self.comparison](value, float(self.bound)))

    def outcome(self, found: "Evaluation") -> "Outcome":
        """Returns what came of it."""
        figures = found.to_json()
        if self.label is not None:
            figures = next(each for each in figures["per_class"] if each["name"] == self.label)
        value: float | None = figures[self.metric]
        return Outcome(self, value, self.holds(value))


@dataclass(frozen=True)
class Outcome:
    """What came of an assertion.

    Attributes:
        assertion: what was asked.
        value: what the figure is; None where it is undefined.
        holds: whether it is as asked.
    """

    assertion: Assertion
    value: float | None
    holds: bool

    def to_json(self) -> dict[str, Any]:
        """Returns it as JSON values."""
        return {"assertion": str(self.assertion), "value": self.value, "holds": self.holds}


def _number(text: str, bound: str) -> float:
    try:
        number = float(bound)
    except ValueError:
        raise _wrong(text, f"{bound} is no number") from None
    if not math.isfinite(number):
        raise _wrong(text, f"{bound} is no finite number")
    return number


def _wrong(text: str, what: str) -> UsageError:
    return UsageError(f"--assert '{text}': {what}")
