"""Picture files in folders: which there are, and the class that each folder stands for."""

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from imgcls.errors import DataError
from imgcls.images.pictures import listed, shown

EXTENSIONS = frozenset(
    {
        *(".jpg", ".jpeg", ".jfif", ".jpe", ".png", ".apng", ".bmp", ".dib", ".gif", ".webp"),
        *(".tif", ".tiff", ".avif"),
    }
)
"""What an image's name may end in; whether it is one is for `decode` to say."""

UNREADABLE = frozenset(
    {
        *(".heic", ".heif", ".hif", ".jxl", ".jp2", ".j2k", ".svg", ".psd", ".eps", ".tga", ".dcm"),
        *(".ico", ".ppm", ".pgm", ".pbm", ".pnm", ".pcx", ".exr", ".hdr", ".raw", ".dng", ".cr2"),
        *(".cr3", ".nef", ".arw", ".orf", ".rw2", ".raf", ".pdf", ".nii", ".xcf", ".ai", ".wmf"),
    }
)
"""What the name of an image ends in whose format is not supported."""

_NEVER_IMAGES = frozenset(
    {
        *(".txt", ".json", ".xml", ".csv", ".md", ".html", ".yaml", ".yml", ".py", ".npy", ".npz"),
        *(".zip", ".gz", ".tar", ".log", ".db", ".pkl", ".part", ".tmp", ".crdownload", ".mat"),
    }
)
"""Endings whose files are not opened to see whether they are images."""

_MAGIC = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF8", b"BM", b"RIFF", b"II*\0", b"MM\0*")

_JUNK = frozenset({"thumbs.db", "desktop.ini", "@eadir", "__macosx", "$recycle.bin"})


class Finder:
    """Looks through folders, in the same order on every machine, and notes what it left out.

    Attributes:
        hidden: hidden files, folders and leavings of other programs that were skipped.
        others: how many files of other kinds were skipped, per ending.
        unreadable: how many images in formats that are not supported were skipped, per ending.
        links: links to folders inside class folders; they are not followed.
    """

    def __init__(self) -> None:
        self.hidden: set[str] = set()
        self.others: Counter[str] = Counter()
        self.unreadable: Counter[str] = Counter()
        self.links: list[Path] = []

    def notes(self) -> tuple[str, ...]:
        """Returns what was left out, a line each."""
        notes = []
        if self.hidden:
            notes.append(f"skipped hidden files or folders: {len(self.hidden):,}")
        if self.others:
            kinds = listed(ending or "no ending" for ending, _ in self.others.most_common())
            notes.append(f"skipped files that are not images: {self.others.total():,} ({kinds})")
        notes += [
            f"skipped {count:,} {ending}: this format cannot be read; convert them to JPEG or PNG"
            for ending, count in self.unreadable.most_common()
        ]
        notes += [f"{shown(link)}: a link to a folder is not followed" for link in self.links]
        return tuple(notes)

    def folders(self, folder: Path) -> list[Path]:
        """Returns the folders right inside a folder, sorted by name; links to folders count.

        Raises:
            DataError: if there is no such folder or it cannot be read, and if a link in it leads to
                itself, to what holds it, or to where another one leads.
        """
        inside = self.subfolders(folder)
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

    def subfolders(self, folder: Path) -> list[Path]:
        """Returns what `folders` does, wherever links in it lead.

        Raises:
            DataError: if there is no such folder or it cannot be read.
        """
        return [Path(entry) for entry in self._entries(folder) if _is_folder(entry)]

    def pictures(self, folder: Path) -> list[Path]:
        """Returns the picture files in a folder and its folders, sorted by path.

        Raises:
            DataError: if a folder cannot be read.
        """
        return list(self.walk(folder))

    def walk(self, folder: Path) -> Iterator[Path]:
        """Yields what `pictures` returns, as it is found."""
        pending = [iter(self._entries(folder))]  # not recursive: folders may be nested deeply
        while pending:
            entry = next(pending[-1], None)
            if entry is None:
                pending.pop()
            elif entry.is_dir(follow_symlinks=False):
                pending.append(iter(self._entries(Path(entry))))
            elif _is_folder(entry):
                self.links.append(Path(entry))
            elif self._may_be_picture(entry):
                yield Path(entry)
            else:
                ending = _ending(entry.name)
                (self.unreadable if ending in UNREADABLE else self.others)[ending] += 1

    def has_pictures(self, folder: Path) -> bool:
        """Returns whether picture files stand right in a folder."""
        return any(
            not _is_folder(entry) and self._may_be_picture(entry) for entry in self._entries(folder)
        )

    def holds_pictures(self, folder: Path) -> bool:
        """Returns whether images, readable or not, are in a folder or its folders."""
        return next(self.walk(folder), None) is not None or bool(self.unreadable)

    def _may_be_picture(self, entry: os.DirEntry[str]) -> bool:
        ending = _ending(entry.name)
        if ending not in EXTENSIONS:
            return ending not in UNREADABLE | _NEVER_IMAGES and _starts_like_one(entry)
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


def _ending(name: str) -> str:
    return os.path.splitext(name)[1].lower()  # noqa: PTH122 - a million


def _starts_like_one(entry: os.DirEntry[str]) -> bool:
    """Returns whether a file starts like an image, for names without a known ending."""
    try:
        if not entry.is_file():
            return False
        with open(entry.path, "rb") as file:  # noqa: PTH123 - a million
            return file.read(8).startswith(_MAGIC)
    except OSError:
        return False


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
