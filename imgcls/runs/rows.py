"""A table that grows row by row: one JSON object per line, one write per row.

A kill can leave only the last line incomplete; it is ignored by readers and removed before the next
row is appended.
"""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from imgcls import files, filesystem
from imgcls.errors import RunError

_LARGEST = 2**30  # 5 million rows
_BLOCK = 2**16


def append(path: Path, row: Mapping[str, Any]) -> None:
    """Appends a row; if it cannot be written completely, the file is left unchanged.

    Raises:
        ResourceError: if it cannot be written.
    """
    line = files.to_json(row)
    with files.writing(path):
        descriptor = files.open_to_append(path)
        try:
            size = _cut_torn_line(descriptor)
            if (written := os.write(descriptor, line)) < len(line):
                os.ftruncate(descriptor, size)
                raise OSError(None, f"{written} of {len(line)} bytes were taken")
        finally:
            os.close(descriptor)


def _cut_torn_line(descriptor: int) -> int:
    """Removes an incomplete last line, and returns the size of the file."""
    size = end = os.fstat(descriptor).st_size
    while end:
        start = max(0, end - _BLOCK)
        newline = os.pread(descriptor, end - start, start).rfind(b"\n")
        if newline >= 0:
            end = start + newline + 1
            break
        end = start
    if end < size:
        os.ftruncate(descriptor, end)
    return end


def sync(path: Path) -> None:
    """Syncs the rows to disk.

    Raises:
        ResourceError: if that fails.
    """
    if path.exists():
        with files.writing(path):
            filesystem.sync(path)


def read(path: Path) -> list[dict[str, Any]]:
    """Returns all complete rows; none if the file does not exist.

    Raises:
        RunError: if a line is not a row, naming it.
    """
    return [_row(path, number, line) for number, line in enumerate(_lines(path), 1)]


def rewind(path: Path, superseded: Path, is_undone: Callable[[Mapping[str, Any]], bool]) -> None:
    """Moves undone rows to the end of another file, each exactly once, even if killed.

    Raises:
        ResourceError: if a file cannot be written.
        RunError: if a line is not a row.
    """
    kept: list[bytes] = []
    moved: list[bytes] = []
    for number, line in enumerate(_lines(path), 1):
        (moved if is_undone(_row(path, number, line)) else kept).append(line)
    if not moved:
        return
    there, new = b"".join(_lines(superseded)), b"".join(moved)
    if not there.endswith(new):  # otherwise it was killed right here last time
        files.write_whole(superseded, there + new)
    files.write_whole(path, b"".join(kept))


def _lines(path: Path) -> list[bytes]:
    if not os.path.lexists(path):
        return []
    whole, newline, _ = files.read_bounded(path, _LARGEST).rpartition(b"\n")
    return (whole + newline).splitlines(keepends=True)


def _row(path: Path, number: int, line: bytes) -> dict[str, Any]:
    try:
        row = files.from_json(path, line)
    except RunError as error:
        raise RunError(f"{path}: line {number} is damaged") from error
    if not isinstance(row, dict):
        raise RunError(f"{path}: line {number} is no row")
    return row
