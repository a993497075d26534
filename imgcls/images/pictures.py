"""Labeled images as they were found, in the form common to all sources: folders, tables, arrays."""

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
"""The accepted names of splits in folders and tables, with their canonical names."""

SHOWN = 20  # items of a list in a message; the rest are usually alike


@dataclass(frozen=True)
class Pictures:
    """The labeled images of one split before decoding: either files or pixels.

    Attributes:
        labels: int32 [n], indices of the classes.
        files: n files; empty if there are pixels.
        pixels: uint8 [n, height, width, channel], or None if there are files.
    """

    labels: NDArray[np.int32]
    files: tuple[Path, ...] = ()
    pixels: NDArray[np.uint8] | None = None

    def take(self, chosen: NDArray[Any]) -> "Pictures":
        """Returns the images at these indices."""
        return Pictures(
            labels=self.labels[chosen],
            files=tuple(self.files[at] for at in chosen) if self.files else (),
            pixels=None if self.pixels is None else self.pixels[chosen],
        )


@dataclass(frozen=True)
class Found:
    """A dataset as it was found.

    Attributes:
        classes: the names of the classes; a label is an index into it.
        splits: the splits that the data has, by name: `train`, `validation`, `test`.
        source: the origin of the data, for messages.
        notes: remarks that the user should know but need not act on.
    """

    classes: tuple[str, ...]
    splits: dict[str, Pictures]
    source: str = ""
    notes: tuple[str, ...] = ()


def check_trainable(found: Found) -> None:
    """Checks that a classifier can be trained on this dataset.

    Raises:
        DataError: if there are no training images, an empty split, fewer than two classes, a class
            without training images, or a file in two splits.
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
    folders: dict[Path, Path] = {}  # each folder is resolved once, which takes 0.1 ms
    seen: dict[Path, str] = {}
    for split, pictures in found.splits.items():
        for file in pictures.files:
            if file.parent not in folders:
                folders[file.parent] = file.parent.resolve()
            path = folders[file.parent] / file.name
            if file.is_symlink():
                path = Path(os.path.realpath(file))  # `resolve` raises if links form a loop
            if seen.setdefault(path, split) != split:
                both = f"in {seen[path]} and in {split}"
                raise DataError(f"{found.source}: {shown(file)} is {both}")


def check_names(names: Iterable[str], where: str) -> None:
    """Checks that no two class names would be the same to a file system or a reader.

    Raises:
        DataError: if names differ only in case or Unicode normalization form, which macOS and
            Windows would merge.
    """
    seen: dict[str, str] = {}
    for name in names:
        folded = unicodedata.normalize("NFC", name).casefold()
        if folded in seen:
            twins = f"{seen[folded]!r} and {name!r}"
            raise DataError(f"{where}: classes {twins} differ in case or accents' form only")
        seen[folded] = name


def check_opens(file: Path) -> None:
    """Checks that a file is not a pipe, a device or the like, on which opening might block.

    Raises:
        DataError: if it is.
        OSError: if it does not exist or cannot be accessed.
    """
    mode = file.stat().st_mode
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise DataError(f"{shown(file)}: not a regular file")


def shown(path: Path | str) -> str:
    r"""Returns a path as valid text; bytes that are not UTF-8 are escaped, as in `\xff`."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def listed(texts: Iterable[str], separator: str = ", ") -> str:
    """Returns the first twenty texts joined, followed by the number of remaining ones."""
    texts = list(texts)
    more = [f"and {len(texts) - SHOWN:,} more"] if len(texts) > SHOWN else []
    return separator.join([*texts[:SHOWN], *more])
