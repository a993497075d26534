"""Picture files in folders: which there are, and the class that each folder stands for."""

import os
from collections.abc import Iterator
from pathlib import Path

from imgcls.errors import DataError
from imgcls.images.pictures import shown

EXTENSIONS = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff"})
"""What a picture's name may end in; whether it is one is for `decode` to say."""

_JUNK = frozenset({"thumbs.db", "desktop.ini", "@eadir", "__macosx", "$recycle.bin"})


class Finder:
    """Looks through folders, in the same order on every machine, and notes what it left out.

    Attributes:
        hidden: hidden files, folders and leavings of other programs that were skipped.
        others: how many files were skipped that do not look like pictures, or are no files.
        links: links to folders inside class folders; they are not followed.
    """

    def __init__(self) -> None:
        self.hidden: set[str] = set()
        self.others = 0
        self.links: list[Path] = []

    def notes(self) -> tuple[str, ...]:
        """Returns what was left out, a line each."""
        counts = {
            "hidden files or folders": len(self.hidden),
            "files that are no pictures by their names": self.others,
        }
        return (
            *(f"skipped {what}: {count:,}" for what, count in counts.items() if count),
            *(f"{shown(link)}: a link to a folder is not followed" for link in self.links),
        )

    def folders(self, folder: Path) -> list[Path]:
        """Returns the folders right inside a folder, sorted by name; links to folders count.

        Raises:
            DataError: if there is no such folder or it cannot be read, and if a link in it leads to
                itself, to what holds it, or to where another one leads.
        """
        inside = [Path(entry) for entry in self._entries(folder) if _is_folder(entry)]
        whose = {folder.resolve(): folder, **dict.fromkeys(folder.resolve().parents, folder)}
        for each in inside:
            target = each.resolve()
            if target in whose:
                raise DataError(
                    f"{shown(each)}: leads to {shown(target)}, as {shown(whose[target])} does; "
                    "its pictures would count twice"
                )
            whose[target] = each
        return inside

    def pictures(self, folder: Path) -> list[Path]:
        """Returns the picture files in a folder and its folders, sorted by path.

        Raises:
            DataError: if a folder cannot be read.
        """
        return list(self.walk(folder))

    def walk(self, folder: Path) -> Iterator[Path]:
        """Yields what `pictures` returns, as it is found."""
        for entry in self._entries(folder):
            if entry.is_dir(follow_symlinks=False):
                yield from self.walk(Path(entry))
            elif _is_folder(entry):
                self.links.append(Path(entry))
            elif self._may_be_picture(entry):
                yield Path(entry)
            else:
                self.others += 1

    def has_folders(self, folder: Path) -> bool:
        """Returns whether folders, or links to some, stand right in a folder."""
        return any(_is_folder(entry) for entry in self._entries(folder))

    def has_pictures(self, folder: Path) -> bool:
        """Returns whether picture files stand right in a folder."""
        return any(
            not _is_folder(entry) and self._may_be_picture(entry) for entry in self._entries(folder)
        )

    def _may_be_picture(self, entry: os.DirEntry[str]) -> bool:
        if os.path.splitext(entry.name)[1].lower() not in EXTENSIONS:  # noqa: PTH122 - a million
            return False
        # A dangling link stays in: it was meant to be a picture, so its absence is to be reported.
        if entry.is_symlink():
            return Path(entry).is_file() or not Path(entry).exists()
        return entry.is_file()

    def _entries(self, folder: Path) -> list[os.DirEntry[str]]:
        try:
            with os.scandir(folder) as scan:
                entries = sorted(scan, key=lambda entry: entry.name)
        except FileNotFoundError:
            raise DataError(f"{shown(folder)}: no such folder") from None
        except NotADirectoryError:
            raise DataError(f"{shown(folder)}: a file, not a folder") from None
        except OSError as error:
            raise DataError(f"{shown(folder)}: {(error.strerror or str(error)).lower()}") from error
        # A folder may be looked through twice, for folders and for pictures.
        self.hidden.update(each.path for each in entries if is_junk(each.name))
        return [each for each in entries if not is_junk(each.name)]


def _is_folder(entry: os.DirEntry[str]) -> bool:
    # Of a link that leads to itself, `DirEntry.is_dir` raises where `Path.is_dir` denies.
    return Path(entry).is_dir() if entry.is_symlink() else entry.is_dir()


def is_junk(name: str) -> bool:
    """Returns whether a file or folder is hidden or a leaving of some program."""
    return name.startswith(".") or name.lower() in _JUNK


def pictures(folder: Path) -> list[Path]:
    """Returns the picture files in a folder and its folders, sorted by path.

    Raises:
        DataError: if there is no such folder or it cannot be read.
    """
    return Finder().pictures(folder)
