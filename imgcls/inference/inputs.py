"""The images that `predict` reads, one by one: files, folders, globs, lists, stdin.

Nothing is read ahead: a list of a million names needs only the memory for the current block.
"""

import glob
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BufferedReader
from itertools import chain
from pathlib import Path
from typing import cast

from imgcls import files
from imgcls.errors import DataError, UsageError
from imgcls.images.find import Finder

STDIN = "-"
_LARGEST_PICTURE = 64 * 2**20
_LONGEST_NAME = 2**16  # bytes; no system's paths are longer than 2**15
_BLOCK = 2**16
_URL = "is a URL; download it first"


@dataclass(frozen=True)
class ImageInput:
    """An input that may be an image.

    Attributes:
        name: the name that is shown.
        source: its file, or its bytes.
        refused: why it is rejected without reading it, or None.
    """

    name: str
    source: Path | bytes
    refused: str | None = None


class ImageInputs:
    """The given images, in order.

    Args:
        images: files, folders (with all images below them), globs; `-` is one image on stdin.
        listed: a file that lists names of files and folders, but not globs; `-` is stdin.
        null: whether the listed names end in NUL bytes instead of newlines.

    Raises:
        UsageError: if stdin is a terminal, closed or used twice, or a name is a URL or empty.
        DataError: if stdin is empty or too large, or the list cannot be opened.
    """

    def __init__(self, images: Sequence[str], listed: Path | None, *, null: bool = False) -> None:
        if not images and listed is None:
            raise UsageError("predict takes images, or --from-file LIST")
        if null and listed is None:
            raise UsageError("--null is of the names in --from-file LIST")
        if [*images, str(listed)].count(STDIN) > 1:
            raise UsageError("stdin can be read once; - is given twice")
        for image in images:
            _check_argument(image)
        self._images = images
        self._finder = Finder()
        self._stdin = _picture() if STDIN in images else b""
        self._names = _names(listed, null=null) if listed is not None else iter(())
        self.sources = ", ".join([*images, *([str(listed)] if listed else [])])

    def notes(self) -> tuple[str, ...]:
        """Returns notes on what has been left out of the folders so far."""
        return self._finder.notes()

    def each(self) -> Iterator[ImageInput]:
        """Yields the images.

        Raises:
            DataError: if there are no images, naming the sources that were searched.
        """
        everything = self._everything()
        refused: list[ImageInput] = []
        for item in everything:
            if item.refused is None:
                yield from chain(refused, [item], everything)
                return
            refused.append(item)
        said = [f"; {it.name}: {it.refused}" for it in refused if it.name not in self._images]
        raise DataError(f"no picture in {self.sources}{said[0] if said else ''}")

    def _everything(self) -> Iterator[ImageInput]:
        for image in self._images:
            if image == STDIN:
                yield ImageInput(STDIN, self._stdin)
            elif not os.path.lexists(image) and glob.has_magic(image):
                yield from self._matching(image)
            else:
                yield from self._at(image)
        for name in self._names:
            if "://" in name:
                yield ImageInput(name, b"", _URL)
            else:
                yield from self._at(name)

    def _matching(self, pattern: str) -> Iterator[ImageInput]:
        names = sorted(glob.glob(pattern, recursive=True))  # noqa: PTH207  # keeps names as they are written
        if not names:
            yield ImageInput(pattern, b"", "matches nothing")
        for name in names:
            yield from self._at(name)

    def _at(self, name: str) -> Iterator[ImageInput]:
        path = Path(name)
        if not os.path.isdir(name):  # noqa: PTH112  # Path.is_dir raises if a name is too long
            yield ImageInput(name, path)
            return
        found = False
        for file in self._finder.walk(path):
            found = True
            yield ImageInput(str(file), file)
        if not found:
            yield ImageInput(name, b"", "has no picture")


def _check_argument(image: str) -> None:
    if not image:
        raise UsageError("an image has an empty name; is a variable of the shell unset?")
    if "://" in image:
        raise UsageError(f"{image}: {_URL}")


def _picture() -> bytes:
    data = _stdin().read(_LARGEST_PICTURE + 1)
    if not data:
        raise DataError("-: stdin is empty; it must be a picture")
    if len(data) > _LARGEST_PICTURE:
        raise DataError(f"-: stdin has more than {_LARGEST_PICTURE // 2**20} MiB")
    return data


def _stdin() -> BufferedReader:
    if sys.stdin is None:
        raise UsageError("-: stdin is closed")
    if sys.stdin.isatty():
        raise UsageError("-: stdin is a terminal; give it a pipe or a file")
    return cast("BufferedReader", sys.stdin.buffer)


def _names(listed: Path, *, null: bool) -> Iterator[str]:
    """Opens the list and returns its names, without empty ones such as a last blank line."""
    try:
        stream = _stdin() if str(listed) == STDIN else listed.open("rb")
    except OSError as error:
        raise DataError(f"{listed}: cannot be read, {files.reason(error)}") from error
    return (os.fsdecode(name) for name in _split(stream, listed, b"\0" if null else b"\n") if name)


def _split(stream: BufferedReader, listed: Path, end: bytes) -> Iterator[bytes]:
    """Yields the names before each terminator; from a pipe, as soon as they arrive."""
    rest, number = b"", 1
    with stream:
        while block := _block(stream, listed):
            *whole, rest = (rest + block).split(end)
            for name in whole:
                yield _name(name, f"{listed}:{number}", end)
                number += 1
            if len(rest) > _LONGEST_NAME:
                raise DataError(f"{listed}:{number}: is too long for a name; is this a list?")
    yield _name(rest, f"{listed}:{number}", end)


def _block(stream: BufferedReader, listed: Path) -> bytes:
    try:
        return stream.read1(_BLOCK)
    except OSError as error:
        raise DataError(f"{listed}: cannot be read, {files.reason(error)}") from error


def _name(name: bytes, place: str, end: bytes) -> bytes:
    if end == b"\0":
        return name
    if b"\0" in name:
        raise DataError(f"{place}: has a NUL byte; names that end in NUL bytes need --null")
    return name.removesuffix(b"\r")
