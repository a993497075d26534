"""Rows of bytes, found by their keys, in checksummed files in the user's cache.

A file is written atomically and never changed: a line of text, the keys of its rows, their
checksums, and the rows. Damaged files are removed. If the files exceed their size limit, those used
least recently are removed, too. No other files are removed.
"""

import hashlib
import os
import re
import shutil
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from imgcls import files
from imgcls.errors import ResourceError, RunError
from imgcls.images.threads import in_threads
from imgcls.memory import amount

KEY_BYTES = 16

_NAME = re.compile(r"[0-9a-f]{16}-[0-9a-f]{32}\.rows")
_HEAD = re.compile(rb"imgcls rows 1: ([0-9]{1,15}) of ([0-9]{1,15}) bytes, ([0-9a-f]{64})\n")
_HEAD_BYTES = 200  # at most
_SUM = np.dtype("<u4")
_BLOCK = 64  # rows per job of a thread: for a single row, the overhead would be larger


@dataclass(frozen=True)
class Entry:
    """A file of rows.

    Attributes:
        path: the file.
        keys: the keys of its rows, concatenated.
        sums: the CRC-32 of each row. It detects every single-bit error and all but 2^-32 of other
            damage, and takes 0.3 s per GB; SHA-256 would take 0.7 s.
        begin: the offset of the first row in the file, in bytes.
    """

    path: Path
    keys: bytes
    sums: NDArray[np.uint32]
    begin: int

    def each_key(self) -> Iterator[bytes]:
        """Yields the key of each row."""
        return (self.keys[at : at + KEY_BYTES] for at in range(0, len(self.keys), KEY_BYTES))


class Store:
    """The cache files whose rows have the same kind and size.

    Args:
        folder: the folder of the files; it need not exist.
        kind: 16 hexadecimal digits that identify the kind; other kinds are kept in other files.
        row_bytes: the size of each row.
        allowed_bytes: the maximum total size of the files of all kinds.
    """

    def __init__(self, folder: Path, kind: str, row_bytes: int, allowed_bytes: float) -> None:
        self.folder = folder
        self.kind = kind
        self.row_bytes = row_bytes
        self.allowed_bytes = allowed_bytes

    def entries(self) -> list[Entry]:
        """Returns all files of this kind, without their rows; damaged ones are removed."""
        found = (self._entry(path) for path, _, _ in _ours(self.folder))
        return [entry for entry in found if entry is not None]

    def _entry(self, path: Path) -> Entry | None:
        if not path.name.startswith(f"{self.kind}-"):
            return None
        with suppress(RunError, OSError), files.open_regular(path) as file:
            head = _HEAD.fullmatch(file.readline(_HEAD_BYTES))
            count = int(head[1]) if head else 0
            begin = file.tell() + count * (KEY_BYTES + _SUM.itemsize)
            size = begin + count * self.row_bytes
            if head and int(head[2]) == self.row_bytes and os.fstat(file.fileno()).st_size == size:
                index = file.read(begin - file.tell())
                if self._digest(index).encode() == head[3]:
                    sums = np.frombuffer(index, _SUM, offset=count * KEY_BYTES)
                    return Entry(path, index[: count * KEY_BYTES], sums, begin)
            files.discard(path)
        return None

    def _digest(self, index: bytes) -> str:
        return hashlib.sha256(self.kind.encode() + index).hexdigest()

    def read(
        self,
        entry: Entry,
        rows: Sequence[int],
        take: Callable[[int, bytes], object],
    ) -> bool:
        """Passes rows of a file to `take`; if one is damaged, removes the file and returns False.

        Args:
            entry: the file.
            rows: the numbers of the rows to read.
            take: receives the position in `rows` and the row; it is called in several threads.

        Returns:
            Whether all rows were read intact.
        """
        try:
            with files.open_regular(entry.path) as file:
                descriptor = file.fileno()
                with suppress(OSError):  # the file may be read-only
                    os.utime(descriptor)  # the time of the last use

                # Read, not mapped: with a mapped file, a disk error would kill the process.
                def some(block: int) -> bool:
                    for at in range(block * _BLOCK, min((block + 1) * _BLOCK, len(rows))):
                        begin = entry.begin + rows[at] * self.row_bytes
                        row = os.pread(descriptor, self.row_bytes, begin)
                        if len(row) < self.row_bytes or zlib.crc32(row) != entry.sums[rows[at]]:
                            return False
                        take(at, row)
                    return True

                sound = all(list(in_threads(some, -(-len(rows) // _BLOCK))))
        except (RunError, OSError):  # removed by another process, or a failing disk
            return False
        if not sound:
            files.discard(entry.path)
        return sound

    def mapped(self, entry: Entry, shape: tuple[int, ...]) -> NDArray[np.uint8] | None:
        """Returns all rows of a file, memory-mapped and read-only; None if they are damaged."""
        if not self.read(entry, range(shape[0]), lambda _at, _row: None):
            return None
        with suppress(OSError):  # another process removed it
            return np.memmap(entry.path, np.uint8, mode="r", offset=entry.begin, shape=shape)
        return None

    def keep(self, keys: Sequence[bytes], rows: Callable[[int], memoryview]) -> None:
        """Writes a file of rows, after removing the least recently used files if space is needed.

        Args:
            keys: the keys of the rows.
            rows: returns the row for a position in `keys`.

        Raises:
            ResourceError: if there is not enough space or the file cannot be written.
        """
        sums = np.fromiter((zlib.crc32(rows(at)) for at in range(len(keys))), _SUM, len(keys))
        index = b"".join(keys) + sums.tobytes()
        digest = self._digest(index)
        head = f"imgcls rows 1: {len(keys)} of {self.row_bytes} bytes, {digest}\n".encode()

        def parts() -> Iterator[bytes | memoryview]:
            yield head + index
            yield from map(rows, range(len(keys)))

        if not self.folder.is_absolute():
            raise ResourceError("there is no home folder; set XDG_CACHE_HOME to a folder")
        with files.writing(self.folder):
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        files.remove_stale(self.folder)
        self._make_room(len(head) + len(index) + len(keys) * self.row_bytes)
        # Processes that store the same rows write the same file, so any of them may be last.
        files.write_parts(self.folder / f"{self.kind}-{digest[:32]}.rows", parts())

    def remove(self, entries: Iterable[Entry]) -> None:
        """Removes files whose rows are also in other files."""
        for entry in entries:
            files.discard(entry.path)

    def _make_room(self, needed: int) -> None:
        found = sorted(_ours(self.folder), key=lambda each: each[1])
        taken = sum(size for _, _, size in found)
        with files.writing(self.folder):
            free = shutil.disk_usage(self.folder).free
        if needed > (allowed := min(self.allowed_bytes, (free + taken) / 2)):
            why = "IMGCLS_CACHE allows" if allowed == self.allowed_bytes else "half of the room is"
            raise ResourceError(f"{amount(needed)} are needed, {why} {amount(allowed)}")
        for path, _, size in found:
            if taken + needed <= allowed:
                break
            files.discard(path)
            taken -= size


def _ours(folder: Path) -> Iterator[tuple[Path, int, int]]:
    """Yields the path, the time of the last use and the size of each file in the folder."""
    with suppress(OSError):
        for each in list(os.scandir(folder)):
            with suppress(OSError):  # another process removed it
                if _NAME.fullmatch(each.name) and each.is_file(follow_symlinks=False):
                    found = each.stat(follow_symlinks=False)
                    yield Path(each.path), found.st_mtime_ns, found.st_size
