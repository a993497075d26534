"""The view of an `Evaluation` and of its assertions."""

from typing import TYPE_CHECKING

from imgcls.console.numbers import count, decimal, printable
from imgcls.console.tables import facts, table, width

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.table import Table

    from imgcls.evaluation.assertions import Outcome
    from imgcls.evaluation.scores import Evaluation

_LARGEST_MATRIX = 20
"""With more classes, only the most frequent confusions are shown."""
_CONFUSIONS = 10
_COLUMNS = 80  # of a terminal of the usual size


def view(found: "Evaluation") -> "Iterator[Table | str]":
    """Yields the metrics of all images, the metrics per class, and the confusion matrix."""
    top_5 = found.top_5_accuracy
    yield facts(
        ("Run", printable(found.run)),
        ("Checkpoint", printable(found.checkpoint)),
        ("Split", printable(found.split)),
        ("Images", count(found.images)),
        ("Loss", decimal(found.loss)),
        ("Accuracy", decimal(found.accuracy)),
        *((("Top-5 accuracy", decimal(top_5)),) if top_5 is not None else ()),
        ("Macro F1", decimal(found.macro_f1)),
        ("Balanced accuracy", decimal(found.balanced_accuracy)),
    )
    yield ""
    yield table(
        ("class", "precision", "recall", "f1", "support"),
        (
            (each.name, *map(decimal, (each.precision, each.recall, each.f1)), count(each.support))
            for each in found.per_class
        ),
    )
    yield ""
    if len(found.per_class) <= _LARGEST_MATRIX:
        yield "Confusion matrix (rows: true class, columns: predicted class)"
        yield _matrix(found)
    else:
        yield "Most frequent confusions"
        yield _confusions(found)


def _matrix(found: "Evaluation") -> "Table":
    """Returns the confusion matrix; its columns are named, or numbered where names do not fit.

    `#1` is nobody's class; a plain 1 could be the second of the classes 0 to 9.
    """
    names = [each.name for each in found.per_class]
    rows = [list(map(count, row)) for row in found.confusion_matrix]
    named = table(("", *names), ([name, *row] for name, row in zip(names, rows, strict=True)))
    if width(named) <= _COLUMNS:
        return named
    numbers = [f"#{number}" for number in range(1, len(names) + 1)]
    labels = map(" ".join, zip(numbers, names, strict=True))
    return table(("", *numbers), ([label, *row] for label, row in zip(labels, rows, strict=True)))


def _confusions(found: "Evaluation") -> "Table":
    names = [each.name for each in found.per_class]
    confusions = [
        (images, true, predicted)
        for true, row in enumerate(found.confusion_matrix)
        for predicted, images in enumerate(row)
        if images and true != predicted
    ]
    confusions.sort(key=lambda confusion: -confusion[0])
    return table(
        ("true class", "predicted class", "images"),
        ((names[true], names[it], count(n)) for n, true, it in confusions[:_CONFUSIONS]),
        left=(0, 1),
    )


def missed(outcome: "Outcome") -> str:
    """Returns the value of a metric and the condition that it does not meet."""
    asserted, value = outcome.assertion, outcome.value
    shown = str(value) if isinstance(value, int) else decimal(value)
    if value is not None and asserted.holds(float(shown)):
        shown = repr(value)  # four decimals of 0.96999 would contradict the line
    return (
        f"{printable(asserted.figure)} is {shown}, expected {asserted.comparison} {asserted.bound}"
    )
