"""A folder of class folders, or of train/, validation/ and test/ with class folders in them."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from imgcls.errors import DataError
from imgcls.images.find import Finder
from imgcls.images.pictures import SPLIT_NAMES, Found, Pictures, check_names, listed, shown

FilesByClass = dict[str, list[Path]]


def find(
    folder: Path,
    classes: tuple[str, ...] | None = None,
    others: Mapping[str, Path | None] | None = None,
) -> Found:
    """Returns the pictures in a folder, labelled by the class folders that they stand in.

    Args:
        folder: it holds class folders, or train/, validation/ (val/, valid/) and test/ which do.
        classes: their names in the order wanted; otherwise the class folders in alphabetical order.
        others: folders for `validation` or `test` that stand elsewhere; None leaves that split out.

    Raises:
        DataError: if there are no class folders or no pictures, or classes that are not in
            `classes` or the training folder.
    """
    finder = Finder()
    wanted = {**_splits(finder, folder), **(others or {})}
    places = {split: place for split, place in wanted.items() if place is not None}
    by_split = {split: _by_class(finder, place) for split, place in places.items()}
    first = by_split.get("train", next(iter(by_split.values())))
    check_names(first, shown(folder))
    names = tuple(first) if classes is None else classes
    notes = list(finder.notes())
    for split, by_class in by_split.items():
        _check_known(by_class, names, places[split], given=classes is not None)
        lacking = [name for name in names if not by_class.get(name)]
        if lacking and split != "train":
            notes.append(f"{shown(places[split])}: no images of {listed(map(repr, lacking))}")
    splits = {split: _numbered(by_class, names) for split, by_class in by_split.items()}
    return Found(names, splits, source=shown(folder), notes=tuple(notes))


def _splits(finder: Finder, folder: Path) -> dict[str, Path]:
    """Returns where each split's class folders are: all in `folder`, or in folders of their own."""
    inside = finder.folders(folder)
    if not inside:
        raise _no_classes(finder, folder)
    splits: dict[str, Path] = {}
    for each in inside:
        split = SPLIT_NAMES.get(each.name.lower())
        if split in splits:
            raise DataError(
                f"{shown(folder)}: {splits[split].name}/ and {each.name}/ mean the same"
            )
        if split is not None:
            splits[split] = each
    strangers = [each for each in inside if each not in splits.values()]
    if not strangers:
        return splits
    if ("train" in splits and len(splits) > 1) or any(
        finder.has_folders(each) and not finder.has_pictures(each) for each in splits.values()
    ):
        names = listed(f"{shown(each.name)}/" for each in strangers)
        beside = listed(f"{each.name}/" for each in splits.values())
        raise DataError(
            f"{shown(folder)}: {names} beside {beside}; "
            "a folder holds either class folders or train/, validation/ and test/"
        )
    return {"train": folder}


def _no_classes(finder: Finder, folder: Path) -> DataError:
    what = "pictures but no class folders" if finder.has_pictures(folder) else "no class folders"
    return DataError(f"{shown(folder)}: {what}; expected {shown(folder)}/<class>/<image>.png")


def _by_class(finder: Finder, folder: Path) -> FilesByClass:
    inside = finder.folders(folder)
    if not inside:
        raise _no_classes(finder, folder)
    return {shown(each.name): finder.pictures(each) for each in inside}


def _check_known(
    by_class: FilesByClass, names: tuple[str, ...], place: Path, *, given: bool
) -> None:
    unknown = [name for name, files in by_class.items() if files and name not in names]
    if unknown:
        known = f"the classes are {listed(names)}" if given else "the training images have no such"
        what = "class" if len(unknown) == 1 else "classes"
        raise DataError(f"{shown(place)}: unknown {what} {listed(map(repr, unknown))}; {known}")


def _numbered(by_class: FilesByClass, names: tuple[str, ...]) -> Pictures:
    files = [by_class.get(name, []) for name in names]
    labels = np.repeat(np.arange(len(names), dtype=np.int32), [len(each) for each in files])
    return Pictures(labels, tuple(file for each in files for file in each))
