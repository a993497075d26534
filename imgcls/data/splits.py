"""Divides the images into splits; splits that the data does not define are drawn, stratified.

scikit-learn draws with NumPy's `RandomState`, which gives the same numbers on every machine.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from imgcls.errors import ConfigError, DataError
from imgcls.images.pictures import Found, Pictures, listed

AUTO_SHARE = 0.1

SplitSource = float | Path | Literal["auto", "none"]


@dataclass(frozen=True)
class Divided:
    """A dataset with all requested splits.

    Attributes:
        found: the dataset; its notes include those on the splits.
        origins: for each split, the split of the source that its images come from, and their
            indices there, int64 [n].
        made: the fraction of each split that was drawn, 0..1.
    """

    found: Found
    origins: dict[str, tuple[str, NDArray[np.int64]]]
    made: dict[str, float]


def divide(
    found: Found, *, validation: SplitSource, test: SplitSource, subset: int | None, seed: int
) -> Divided:
    """Returns the dataset with the requested splits, disjoint, each in the order of the source.

    Fractions refer to the training images of the data. The test images are drawn first, so that
    they do not depend on `validation`. The image of a class with a single one stays in training.

    Args:
        found: the dataset as it was found.
        validation: a fraction, 0..1; `none`; `auto`, which is the split of the data or, if it has
            none, a fraction of 0.1; or a folder, whose images are already in `found`.
        test: likewise.
        subset: the maximum number of training images, or None.
        seed: the seed for drawing.

    Raises:
        ConfigError: if a fraction is given for a split that the data has, if the fractions leave no
            training images, or if `subset` is less than the number of classes.
        DataError: if there are too few images.
    """
    train = found.splits["train"]
    left = np.arange(len(train.labels))
    origins: dict[str, tuple[str, NDArray[np.int64]]] = {}
    notes = list(found.notes)
    parts = {"test": test, "validation": validation}
    shares = _shares(found, parts)
    for split, part in parts.items():
        if split in shares:
            asked = round(shares[split] * len(train.labels))
            drawn = draw(train.labels[left], asked, seed, split)
            notes += _other_count(split, shares[split], len(train.labels), len(drawn))
            origins[split] = ("train", left[drawn])
            left = np.delete(left, drawn)
        elif part != "none":
            origins[split] = (split, np.arange(len(found.splits[split].labels)))
    if subset is not None:
        left = left[_kept(train.labels[left], subset, seed, len(found.classes), notes)]
    origins["train"] = ("train", left)
    splits = {
        split: found.splits[origin].take(chosen) for split, (origin, chosen) in origins.items()
    }
    notes += [note for split in shares for note in _missing(splits, split, found.classes)]
    return Divided(replace(found, splits=splits, notes=tuple(notes)), origins, shares)


def _shares(found: Found, parts: dict[str, SplitSource]) -> dict[str, float]:
    """Returns the fraction of each split that has to be drawn."""
    shares: dict[str, float] = {}
    for split, part in parts.items():
        if part == "none":
            continue
        if split not in found.splits:
            shares[split] = part if isinstance(part, float) else AUTO_SHARE
        elif isinstance(part, float):
            message = f"{found.source} has {split} images of its own; write auto, or leave out"
            raise ConfigError.at(f"dataset.{split}", message)
    if sum(shares.values()) >= 1:
        said = next(split for split in shares if parts[split] != "auto")
        names = [
            f"{split} (auto: {AUTO_SHARE})" if parts[split] == "auto" else split
            for split in ("validation", "test")
        ]
        message = f"{' and '.join(names)} take {sum(shares.values()):g} of the images; leave some"
        raise ConfigError.at(f"dataset.{said}", message)
    return shares


def _other_count(split: str, share: float, images: int, drawn: int) -> list[str]:
    """Returns a note if `draw` drew another number of images than requested."""
    asked = round(share * images)
    if drawn == asked:
        return []
    why = ", one a class" if drawn > asked else "; the others are needed for training"
    return [f"{split}: {drawn:,} images, not {asked:,} ({share:g} of {images:,}){why}"]


def draw(labels: NDArray[np.int32], count: int, seed: int, what: str) -> NDArray[np.int64]:
    """Returns the indices of a stratified sample of the labels, int64 [n], in ascending order.

    The last image of a class is never drawn.

    Args:
        labels: int32 [n].
        count: the number of images; changed if it is too small or too large to stratify.
        seed: the seed for drawing.
        what: the name of the split, for messages.

    Raises:
        DataError: if no class has more than one image.
    """
    from sklearn.model_selection import train_test_split  # 1 s

    counts = np.bincount(labels)
    several = np.flatnonzero(counts[labels] > 1)
    classes = int((counts > 1).sum())
    if not classes:
        raise DataError(f"one image a class is too few to make {what} images; give {what}: none")
    # Both parts need at least one image per class to be stratified.
    count = min(max(count, classes), len(several) - classes)
    _, drawn = train_test_split(
        several, test_size=count, stratify=labels[several], random_state=seed % 2**32
    )
    return _without_last(drawn, labels)


def _without_last(drawn: NDArray[np.int64], labels: NDArray[np.int32]) -> NDArray[np.int64]:
    """Puts back the first image of a class drawn entirely; one of the largest class replaces it."""
    left = np.ones(len(labels), bool)
    left[drawn] = False
    counts = np.bincount(labels[left], minlength=labels.max() + 1)
    for lost in np.setdiff1d(labels, np.flatnonzero(counts)):
        largest = int(counts.argmax())
        left[np.argmax(labels == lost)] = True
        left[np.flatnonzero(left & (labels == largest))[0]] = False
        counts[largest] -= 1
        counts[lost] += 1
    return np.flatnonzero(~left)


def _kept(
    labels: NDArray[np.int32], subset: int, seed: int, classes: int, notes: list[str]
) -> NDArray[np.int64]:
    everything = np.arange(len(labels))
    if subset >= len(labels):
        notes.append(f"subset is {subset:,}, but there are {len(labels):,} training images")
        return everything
    if subset < classes:
        message = f"{subset} images are too few for {classes} classes"
        raise ConfigError.at("dataset.subset", message)
    if len(labels) - subset < classes:
        # Too few images would be left out to stratify them, and too few to matter.
        notes.append(f"subset is {subset:,}; all of the {len(labels):,} training images are used")
        return everything
    return np.delete(everything, draw(labels, len(labels) - subset, seed, "subset"))


def _missing(splits: dict[str, Pictures], split: str, classes: tuple[str, ...]) -> list[str]:
    present = set(np.unique(splits[split].labels))
    missing = [repr(name) for number, name in enumerate(classes) if number not in present]
    return [f"too few images of {listed(missing)} for {split}; all are in train"] if missing else []
