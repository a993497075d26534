"""Files that are whole or not there: what a crash, a full disk or a power cut may meet.

A file or folder is written under a temporary name, synced, renamed, and the folder around it is
synced. Its writer holds a lock on what it has not finished, so that the kernel, and neither an age
nor a process number, says whether a temporary name was left behind by the dead.
"""

import ctypes
import errno
import json
import math
import os
import re
import secrets
import shutil
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from io import BufferedReader
from pathlib import Path
from typing import Any

from imgcls import filesystem
from imgcls.errors import ResourceError, RunError

_TEMPORARY = re.compile(r".+\.tmp-[0-9]+-[0-9a-f]{8}", re.DOTALL)
_HERE, _EXCHANGE = -100, 2  # AT_FDCWD and RENAME_EXCHANGE of renameat2(2)
_LARGEST_JSON = 128 * 2**20  # a data.json with 500,000 files has about 45 MB


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turns what the system says into an error that names `path`.

    Raises:
        ResourceError: no space, no permission, an I/O error.
    """
    try:
        yield
    except OSError as error:
        raise ResourceError(f"{path}: cannot be written, {reason(error)}") from error


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turns what the system says into an error that names `path`.

    Raises:
        RunError: it is missing, or cannot be read.
    """
    try:
        yield
    except FileNotFoundError as error:
        raise RunError(f"{path} is missing") from error
    except OSError as error:
        why = "it is a link" if path.is_symlink() else reason(error)
        raise RunError(f"{path} cannot be read, {why}") from error


def reason(error: OSError) -> str:
    """Returns the system's words for an error, without its number and path."""
    text = error.strerror or str(error)
    return text[:1].lower() + text[1:]


def temporary(path: Path) -> Path:
    """Returns a new name beside `path` that `remove_stale` knows."""
    return path.with_name(f"{path.name}.tmp-{os.getpid()}-{secrets.token_hex(4)}")


@contextmanager
def draft_folder(path: Path) -> Iterator[Path]:
    """Yields a new folder, to be renamed to `path` by the caller; any failure removes it."""
    folder, descriptor = _claimed(path, _make_folder)
    try:
        yield folder
    except BaseException:  # an interrupt, too
        shutil.rmtree(folder, ignore_errors=True)
        raise
    finally:
        os.close(descriptor)


def _make_folder(folder: Path) -> int:
    folder.mkdir()
    return os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)


def _make_file(file: Path) -> int:
    return os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)


def _claimed(path: Path, make: Callable[[Path], int]) -> tuple[Path, int]:
    """Returns a new temporary name beside `path` and its descriptor, which holds a lock on it."""
    while True:
        draft, descriptor = temporary(path), -1
        try:
            descriptor = make(draft)
            filesystem.lock(descriptor, wait=True)
            if draft.exists():
                return draft, descriptor
        except BaseException:
            discard(draft)
            if descriptor >= 0:
                os.close(descriptor)
            raise
        os.close(descriptor)  # who looks for stale ones came between the two


def exchange(one: Path, other: Path) -> None:
    """Gives two paths each other's content; on Linux in one act of the file system."""
    # renameat2(2), which Python's os does not have; a few file systems do not have it either.
    rename = getattr(ctypes.CDLL(None), "renameat2", None)
    if rename and not rename(_HERE, os.fsencode(one), _HERE, os.fsencode(other), _EXCHANGE):
        return
    between = temporary(other)
    other.rename(between)
    one.rename(other)
    between.rename(one)


def is_temporary(name: str) -> bool:
    """Whether it is one of `temporary`'s names."""
    return _TEMPORARY.fullmatch(name) is not None


def remove_stale(folder: Path) -> None:
    """Removes the temporary files and folders that dead processes left in `folder`."""
    with suppress(OSError):
        for entry in list(os.scandir(folder)):
            if is_temporary(entry.name):
                _remove_if_stale(Path(entry.path))


def _remove_if_stale(path: Path) -> None:
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    with suppress(OSError):  # it is held, gone, or not to be judged
        descriptor = os.open(path, flags)
        try:
            filesystem.lock(descriptor, wait=False)
            discard(path)  # with the lock: it may be only just about to be claimed
        finally:
            os.close(descriptor)


def discard(path: Path) -> None:
    """Removes a temporary file or folder; what cannot be removed now is stale later."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink()


def write_whole(path: Path, data: bytes) -> None:
    """Writes a file that is there with all its bytes, or as it was before.

    Raises:
        ResourceError: if it cannot be written; what stood there stays.
    """
    write_parts(path, (data,))


def write_parts(path: Path, parts: Iterable[bytes | memoryview]) -> None:
    """Writes a file as `write_whole` does, one part after the other.

    Raises:
        ResourceError: if it cannot be written; what stood there stays.
    """
    with writing(path):
        draft, descriptor = _claimed(path, _make_file)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.writelines(parts)
                file.flush()
                filesystem.sync(draft)
                draft.rename(path)
        except BaseException:
            discard(draft)
            raise
        filesystem.sync(path.parent)


def open_regular(path: Path) -> BufferedReader:
    """Returns the open file; never a link, nor a device or pipe that would wait for ever.

    Raises:
        RunError: if there is no such file, or it cannot be read.
    """
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    with reading(path):
        descriptor = os.open(path, flags)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise RunError(f"{path} is not a regular file")
    return os.fdopen(descriptor, "rb")


def open_to_append(path: Path) -> int:
    """Returns the descriptor of a file that is created if it is missing, to read and append to.

    Raises:
        OSError: if it cannot be opened, or is a link, a device, or a pipe, which would block.
    """
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    descriptor = os.open(path, flags, 0o666)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is not a regular file")
    return descriptor


def read_bounded(path: Path, largest: int) -> bytes:
    """Returns the bytes of a file that has at most `largest`.

    Raises:
        RunError: if it is missing, larger, or cannot be read.
    """
    with open_regular(path) as file, reading(path):
        size = os.fstat(file.fileno()).st_size
        # Python takes the memory for as many bytes as it is asked for before it reads one.
        data = file.read(size) if size <= largest else b""
    if size > largest:
        raise RunError(f"{path} is larger than {largest:,} bytes")
    return data


def to_json(value: Any, *, indent: int | None = None) -> bytes:  # noqa: ANN401 - whatever JSON has
    """Returns a line of strict JSON in UTF-8; a number that is not finite becomes null."""
    text = json.dumps(_plain(value), indent=indent, ensure_ascii=False, allow_nan=False)
    # A file name that is no UTF-8 has lone surrogates; as \udcff they are JSON's own escapes.
    return text.encode("utf-8", "backslashreplace") + b"\n"


def _plain(value: Any) -> Any:  # noqa: ANN401
    if hasattr(value, "item"):  # NumPy's scalars; NumPy itself is not loaded for them
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return str(value) if isinstance(value, Path) else value


def write_json(path: Path, value: Any) -> None:  # noqa: ANN401
    """Writes a JSON file as a whole; see `write_whole` and `to_json`.

    Raises:
        ResourceError: if it cannot be written; what stood there stays.
    """
    write_whole(path, to_json(value, indent=2))


def read_object(path: Path, *keys: str) -> dict[str, Any]:
    """Returns the object in a JSON file.

    Raises:
        RunError: if it is missing, damaged, no object, or has not all of the keys.
    """
    value = read_json(path)
    if not isinstance(value, dict) or not value.keys() >= set(keys):
        raise RunError(f"{path}: is damaged; it must have {', '.join(keys) or 'keys'}")
    return value


def read_json(path: Path) -> Any:  # noqa: ANN401
    """Returns what a JSON file of at most 128 MiB says.

    Raises:
        RunError: if it is missing, too large, or not JSON.
    """
    return from_json(path, read_bounded(path, _LARGEST_JSON))


def from_json(path: Path, data: bytes) -> Any:  # noqa: ANN401
    """Returns what the JSON in `data` says; `path` is for the message.

    Raises:
        RunError: if it is not JSON.
    """
    try:
        return json.loads(data)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno} column {error.colno}"
        raise RunError(f"{path} is not valid JSON, {where}: {error.msg.lower()}") from error
    except (ValueError, RecursionError) as error:  # not UTF-8; a number of 5,000 digits; brackets
        raise RunError(f"{path} is not valid JSON, {error}") from error
