"""Images in arrays: an npz file with x_train, y_train and optionally other splits."""

import zipfile
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgcls.errors import DataError, ImgclsError
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
from imgcls.memory import check_fits, enough_for

ArraysOfSplits = Mapping[str, NDArray[Any]]

_KEYS = tuple(f"{letter}_{split}" for split in SPLITS for letter in "xy")
_CALLED = {
    f"{letter}_{name}": f"{letter}_{SPLIT_NAMES[name]}" for name in SPLIT_NAMES for letter in "xy"
}
_CHUNK = 1024  # images converted at a time: float64 needs eight times the memory


def load(file: Path, classes: tuple[str, ...] | None = None) -> Found:
    """Returns the labeled images of an npz file, with a note on similarly named arrays left out.

    Args:
        file: has the arrays that `find` accepts; validation may be called val or valid.
        classes: class names; None uses the label numbers as names.

    Raises:
        DataError: if the file cannot be read or its arrays are invalid.
    """
    arrays, names = _read(file)
    left_out = [
        name
        for name in names
        if name.lower().startswith(("x_", "y_")) and name.lower() not in _CALLED
    ]
    notes = (f"left out: {listed(left_out)}",) if left_out else ()
    return replace(find(arrays, shown(file), classes), notes=notes)


def read(file: Path) -> dict[str, NDArray[Any]]:
    """Returns the arrays of an npz file by name: x_train, y_train, x_validation and so on.

    Raises:
        DataError: if the file cannot be read, or has arrays that need pickle.
    """
    return _read(file)[0]


def _read(file: Path) -> tuple[dict[str, NDArray[Any]], list[str]]:
    """Returns the arrays of all splits by their canonical names, and all names in the file."""
    try:
        check_opens(file)
        with file.open("rb") as stream:  # np.load does not close a file that it opened if it fails
            _check_archive(stream.read(6), file)
            stream.seek(0)
            stored = np.load(stream, allow_pickle=False)
            names = list(stored)
            keys = _by_key(names, file)
            # A file of 2 MB may hold gigabytes of zeros.
            with enough_for(f"{shown(file)}, unpacked,"):
                check_fits(sum(_sizes(stored.zip, keys.values())))
            arrays = {key: stored[name] for key, name in keys.items()}
    except ImgclsError:
        raise
    except FileNotFoundError:
        raise DataError(f"{shown(file)}: no such file") from None
    except ValueError as error:
        raise DataError(
            f"{shown(file)}: not an npz file of plain arrays; save numbers with numpy.savez"
        ) from error
    except Exception as error:  # zipfile, decompressors, NumPy: many kinds
        reason = str(error) or type(error).__name__
        raise DataError(f"{shown(file)}: cannot be read: {reason}") from error
    if not arrays:
        raise DataError(f"{shown(file)}: no array {listed(_KEYS)}; it has {listed(names)}")
    for key, array in arrays.items():
        if not isinstance(array, np.ndarray):  # NumPy returns other data as bytes
            raise DataError(f"{shown(file)}: {key} is no array; save numbers with numpy.savez")
    return arrays, names


def _sizes(archive: zipfile.ZipFile, names: Collection[str]) -> Iterator[int]:
    """Yields the number of bytes of each array, uncompressed."""
    for each in archive.infolist():
        if each.filename.removesuffix(".npy") in names:
            yield each.file_size


def _check_archive(magic: bytes, file: Path) -> None:
    """Checks that a file is a zip archive; NumPy would read all of a single array first."""
    if magic == b"\x93NUMPY":
        raise DataError(f"{shown(file)}: one array, not an npz file; see numpy.savez")
    if not magic.startswith(b"PK"):
        raise ValueError("it is no archive")


def _by_key(names: Iterable[str], file: Path) -> dict[str, str]:
    """Returns the name in the file for each canonical name."""
    by_key: dict[str, str] = {}
    for name in names:
        key = _CALLED.get(name.lower())
        if key in by_key:
            raise DataError(f"{shown(file)}: {by_key[key]} and {name} mean the same")
        if key is not None:
            by_key[key] = name
    return by_key


def find(arrays: ArraysOfSplits, source: str, classes: tuple[str, ...] | None = None) -> Found:
    """Returns the labeled images in arrays.

    Args:
        arrays: `x_SPLIT` [n, height, width] or [n, height, width, 1 or 3], 0..255 or 0..1, and
            `y_SPLIT`, whole numbers [n] or [n, 1].
        source: the origin of the arrays, for messages.
        classes: class names; None uses the label numbers as names.

    Raises:
        DataError: if an array is missing, or if its shape or values are not as described.
    """
    splits = {}
    highest: float | None = None
    for split in SPLITS:
        x, y = arrays.get(f"x_{split}"), arrays.get(f"y_{split}")
        if x is None and y is None:
            continue
        if x is None or y is None:
            raise DataError(f"{source}: {'x' if x is None else 'y'}_{split} is missing")
        where = f"{source}: x_{split}"
        labels = _labels(y, f"{source}: y_{split}")
        x = _with_channels(x, where)
        if len(x) != len(labels):
            raise DataError(f"{where} has {len(x):,} images, y_{split} {len(labels):,} labels")
        # One scale for all splits: a dark test set may have no value above 1.
        highest = _highest(x) if highest is None else highest
        splits[split] = Pictures(labels, pixels=_pixels(x, highest, where))
    _check_alike(splits, source)
    names = _names(splits, source) if classes is None else classes
    check_names(names, source)
    for split, pictures in splits.items():
        _check_range(pictures.labels, names, f"{source}: y_{split}")
    return Found(names, splits, source=source)


def _labels(y: NDArray[Any], where: str) -> NDArray[np.int32]:
    if y.ndim == 2 and y.shape[1] > 1:  # noqa: PLR2004 - [n, class]
        raise DataError(f"{where} must be whole numbers [n], got {_kind(y)}; use argmax(axis=1)")
    if not (y.ndim == 1 or (y.ndim == 2 and y.shape[1] == 1)) or y.dtype.kind not in "iu":  # noqa: PLR2004
        raise DataError(f"{where} must be whole numbers [n], got {_kind(y)}")
    labels = y.reshape(-1)
    limits = np.iinfo(np.int32)
    if len(labels) and (labels.min() < 0 or labels.max() > limits.max):
        at = int(np.argmax((labels < 0) | (labels > limits.max)))
        raise DataError(f"{where}[{at}]: must be a class from 0 on, got {labels[at]}")
    return labels.astype(np.int32)


def _highest(x: NDArray[Any]) -> float:
    """Returns the value of white: 1 for booleans and floats in 0..1, otherwise 255."""
    if x.dtype == np.bool_:
        return 1.0
    # `_pixels` reports infinity.
    shares = x.dtype.kind == "f" and not (np.isfinite(x) & (x > 1)).any()
    return 1.0 if shares else 255.0


def _with_channels(x: NDArray[Any], where: str) -> NDArray[Any]:
    """Returns the images with shape [n, height, width, channel]."""
    kind = _kind(x)
    if x.ndim == 3:  # noqa: PLR2004 - [n, height, width]
        x = x[..., np.newaxis]
    if x.ndim != 4 or x.shape[3] not in {1, 3} or not x.size or x.dtype.kind not in "biuf":  # noqa: PLR2004
        last = "; put the channels last" if x.ndim == 4 and x.shape[1] in {1, 3} else ""  # noqa: PLR2004
        raise DataError(
            f"{where} must be numbers [n, height, width] or [n, height, width, 1 or 3], "
            f"got {kind}{last}"
        )
    return x


def _pixels(x: NDArray[Any], highest: float, where: str) -> NDArray[np.uint8]:
    if x.dtype == np.uint8 and highest > 1:
        return np.ascontiguousarray(x)
    pixels = np.empty(x.shape, np.uint8)
    for start in range(0, len(x), _CHUNK):
        values = x[start : start + _CHUNK].astype(np.float64)
        # Written so that NaN fails, too.
        right = (values >= 0) & (values <= highest)
        if highest > 1:
            right &= values == np.rint(values)
        if not right.all():
            at = np.unravel_index(int(np.argmin(right)), right.shape)
            wanted = "whole numbers 0 to 255, or 0 to 1" if highest > 1 else "0 to 1"
            raise DataError(
                f"{where}[{start + at[0]}] must have values {wanted}, got {values[at]:g}"
            )
        pixels[start : start + _CHUNK] = np.rint(values * (255 / highest))
    return pixels


def _kind(array: NDArray[Any]) -> str:
    return f"{array.dtype} {list(array.shape)}"


def _check_alike(splits: dict[str, Pictures], source: str) -> None:
    shapes = {
        split: pictures.pixels.shape[1:]
        for split, pictures in splits.items()
        if pictures.pixels is not None
    }
    if len(set(shapes.values())) > 1:
        listing = listed(f"x_{split} {list(shape)}" for split, shape in shapes.items())
        raise DataError(f"{source}: images must have one size in all splits, got {listing}")


def _names(splits: dict[str, Pictures], source: str) -> tuple[str, ...]:
    """Returns the training labels as names; they must be 0, 1, 2, ... without gaps."""
    labels = splits["train" if "train" in splits else next(iter(splits))].labels
    present = np.unique(labels)
    gaps = np.flatnonzero(present != np.arange(len(present)))
    if np.array_equal(present, np.arange(1, len(present) + 1)):
        raise DataError(
            f"{source}: the labels are 1 to {present[-1]}, but must start at 0; subtract 1 from "
            "all of them"
        )
    if len(gaps):
        raise DataError(f"{source}: no training images of class {gaps[0]}, but of {present[-1]}")
    return tuple(map(str, range(len(present))))


def _check_range(labels: NDArray[np.int32], names: tuple[str, ...], where: str) -> None:
    if len(labels) and labels.max() >= len(names):
        at = int(np.argmax(labels >= len(names)))
        shifted = labels.min() == 1 and labels.max() == len(names)
        advice = "; subtract 1 from all labels" if shifted else ""
        raise DataError(
            f"{where}[{at}]: must be a class from 0 to {len(names) - 1}, got {labels[at]}{advice}"
        )
