"""A folder of class folders, or of a folder with class folders for each split."""

from collections import Counter
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path

import numpy as np

from imgcls.errors import DataError
from imgcls.images import layout
from imgcls.images.find import Finder
from imgcls.images.pictures import Found, Pictures, check_names, listed, shown

FilesByClass = dict[str, list[Path]]


def find(
    folder: Path,
    classes: tuple[str, ...] | None = None,
    others: Mapping[str, Path | None] | None = None,
    *,
    selected: bool = False,
) -> Found:
    """Returns the images in a folder, labeled by the class folders that they are in.

    Args:
        folder: contains class folders, or folders for the splits that do (see `layout`).
        classes: their names in the order wanted; otherwise the class folders in alphabetical order.
        others: folders for `validation` or `test` that are elsewhere; None leaves that split out.
        selected: whether `classes` selects class folders, so that others are left out; otherwise
            another one is an error.

    Raises:
        DataError: if there are no class folders or no images, or classes that are not in
            `classes` or the training folder, or if most of a class's files cannot be read.
    """
    finder = Finder()
    shape = layout.look(folder, classes)
    wanted = {**shape.splits, **(others or {})}
    places = {split: place for split, place in wanted.items() if place is not None}
    by_split = {split: _by_class(finder, place, classes) for split, place in places.items()}
    first = by_split.get("train", next(iter(by_split.values())))
    check_names((name for name, files in first.items() if files), shown(folder))
    names = tuple(name for name, files in first.items() if files) if classes is None else classes
    notes = [*shape.notes, *finder.notes()]
    for split, by_class in by_split.items():
        notes += _left_out(by_class, names, places[split], selected=selected)
        _check_known(by_class, names, places[split], given=classes is not None)
        lacking = [name for name in names if not by_class.get(name)]
        if lacking and split != "train":
            notes.append(f"{shown(places[split])}: no images of {listed(map(repr, lacking))}")
    splits = {split: _numbered(by_class, names) for split, by_class in by_split.items()}
    return Found(names, splits, source=shown(folder), notes=tuple(notes))


def _by_class(finder: Finder, folder: Path, classes: tuple[str, ...] | None) -> FilesByClass:
    inside = finder.folders(folder)
    if not inside:
        raise layout.no_classes(folder)
    found: FilesByClass = {}
    for each in inside:
        before = Counter(finder.unreadable)
        name, files = shown(each.name), finder.pictures(each)
        lost = finder.unreadable - before
        if lost.total() > len(files) and (classes is None or name in classes):
            total = lost.total() + len(files)
            endings = listed(f"{count:,} {ending}" for ending, count in lost.most_common())
            raise DataError(
                f"{shown(each)}: {lost.total():,} of {total:,} images are in a format that cannot "
                f"be read ({endings}); convert them to JPEG or PNG"
            )
        if name in found:
            raise DataError(f"{shown(folder)}: two folders have names that are shown as {name!r}")
        found[name] = files
    return found


def _left_out(
    by_class: FilesByClass, names: tuple[str, ...], place: Path, *, selected: bool
) -> list[str]:
    """Removes the folders that are no classes of this data set, and returns notes about them."""
    empty = [name for name, files in by_class.items() if not files and name not in names]
    others = [name for name in by_class if name not in names and name not in empty]
    for name in [*empty, *(others if selected else ())]:
        del by_class[name]
    notes = []
    if empty:
        notes.append(f"{shown(place)}: left out, no images in {listed(map(repr, empty))}")
    if others and selected:
        notes.append(f"{shown(place)}: not in dataset.classes: {listed(map(repr, others))}")
    return notes


def _check_known(
    by_class: FilesByClass, names: tuple[str, ...], place: Path, *, given: bool
) -> None:
    unknown = [name for name in by_class if name not in names]
    if not unknown:
        return
    what = "class" if len(unknown) == 1 else "classes"
    known = f"the classes are {listed(names)}" if given else "the training images have no such"
    folded = {name.casefold(): name for name in names}
    close = get_close_matches(unknown[0].casefold(), folded, n=1)
    advice = f"; did you mean {folded[close[0]]!r}?" if close else ""
    raise DataError(f"{shown(place)}: unknown {what} {listed(map(repr, unknown))}; {known}{advice}")


def _numbered(by_class: FilesByClass, names: tuple[str, ...]) -> Pictures:
    files = [by_class.get(name, []) for name in names]
    labels = np.repeat(np.arange(len(names), dtype=np.int32), [len(each) for each in files])
    return Pictures(labels, tuple(file for each in files for file in each))
