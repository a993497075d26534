"""Describes published datasets and their files; imports nothing that takes time."""

from dataclasses import dataclass
from typing import Literal

Format = Literal["npz", "idx", "cifar10", "cifar100"]
"""How a dataset is published: an npz file, four gzipped IDX files, or pickles in a tar archive."""


@dataclass(frozen=True)
class Remote:
    """A published file.

    Attributes:
        url: its address.
        bytes: its size.
        sha256: the hexadecimal digest of its content.
    """

    url: str
    bytes: int
    sha256: str

    @property
    def name(self) -> str:
        """The file name, which is the last part of its address."""
        return self.url.rpartition("/")[2]


@dataclass(frozen=True)
class Publication:
    """A dataset as it is published.

    Attributes:
        format: the format of the files, which determines the function that reads them.
        files: the files to download.
        folder: the name of the only folder in the archive; empty if it is not an archive.
        kept: the folders in which Keras keeps the files, relative to its dataset folder.
    """

    format: Format
    files: tuple[Remote, ...]
    folder: str = ""
    kept: tuple[str, ...] = ()

    @property
    def bytes(self) -> int:
        """The total size of the download."""
        return sum(file.bytes for file in self.files)

    @property
    def source(self) -> str:
        """The address of its only file, or of the folder that contains its files."""
        url = self.files[0].url
        return url if len(self.files) == 1 else url.rpartition("/")[0] + "/"
