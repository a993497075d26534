"""Which folders of a data set are splits and which are classes, by their structure and names."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from imgcls.errors import DataError
from imgcls.images.find import Finder
from imgcls.images.pictures import listed, shown

UNLABELED = "unlabeled"

_DEEPEST = 5  # folders in folders that contain nothing else

_WORDS = {
    "train": ("train", "training", "trn", "trainset", "trainingset"),
    "validation": ("val", "valid", "validation", "dev", "valset", "validationset"),
    "test": ("test", "testing", "tst", "testset", "testingset"),
    UNLABELED: ("pred", "predict", "prediction", "unlabeled", "unlabelled"),
}


@dataclass(frozen=True)
class Layout:
    """Where the class folders of each split are.

    Attributes:
        splits: for each split, the folder that contains its class folders.
        notes: what was left out or looked into, one line each.
    """

    splits: dict[str, Path]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Part:
    """A folder right inside the data set's: a class or a split.

    Attributes:
        folder: as found.
        inner: the folder itself, or the innermost one if each contains nothing but the next.
        names: the names of the folders in `inner`.
        images: whether image files are right in `inner`.
    """

    folder: Path
    inner: Path
    names: frozenset[str]
    images: bool

    @property
    def split(self) -> str | None:
        return split_of(self.folder.name)

    @property
    def has_classes(self) -> bool:
        return bool(self.names) and not self.images


def look(folder: Path, classes: Iterable[str] | None = None) -> Layout:
    """Returns the layout of a data set's folder.

    Folders that contain class folders and are named like splits (`train`, `Training`,
    `seg_train`, `test_set`) are splits; folders with images right in them are classes.

    Args:
        folder: contains class folders, or a folder with class folders for each split.
        classes: names of class folders, if the user listed them.

    Raises:
        DataError: if there are no class folders, or it cannot be told whether folders are classes
            or splits.
    """
    inner, notes = _unwrapped(folder)
    parts = [_part(each) for each in Finder().folders(inner)]
    if not parts:
        raise no_classes(folder)
    if classes is not None and {shown(each.folder.name) for each in parts} & set(classes):
        return Layout({"train": inner}, notes)
    filled = [each for each in parts if each.images or each.names]
    sections = [each for each in filled if each.has_classes]
    if not sections:
        _check_not_flat_splits(inner, filled)
        return Layout({"train": inner}, notes)
    if not all(each.split for each in sections) or UNLABELED in {each.split for each in sections}:
        _check_classes(inner, filled, sections)
        return Layout({"train": inner}, notes)
    return Layout(_by_split(inner, sections), notes + _left_out(inner, parts, sections))


def split_of(name: str) -> str | None:
    """Returns the split that a folder's name stands for, `unlabeled`, or None."""
    words = re.findall(r"[a-z]+", name.lower())
    meant = {split for split, names in _WORDS.items() if not set(names).isdisjoint(words)}
    return meant.pop() if len(meant) == 1 else None


def no_classes(folder: Path) -> DataError:
    """Returns the error for a folder without class folders."""
    finder = Finder()
    what = "images but no class folders" if finder.has_pictures(folder) else "no class folders"
    return DataError(f"{shown(folder)}: {what}; expected {shown(folder)}/<class>/<image>.png")


def _innermost(folder: Path, descends: Callable[[Path, Path], bool]) -> Path:
    """Returns the folder, or the innermost one if each contains images only in the next."""
    for _ in range(_DEEPEST):  # links may lead in circles
        inside = _with_images(folder)
        if len(inside) != 1 or Finder().has_pictures(folder) or not descends(folder, inside[0]):
            break
        (folder,) = inside
    return folder


def _unwrapped(folder: Path) -> tuple[Path, tuple[str, ...]]:
    """Returns the folder that contains the classes or splits, and a note if it is further inside.

    Archives often unpack to a single folder, sometimes of the same name.
    """

    def holds_folders(_: Path, only: Path) -> bool:
        return split_of(only.name) is None and _has_folders_only(only)

    inner = _innermost(folder, holds_folders)
    note = f"{shown(folder)}: reading {shown(inner)}, the only folder with images in it"
    return inner, () if inner == folder else (note,)


def _has_folders_only(folder: Path) -> bool:
    return bool(_with_images(folder)) and not Finder().has_pictures(folder)


def _with_images(folder: Path) -> list[Path]:
    return [each for each in Finder().subfolders(folder) if Finder().holds_pictures(each)]


def _part(folder: Path) -> _Part:
    inner = _innermost(
        folder, lambda outer, only: only.name == outer.name or _has_folders_only(only)
    )
    names = frozenset(shown(each.name) for each in _with_images(inner))
    return _Part(folder, inner, names, Finder().has_pictures(inner))


def _by_split(folder: Path, sections: list[_Part]) -> dict[str, Path]:
    splits: dict[str, Path] = {}
    for each in sections:
        assert each.split is not None, "each section is named like a split"
        if each.split in splits:
            twins = f"{splits[each.split].name}/ and {each.folder.name}/"
            raise DataError(f"{shown(folder)}: {twins} both look like {each.split} images")
        splits[each.split] = each.inner
    return splits


def _left_out(folder: Path, parts: list[_Part], sections: list[_Part]) -> tuple[str, ...]:
    """Returns notes about what is next to the splits.

    Raises:
        DataError: if it is a class folder.
    """
    flat = [each for each in parts if each.images]
    strangers = [each for each in flat if each.split is None]
    if strangers:
        names = listed(f"{shown(each.folder.name)}/" for each in strangers)
        splits = listed(f"{shown(each.folder.name)}/" for each in sections)
        raise DataError(
            f"{shown(folder)}: {names} next to {splits}; "
            "a folder contains either class folders or train/, validation/ and test/"
        )
    if any(each.split == "train" for each in flat):
        raise no_classes(next(each.folder for each in flat if each.split == "train"))
    return tuple(
        f"{shown(each.folder)}: left out, its images are not in class folders" for each in flat
    )


def _check_not_flat_splits(folder: Path, parts: list[_Part]) -> None:
    """Rejects train/*.png next to test/*.png: a classifier of train against test."""
    if len(parts) > 1 and all(each.split for each in parts):
        names = listed(f"{shown(each.folder.name)}/" for each in parts)
        raise DataError(
            f"{shown(folder)}: {names} contain images but no class folders; "
            f"expected {shown(parts[0].folder)}/<class>/<image>.png, or a CSV file with the labels"
        )


def _check_classes(folder: Path, filled: list[_Part], sections: list[_Part]) -> None:
    """Rejects folders that look like splits although not all of them are named like one."""
    splits = [each for each in sections if each.split]
    others = [each for each in filled if each not in splits]
    alike = len(sections) > 1 and len(filled) == len(sections)
    # A split has two classes or more; class folders may all contain a folder `images`.
    alike = alike and len({each.names for each in sections}) == 1 and len(sections[0].names) > 1
    if splits and others and (alike or any(_named_exactly(each) for each in splits)):
        names = listed(f"{shown(each.folder.name)}/" for each in others)
        known = listed(f"{shown(each.folder.name)}/" for each in splits)
        raise DataError(
            f"{shown(folder)}: {names} next to {known}; "
            "a folder contains either class folders or train/, validation/ and test/"
        )
    if alike:
        first, second = (shown(each.folder) for each in sections[:2])
        folders = listed(f"{shown(each.folder.name)}/" for each in sections)
        inside = listed(f"{name}/" for name in sorted(sections[0].names))
        raise DataError(
            f"{shown(folder)}: {folders} all contain {inside}, so they look like splits, not "
            "classes",
            hint=f"write folder: {first} and test: {second}, or rename them to train/ and test/; "
            "if they are classes, list them in dataset.classes",
        )


def _named_exactly(part: _Part) -> bool:
    return part.folder.name.lower() in _WORDS[part.split or "train"]
