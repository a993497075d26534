"""The view of a `CheckResult`."""

from typing import TYPE_CHECKING

from imgcls.console.numbers import count, counted, decimal, duration, printable, shape
from imgcls.console.tables import facts, table
from imgcls.memory import amount

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.table import Table

    from imgcls.training.summary import CheckResult, DataSummary


def view(found: "CheckResult", warnings: int) -> "Iterator[Table | str]":
    """Yields the data, the layers, and the estimated cost of the training.

    Args:
        found: the result.
        warnings: the number of warnings that were reported before.
    """
    valid = f"valid, with {counted(warnings, 'warning')}" if warnings else "valid"
    yield f"{printable(found.config)}: {valid}"
    yield ""
    yield from _data(found.data)
    yield ""
    yield table(
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
    yield facts(
        ("Initial loss", decimal(found.loss)),
        ("Time per step", duration(found.step_seconds)),
        ("Estimated time per epoch", duration(found.epoch_seconds)),
        ("Estimated total", duration(found.seconds)),
        ("Estimated peak memory", amount(found.memory_bytes)),
    )


def _data(data: "DataSummary") -> "Iterator[Table | str]":
    spec = data.spec
    size = f"Image size: {shape((*spec.size, spec.channels))}"
    if spec.stored != spec.size:
        size += f", stored as {shape((*spec.stored, spec.channels))}"
    yield size
    yield from map(printable, data.notes)
    yield table(
        ("class", *data.images),
        (
            (name, *(count(each[index]) for each in data.images.values()))
            for index, name in enumerate(spec.classes)
        ),
        total=("total", *(count(sum(each)) for each in data.images.values())),
    )
