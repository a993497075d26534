"""A CSV file that lists images with their labels and, optionally, their splits."""

import csv
import itertools
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import numpy as np

from imgcls.errors import DataError
from imgcls.images.missing import missing_file
from imgcls.images.pictures import (
    SPLIT_NAMES,
    SPLITS,
    Found,
    Pictures,
    check_names,
    check_opens,
    listed,
    shown,
)

_LONGEST_LINE = 2**20  # characters


@dataclass(frozen=True)
class Columns:
    """The names of the columns.

    Attributes:
        path: the column of image paths.
        label: the column of class labels.
        split: the column of splits; without it, all images are training images.
        must_split: whether the column of splits is required, because the config names it.
        in_config: whether the names are set in a config; if so, error messages refer to its keys.
    """

    path: str = "path"
    label: str = "label"
    split: str = "split"
    must_split: bool = False
    in_config: bool = True


@dataclass(frozen=True)
class _Row:
    line: int
    path: Path
    label: str
    split: str


def find(
    table: Path,
    columns: Columns | None = None,
    classes: tuple[str, ...] | None = None,
    root: Path | None = None,
) -> Found:
    """Returns the images that a CSV file lists.

    Args:
        table: a CSV file in UTF-8 whose first line names its columns.
        columns: the names of the columns; None uses the defaults, for a table not from a config.
        classes: class names in the desired order; None uses the labels in alphabetical order, or in
            numerical order if all are whole numbers. If `classes` is given and all labels are whole
            numbers, none of them a class name, the labels are indices into it.
        root: the folder that paths are relative to and must not leave; None is the table's folder.

    Raises:
        DataError: if the table cannot be read or rows are invalid, with the lines of these rows.
    """
    root = table.parent if root is None else root
    wrong: list[str] = []
    columns = Columns(in_config=False) if columns is None else columns
    rows = list(_rows(table, columns, root, wrong))
    _check_twice(rows, wrong)
    labels = {row.label for row in rows}
    names = _in_order(labels) if classes is None else classes
    numbers = {name: number for number, name in enumerate(names)}
    if classes is not None and labels.isdisjoint(classes) and all(map(_is_number, labels)):
        numbers = {str(number): number for number in range(len(classes))}
    counted_from_1 = labels == {str(number) for number in range(1, len(names) + 1)}
    advice = "; subtract 1 from all of them" if classes is not None and counted_from_1 else ""
    wrong += [
        f"line {row.line}: unknown label {row.label!r}; the labels are {listed(numbers)}{advice}"
        for row in rows
        if row.label not in numbers
    ]
    if wrong:
        rows_are = "1 bad row" if len(wrong) == 1 else f"{len(wrong):,} bad rows"
        raise DataError(f"{shown(table)}: {rows_are}\n  " + listed(wrong, "\n  "))
    if not rows:
        raise DataError(f"{shown(table)}: no rows below the header")
    check_names(names, shown(table))
    return Found(names, _splits(rows, numbers), source=shown(table))


def _rows(table: Path, columns: Columns, root: Path, wrong: list[str]) -> Iterator[_Row]:
    """Yields the rows that are valid on their own, and adds messages on the others to `wrong`."""
    try:
        check_opens(table)
        with table.open(encoding="utf-8-sig", newline="") as file:
            yield from _read(file, table, columns, root, wrong)
    except FileNotFoundError:
        raise DataError(f"{shown(table)}: no such file") from None
    except UnicodeDecodeError as error:
        raise DataError(f"{shown(table)}: not UTF-8: {error.reason}; save it as UTF-8") from error
    except OSError as error:
        raise DataError(f"{shown(table)}: {(error.strerror or str(error)).lower()}") from error


def _read(
    file: TextIO, table: Path, columns: Columns, root: Path, wrong: list[str]
) -> Iterator[_Row]:
    before, delimiter, first = _dialect(file, table, columns)
    lines = itertools.chain([first], _lines(file, table))
    reader = csv.reader(lines, delimiter=delimiter, strict=True, skipinitialspace=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        where = _positions(header, table, columns)
        for cells in reader:
            line = before + reader.line_num
            if not any(cell.strip() for cell in cells):  # spreadsheets add empty rows at the end
                continue
            if len(cells) != len(header):
                wrong.append(f"line {line}: {len(cells)} cells, expected {len(header)}")
                continue
            row = _row(line, [cells[at].strip() for at in where], columns, (table, root), wrong)
            if row is not None:
                yield row
    except csv.Error as error:
        line = before + reader.line_num
        raise DataError(f"{shown(table)}: line {line}: {error}") from error


def _dialect(file: TextIO, table: Path, columns: Columns) -> tuple[int, str, str]:
    """Returns the number of lines before the header, the delimiter, and the header.

    Excel separates cells by semicolons where the comma is the decimal separator, and may say so in
    a first line `sep=;`.
    """
    lines = _lines(file, table)
    first = next(lines, "")
    said = re.fullmatch(r'"?sep=(.)"?\s*', first)
    if said:
        return 1, said[1], next(lines, "")
    for delimiter in ",;\t":
        names = [name.strip().strip('"') for name in first.split(delimiter)]
        if columns.path in names and columns.label in names:
            return 0, delimiter, first
    return 0, ",", first


def _lines(file: TextIO, table: Path) -> Iterator[str]:
    number = 0
    while line := file.readline(_LONGEST_LINE + 1):
        number += 1
        if len(line) > _LONGEST_LINE:
            raise DataError(
                f"{shown(table)}: line {number} after the header has more than {_LONGEST_LINE:,} "
                "characters; this is not a table of paths and labels"
            )
        yield line


def _positions(header: list[str], table: Path, columns: Columns) -> list[int]:
    """Returns the positions of the columns path, label and, if present, split."""
    wanted = [columns.path, columns.label]
    if columns.must_split or columns.split in header:
        wanted.append(columns.split)
    missing = [name for name in wanted if name not in header]
    twice = [name for name in wanted if header.count(name) > 1]
    if missing or twice:
        what = f"no column {listed(missing)}" if missing else f"two columns {listed(twice)}"
        has = f"its columns are {listed(header)}" if header else "it is empty"
        advice = "; name others with dataset.path, .label or .split" if columns.in_config else ""
        raise DataError(f"{shown(table)}: {what}; {has}{advice}")
    return [header.index(name) for name in wanted]


def _row(
    line: int, cells: list[str], columns: Columns, folders: tuple[Path, Path], wrong: list[str]
) -> _Row | None:
    written, label, split = [*cells, "train"][:3]
    table, root = folders
    path = _path(written, table, root)
    problem = None
    if not written or "\0" in written:
        problem = "no path" if not written else "the path has a NUL character"
    elif not label:
        problem = "no label"
    elif split.lower() not in SPLIT_NAMES:
        problem = f"split must be one of {', '.join(SPLIT_NAMES)}, got {split!r}"
    elif not path.is_relative_to(os.path.normpath(root)):
        problem = f"{written} is outside {shown(root)}"
        problem += "; dataset.root says where paths may lead" if columns.in_config else ""
    else:
        problem = missing_file(path, written)
    if problem:
        wrong.append(f"line {line}: {problem}")
        return None
    return _Row(line, path, label, SPLIT_NAMES[split.lower()])


def _path(written: str, table: Path, root: Path) -> Path:
    """Returns the file that a cell names: relative to the root, or to the table if it is there."""
    path = Path(os.path.normpath(root / written))
    beside = Path(os.path.normpath(table.parent / written))
    inside = os.path.normpath(root)
    if not path.is_relative_to(inside) and beside.is_relative_to(inside):
        return beside
    return path


def _check_twice(rows: list[_Row], wrong: list[str]) -> None:
    """Checks that no image is listed twice: it might be in two splits or have two labels."""
    seen: dict[Path, _Row] = {}
    for row in rows:
        first = seen.setdefault(row.path, row)
        if first is not row:
            wrong.append(f"line {row.line}: {row.path.name} is on line {first.line} already")


def _in_order(labels: set[str]) -> tuple[str, ...]:
    if all(map(_is_number, labels)):
        return tuple(sorted(labels, key=lambda label: (int(label), label)))
    return tuple(sorted(labels))


def _is_number(label: str) -> bool:
    # Python rejects numbers of thousands of digits; 20 digits or more are treated as a name.
    return label.isascii() and label.isdecimal() and len(label) < 20  # noqa: PLR2004


def _splits(rows: list[_Row], numbers: dict[str, int]) -> dict[str, Pictures]:
    splits = {}
    for split in SPLITS:
        here = [row for row in rows if row.split == split]
        if here:
            labels = np.array([numbers[row.label] for row in here], np.int32)
            splits[split] = Pictures(labels, tuple(row.path for row in here))
    return splits
