"""What is published where; it imports nothing that takes time."""

from dataclasses import dataclass
from typing import Literal

Format = Literal["npz", "idx", "cifar10", "cifar100"]
"""How a set is published: as an npz file, in four gzipped files, or in pickles in a tar archive."""


@dataclass(frozen=True)
class Remote:
    """A published file.

    Attributes:
        url: where it is.
        bytes: how large it is.
        sha256: of its content.
    """

    url: str
    bytes: int
    sha256: str

    @property
    def name(self) -> str:
        """The last part of its address."""
        return self.url.rpartition("/")[2]


@dataclass(frozen=True)
class Publication:
    """A data set as it is published.

    Attributes:
        format: says which function reads it.
        files: what it is downloaded in.
        folder: what the archive's only folder is called, where it is one.
        kept: where Keras keeps the files, below its folder of data sets.
    """

    format: Format
    files: tuple[Remote, ...]
    folder: str = ""
    kept: tuple[str, ...] = ()

    @property
    def bytes(self) -> int:
        """How much there is to download."""
        return sum(file.bytes for file in self.files)

    @property
    def source(self) -> str:
        """The address of its file, or of the folder of its files."""
        url = self.files[0].url
        return url if len(self.files) == 1 else url.rpartition("/")[0] + "/"
