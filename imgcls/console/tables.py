"""The tables of `evaluate` and `check`."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from imgcls.console.numbers import count, decimal, duration, printable, shape
from imgcls.memory import amount

if TYPE_CHECKING:
    from rich.table import Table

    from imgcls.evaluation.scores import Evaluation
    from imgcls.training.summary import CheckResult, DataSummary

_WIDEST_MATRIX = 20
"""Of more classes only the commonest mistakes are shown: nobody reads ten thousand cells."""
_MISTAKES = 10


def evaluation(found: "Evaluation") -> "Iterator[Table | str]":
    """Yields the figures of an evaluation: of all images, of each class, and what is confused."""
    yield _facts(
        ("run", printable(found.run)),
        ("checkpoint", printable(found.checkpoint)),
        ("split", printable(found.split)),
        ("images", count(found.images)),
        ("loss", decimal(found.loss)),
        ("accuracy", decimal(found.accuracy)),
        *((("top-5", decimal(found.top_5_accuracy)),) if found.top_5_accuracy is not None else ()),
    )
    yield ""
    yield _table(
        ("class", "precision", "recall", "f1", "support"),
        (
            (each.name, *map(decimal, (each.precision, each.recall, each.f1)), count(each.support))
            for each in found.per_class
        ),
    )
    yield ""
    yield from _confusion(found)


def _confusion(found: "Evaluation") -> "Iterator[Table | str]":
    names = [each.name for each in found.per_class]
    if len(names) <= _WIDEST_MATRIX:
        yield "confusion matrix (rows are the true classes, columns the predicted ones)"
        yield _table(
            ("", *map(str, range(1, len(names) + 1))),
            (
                (f"{number} {name}", *map(count, row))
                for number, (name, row) in enumerate(
                    zip(names, found.confusion_matrix, strict=True), 1
                )
            ),
        )
        return
    mistakes = [
        (number, true, predicted)
        for true, row in enumerate(found.confusion_matrix)
        for predicted, number in enumerate(row)
        if number and true != predicted
    ]
    mistakes.sort(key=lambda mistake: -mistake[0])
    yield "commonest mistakes"
    yield _table(
        ("true class", "images", "taken for"),
        ((names[true], count(n), names[taken]) for n, true, taken in mistakes[:_MISTAKES]),
        left=(0, 2),
    )


def check(found: "CheckResult") -> "Iterator[Table | str]":
    """Yields what `check` found: the data, the layers, one step, and what training will take."""
    yield f"{printable(found.config)} is right"
    yield ""
    yield from _data(found.data)
    yield ""
    yield _table(
        ("layer", "output", "parameters", "multiply-adds"),
        (
            (
                "  " * each.depth + each.name,
                shape(each.shape),
                count(each.parameters),
                count(each.multiply_adds),
            )
            for each in found.layers
        ),
        total=("total", "", count(found.parameters), count(found.multiply_adds)),
    )
    yield ""
    yield _facts(
        ("loss of one batch", decimal(found.loss)),
        ("one step", duration(found.step_seconds)),
        ("one epoch, about", duration(found.epoch_seconds)),
        ("in all, about", duration(found.seconds)),
        ("memory, about", amount(found.memory_bytes)),
    )


def _data(data: "DataSummary") -> "Iterator[Table | str]":
    spec = data.spec
    sizes = f"images of {shape((*spec.size, spec.channels))}"
    if spec.stored != spec.size:
        sizes += f", kept as {shape((*spec.stored, spec.channels))}"
    yield sizes
    yield from map(printable, data.notes)
    yield _table(
        ("class", *data.images),
        (
            (name, *(count(each[index]) for each in data.images.values()))
            for index, name in enumerate(spec.classes)
        ),
        total=("total", *(count(sum(each)) for each in data.images.values())),
    )


def _facts(*facts: tuple[str, str]) -> "Table":
    return _table(None, facts, left=(0, 1))


def _table(
    header: Sequence[str] | None,
    rows: Iterable[Sequence[str]],
    *,
    left: tuple[int, ...] = (0,),
    total: Sequence[str] | None = None,
) -> "Table":
    """Returns a table whose columns are numbers but for those in `left`."""
    from rich.table import Table
    from rich.text import Text

    body = [*rows, *([total] if total else [])]
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, show_header=header is not None)
    for index in range(len(header or body[0])):
        table.add_column(
            Text(printable(header[index])) if header else "",
            justify="left" if index in left else "right",
            no_wrap=True,
        )
    for row in body:
        style = "bold" if row is total else None
        table.add_row(*(Text(printable(cell)) for cell in row), style=style)
    return table
