"""Reads published datasets: four gzipped IDX files, or pickles in a folder or an archive."""

import gzip
import io
import tarfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgcls import files
from imgcls.downloads.remote import Format, Publication
from imgcls.errors import DataError
from imgcls.images import pickles
from imgcls.images.pictures import shown

NamedArrays = dict[str, NDArray[Any]]

_LARGEST = 2**28  # bytes; the largest published file has 186 MB when unpacked
_PLAIN = {tarfile.REGTYPE, tarfile.AREGTYPE}
_SIDE = 32  # pixels: height and width of CIFAR images
_BYTES = b"\0\0\x08"  # the start of an IDX file of bytes


def in_folder(publication: Publication, folder: Path) -> NamedArrays:
    """Returns the arrays of a dataset whose published files are in a folder.

    Raises:
        DataError: if a file is missing or damaged.
    """

    def content(name: str) -> bytes:
        with (folder / name).open("rb") as stream:
            return _bounded(stream.read)

    return _READERS[publication.format](Files(shown(folder), content))


def in_memory(publication: Publication, contents: dict[str, bytes]) -> NamedArrays:
    """Returns the arrays of a dataset whose published files were downloaded.

    Args:
        publication: describes the files.
        contents: the files by name; they are removed from it, since an archive needs much memory.

    Raises:
        DataError: if a file is missing or damaged.
    """
    if publication.folder:
        name, packed = contents.popitem()
        content = _archived(name, packed, publication.folder)
        return _READERS[publication.format](Files(name, content))
    return _READERS[publication.format](Files(publication.source.rstrip("/"), contents.pop))


@dataclass(frozen=True)
class Files:
    """Published files in a folder or in memory.

    Attributes:
        where: their location, for messages.
        content: returns the content of the file with the given name.
    """

    where: str
    content: Callable[[str], bytes]

    def parsed(self, name: str, parse: Callable[[bytes], Any]) -> Any:  # noqa: ANN401 - the result of `parse`
        """Returns the result of a parser for a file.

        Raises:
            DataError: if the file is missing or damaged.
        """
        with _damage(f"{self.where}/{name}"):
            return parse(self.content(name))


@contextmanager
def _damage(where: str) -> Iterator[None]:
    try:
        yield
    except (OSError, EOFError, LookupError, ValueError, tarfile.TarError, zlib.error) as error:
        why = files.reason(error) if isinstance(error, OSError) else error
        raise DataError(f"{where}: cannot be read: {why}") from error


def _archived(name: str, packed: bytes, folder: str) -> Callable[[str], bytes]:
    """Returns a function that reads a file from an archive's folder, in memory only."""
    with _damage(name):
        plain = _unzipped(packed)

    def content(name: str) -> bytes:
        with tarfile.open(fileobj=io.BytesIO(plain), mode="r:") as archive:
            for member in archive:
                if member.size < 0:  # tarfile would seek backward, in an endless loop
                    raise ValueError("a member of the archive has a size below zero")
                if member.name == f"{folder}/{name}":
                    return _member(archive, member)
        raise ValueError("it is not in the archive")

    return content


def _member(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    # For a link, `extractfile` would return another member.
    stream = archive.extractfile(member) if member.type in _PLAIN else None
    if stream is None or member.issparse():
        raise ValueError("it is no plain file")
    return _bounded(stream.read)


def _unzipped(data: bytes) -> bytes:
    with gzip.GzipFile(fileobj=io.BytesIO(data)) as stream:
        return _bounded(stream.read)


def _bounded(read: Callable[[int], bytes]) -> bytes:
    data = read(_LARGEST + 1)
    if len(data) > _LARGEST:
        raise ValueError(f"it has more than {_LARGEST:,} bytes")
    return data


def _idx(found: Files) -> NamedArrays:
    """Format: http://yann.lecun.com/exdb/mnist, the IDX file format, gzipped."""
    return {
        f"{letter}_{split}": found.parsed(f"{stem}-{kind}.gz", _idx_file)
        for split, stem in (("train", "train"), ("test", "t10k"))
        for letter, kind in (("x", "images-idx3-ubyte"), ("y", "labels-idx1-ubyte"))
    }


def _idx_file(packed: bytes) -> NDArray[np.uint8]:
    data = _unzipped(packed)
    if not data.startswith(_BYTES):
        raise ValueError("it is no IDX file of bytes")
    # Byte 3 is the number of dimensions; four bytes for the size of each follow.
    shape = np.frombuffer(data, ">u4", data[3], offset=4)
    return np.frombuffer(data, np.uint8, offset=4 + 4 * data[3]).reshape(shape)


def _cifar10(found: Files) -> NamedArrays:
    train = [f"data_batch_{number}" for number in range(1, 6)]
    return _cifar(found, train, "test_batch", b"labels")


def _cifar100(found: Files) -> NamedArrays:
    return _cifar(found, ["train"], "test", b"fine_labels")


def _cifar(found: Files, train: list[str], test: str, key: bytes) -> NamedArrays:
    """Format: https://www.cs.toronto.edu/~kriz/cifar.html, the Python version."""
    read = {}
    for split, names in (("train", train), ("test", [test])):
        batches = [found.parsed(name, lambda data: _batch(data, key)) for name in names]
        pixels, labels = (np.concatenate(each) for each in zip(*batches, strict=True))
        # [n, channel, height, width] as published
        read[f"x_{split}"] = pixels.reshape(-1, 3, _SIDE, _SIDE).transpose(0, 2, 3, 1)
        read[f"y_{split}"] = labels
    return read


def _batch(data: bytes, key: bytes) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Returns pixels [n, 3072] and labels [n]."""
    batch = pickles.read(data)
    pixels, labels = batch[b"data"], batch[key]
    if not isinstance(pixels, np.ndarray) or pixels.shape[1:] != (3 * _SIDE * _SIDE,):
        raise ValueError("its data are no pictures of 32x32 pixels in 3 channels")
    if type(labels) is not list or any(type(label) is not int for label in labels):
        raise ValueError(f"its {key.decode()} are no list of whole numbers")
    return pixels, np.frombuffer(bytes(labels), np.uint8)


_READERS: dict[Format, Callable[[Files], NamedArrays]] = {
    "idx": _idx,
    "cifar10": _cifar10,
    "cifar100": _cifar100,
}
