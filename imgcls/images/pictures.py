"""Labelled pictures as they were found: what every source (folders, a table, arrays) comes to."""

import os
import stat
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgcls.errors import DataError

SPLITS = ("train", "validation", "test")

SPLIT_NAMES = {"val": "validation", "valid": "validation"} | {name: name for name in SPLITS}
"""What people call a split, in folders and tables, and what it is called here."""

SHOWN = 20  # of a list of faults; the first few say what is wrong with the rest


@dataclass(frozen=True)
class Pictures:
    """The labelled pictures of one split before they are decoded: files, or pixels already.

    Attributes:
        labels: int32 [n], positions in the classes.
        files: n of them, or none.
        pixels: uint8 [n, height, width, channel], where there are no files.
    """

    labels: NDArray[np.int32]
    files: tuple[Path, ...] = ()
    pixels: NDArray[np.uint8] | None = None

    def take(self, chosen: NDArray[Any]) -> "Pictures":
        """Returns the pictures at these positions."""
        return Pictures(
            labels=self.labels[chosen],
            files=tuple(self.files[at] for at in chosen) if self.files else (),
            pixels=None if self.pixels is None else self.pixels[chosen],
        )


@dataclass(frozen=True)
class Found:
    """A data set as it was found.

    Attributes:
        classes: their names; a label is a position in it.
        splits: `train`, `validation` and `test`, as far as the data has them.
        source: where it was found.
        notes: what the user should know but need not fix.
    """

    classes: tuple[str, ...]
    splits: dict[str, Pictures]
    source: str = ""
    notes: tuple[str, ...] = ()


def check_trainable(found: Found) -> None:
    """Checks that a classifier can be trained on this.

    Raises:
        DataError: without training images, with an empty split, with fewer than two classes, with
            a class that has no training image, or with a file in two splits.
    """
    where = found.source
    if "train" not in found.splits:
        raise DataError(f"{where}: no training images")
    for split, pictures in found.splits.items():
        if not len(pictures.labels):
            raise DataError(f"{where}: no {split} images")
    if len(found.classes) < 2:  # noqa: PLR2004 - one is no choice
        raise DataError(
            f"{where}: one class only, {found.classes[0]!r}; a classifier needs two or more"
        )
    counts = np.bincount(found.splits["train"].labels, minlength=len(found.classes))
    empty = [name for name, count in zip(found.classes, counts, strict=True) if not count]
    if empty:
        raise DataError(f"{where}: no training images of {listed(map(repr, empty))}")
    _check_apart(found)


def _check_apart(found: Found) -> None:
    folders: dict[Path, Path] = {}  # a folder is resolved once: each takes 0.1 ms
    seen: dict[Path, str] = {}
    for split, pictures in found.splits.items():
        for file in pictures.files:
            if file.parent not in folders:
                folders[file.parent] = file.parent.resolve()
            path = folders[file.parent] / file.name
            if file.is_symlink():
                path = Path(os.path.realpath(file))  # `resolve` would stumble over a loop
            if seen.setdefault(path, split) != split:
                both = f"in {seen[path]} and in {split}"
                raise DataError(f"{found.source}: {shown(file)} is {both}")


def check_names(names: Iterable[str], where: str) -> None:
    """Checks that no two class names are the same to a file system or to a reader.

    Raises:
        DataError: names equal but for case or Unicode form, which macOS and Windows would merge.
    """
    seen: dict[str, str] = {}
    for name in names:
        folded = unicodedata.normalize("NFC", name).casefold()
        if folded in seen:
            twins = f"{seen[folded]!r} and {name!r}"
            raise DataError(f"{where}: classes {twins} differ in case or accents' form only")
        seen[folded] = name


def check_opens(file: Path) -> None:
    """Checks that opening a file does not block, as a pipe or a device would.

    Raises:
        DataError: if it is.
        OSError: if it is not there, or may not be looked at.
    """
    mode = file.stat().st_mode
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise DataError(f"{shown(file)}: not a regular file")


def shown(path: Path | str) -> str:
    r"""Returns a path as valid text: bytes of its name that are no UTF-8 appear as `\xff`."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def listed(texts: Iterable[str], separator: str = ", ") -> str:
    """Returns the first twenty texts in one, and how many there are besides."""
    texts = list(texts)
    more = [f"and {len(texts) - SHOWN:,} more"] if len(texts) > SHOWN else []
    return separator.join([*texts[:SHOWN], *more])
