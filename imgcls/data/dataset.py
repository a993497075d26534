"""Loads a dataset into memory: each image is decoded and resized once, in the splits of the run."""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np

from imgcls.config.components.datasets import Dataset
from imgcls.config.components.datasets.own import ImageFiles
from imgcls.config.data_spec import DataSpec
from imgcls.data.fingerprint import manifest
from imgcls.data.reading import Reader, Split
from imgcls.data.splits import Divided, divide
from imgcls.errors import ConfigError, DataError
from imgcls.events import EventSink
from imgcls.images import arrays, folders, table
from imgcls.images.buffers import left
from imgcls.images.decode import BadImageError, measure
from imgcls.images.load import patiently
from imgcls.images.pictures import SPLITS, Found, Pictures, check_trainable, listed, shown
from imgcls.images.resize import Mode
from imgcls.images.threads import in_threads
from imgcls.memory import amount, enough_for

__all__ = ["Data", "Split", "load", "load_labelled"]


EXAMPLES = 3
"""Number of files that are listed for each reason why images cannot be read."""


@dataclass(frozen=True)
class Data:
    """A dataset that is ready for the input pipeline.

    Attributes:
        spec: the data spec, without mean and variance; a label is an index into its classes.
        splits: the splits that were read, by name: train, validation, test.
        manifest: the content of a run's data.json.
    """

    spec: DataSpec
    splits: dict[str, Split]
    manifest: dict[str, Any]


def load(
    dataset: Dataset,
    seed: int,
    report: EventSink,
    *,
    only: Collection[str] = SPLITS,
    stored: tuple[int, int] | None = None,
    fetch: bool = False,
) -> Data:
    """Returns the images of a dataset.

    Args:
        dataset: the `dataset` section of the config.
        seed: the seed for drawing splits.
        report: receives events.
        only: the splits to read; for the others, only the headers of files are checked.
        stored: height and width in which a model's training images were stored; None decides here.
            With it, the headers of other splits are not read.
        fetch: whether a published dataset that is not found locally may be downloaded.

    Raises:
        DataError: if the data is missing or invalid, with the location.
        ConfigError: if a key does not match the data, or if `size` needs more space than there is.
        ResourceError: if there is not enough memory or disk space.
    """
    found = _found(dataset, report, fetch=fetch)
    divided = divide(
        found, validation=dataset.validation, test=dataset.test, subset=dataset.subset, seed=seed
    )
    pictures = divided.found.splits
    headers = _Headers()
    known = stored is not None and dataset.size is not None  # a run has recorded them
    own = None if known else _own_size(divided.found, dataset.size, headers)
    size = dataset.size or own
    assert size is not None, "files have a size in the config, arrays one of their own"
    stored = stored or _stored(own, size, dataset.resize)
    total = sum(len(pictures[split].labels) for split in pictures if split in only)
    channels = dataset.channels or _own_channels(found)
    reader = Reader(total, stored, channels, dataset.resize, report)
    _check_room(reader, own)
    splits = _read(divided, only, reader)
    skips = isinstance(dataset, ImageFiles) and dataset.on_bad_image == "skip"
    rest = [] if known else [split for split in pictures if split not in only]
    bad = [*reader.bad, *headers.errors([file for each in rest for file in pictures[each].files])]
    if bad and not skips:
        all_bad = len(bad) == sum(len(each.files) for each in pictures.values())
        hint = None if all_bad else "dataset.on_bad_image: skip leaves them out"
        raise _refusal(bad, found.source, hint)
    _check_left(bad, divided.found, splits)
    return Data(
        spec=DataSpec(
            classes=found.classes,
            size=size,
            stored=stored,
            channels=cast("Literal[1, 3]", reader.channels),
            resize=dataset.resize,
        ),
        splits=splits,
        manifest=manifest(divided, splits, reader, size),
    )


def _found(dataset: Dataset, report: EventSink, *, fetch: bool) -> Found:
    if fetch:
        dataset.fetch(report)
    with enough_for("the dataset"):
        found = dataset.find()
    check_trainable(found)
    return found


def load_labelled(
    path: Path,
    spec: DataSpec,
    report: EventSink | None = None,
) -> Split:
    """Returns other labeled images, in the form that a network with this data spec expects.

    Args:
        path: a folder of class folders, a CSV file or an npz file. If it has several splits, the
            test images are used.
        spec: the data spec of the network. Folders and labels are matched by class name, the
            labels of an npz file by index; `table.find` describes numbers in a CSV file.
        report: receives events, or None.

    Raises:
        DataError: if an image cannot be read or a class is not one of the model's.
    """
    with enough_for(shown(path)):
        found = _labelled(path, spec.classes)
    split = "test" if "test" in found.splits else next(iter(found.splits))
    if split != "test" and len(found.splits) > 1:
        raise DataError(f"{shown(path)}: has {listed(found.splits)} images, but no test images")
    pictures = found.splits[split]
    if not len(pictures.labels):
        raise DataError(f"{shown(path)}: no images")
    reader = Reader(
        len(pictures.labels), spec.stored, spec.channels, spec.resize, report or (lambda _: None)
    )
    with enough_for(shown(path)):
        loaded = reader.read(pictures, (split, np.arange(reader.total)))
    if reader.bad:
        raise _refusal(reader.bad, found.source)
    return loaded


def _labelled(path: Path, classes: tuple[str, ...]) -> Found:
    if path.is_dir() or not path.exists():
        return folders.find(path, classes)
    if path.suffix.lower() == ".npz":
        return arrays.load(path, classes)
    return table.find(path, None, classes)


def _read(divided: Divided, only: Collection[str], reader: Reader) -> dict[str, Split]:
    with enough_for("the dataset"):
        return {
            split: reader.read(divided.found.splits[split], divided.origins[split])
            for split in SPLITS
            if split in divided.found.splits and split in only
        }


class _Headers:
    """The headers of image files, each read at most once."""

    def __init__(self) -> None:
        self._known: dict[Path, tuple[int, int] | BadImageError] = {}

    def read(self, files: Sequence[Path]) -> list[tuple[int, int] | BadImageError]:
        """Returns height and width of each file, or why its header cannot be read."""
        new = [file for file in files if file not in self._known]
        found = in_threads(lambda at: _header(new[at]), len(new))
        self._known.update(zip(new, found, strict=True))
        return [self._known[file] for file in files]

    def errors(self, files: Sequence[Path]) -> list[BadImageError]:
        """Returns the errors in the headers of files that are not decoded yet, to report early."""
        return [each for each in self.read(files) if isinstance(each, BadImageError)]


def _header(file: Path) -> tuple[int, int] | BadImageError:
    try:
        return patiently(lambda: measure(file))
    except BadImageError as error:
        return error


def _check_room(reader: Reader, own: tuple[int, int] | None) -> None:
    """Rejects sizes that exceed memory and disk space, before anything is allocated."""
    needed = reader.total * math.prod(reader.size) * reader.channels
    there, words = left()
    if needed > there and reader.size != own:  # arrays that are not resized are already in memory
        height, width = reader.size
        raise ConfigError.at(
            "dataset.size",
            f"{reader.total:,} images of {height} x {width} pixels need {amount(needed)}; "
            f"{words} are free",
        )


def _own_channels(found: Found) -> int:
    pixels = found.splits["train"].pixels
    assert pixels is not None, "files have channels in the config"
    return int(pixels.shape[3])


def _own_size(
    found: Found, wanted: tuple[int, int] | None, headers: _Headers
) -> tuple[int, int] | None:
    """Returns the height and width that all images have, if `wanted` may enlarge them, or None."""
    first = found.splits["train"]
    if first.pixels is not None:
        return first.pixels.shape[1], first.pixels.shape[2]
    files = [file for pictures in found.splits.values() for file in pictures.files]
    each = (headers.read([file])[0] for file in files)
    known = next((size for size in each if isinstance(size, tuple)), None)
    if known is None or wanted is None or known[0] > wanted[0] or known[1] > wanted[1]:
        return None  # one image to shrink settles it, without opening all files
    sizes = {size for size in headers.read(files) if isinstance(size, tuple)}
    return known if len(sizes) == 1 else None


def _stored(own: tuple[int, int] | None, size: tuple[int, int], resize: Mode) -> tuple[int, int]:
    """Returns the stored size: the images' own if `size` only enlarges them, otherwise `size`."""
    if own is None or own[0] > size[0] or own[1] > size[1]:
        return size
    alike = own[0] * size[1] == own[1] * size[0]
    return own if resize == "stretch" or alike else size


def _refusal(bad: list[BadImageError], source: str, hint: str | None = None) -> DataError:
    count = "1 image" if len(bad) == 1 else f"{len(bad):,} images"
    by_reason: dict[str, list[BadImageError]] = {}
    for error in bad:
        by_reason.setdefault(error.reason, []).append(error)
    lines: list[str] = []
    for reason, errors in by_reason.items():
        few = errors if len(errors) <= EXAMPLES + 1 else errors[:EXAMPLES]
        lines += map(str, few)
        if len(few) < len(errors):
            lines.append(f"and {len(errors) - len(few):,} more: {reason}")
    return DataError(f"{source}: {count} cannot be read\n  " + listed(lines, "\n  "), hint=hint)


def _check_left(bad: list[BadImageError], found: Found, splits: dict[str, Split]) -> None:
    """Checks that the dataset is still valid without the bad images."""
    if not bad:
        return
    paths = {error.path for error in bad}
    for split, pictures in found.splits.items():
        if pictures.files and paths.issuperset(pictures.files):
            raise DataError(f"{found.source}: none of the {split} images can be read")
    if "train" in splits:
        left = {
            split: Pictures(images.labels, pixels=images.pixels) for split, images in splits.items()
        }
        check_trainable(replace(found, splits=left))
