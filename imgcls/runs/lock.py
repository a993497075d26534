"""The lock of a folder: only one process at a time may write to it."""

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from io import FileIO
from pathlib import Path

from imgcls import files, filesystem
from imgcls.errors import LockedError

NAME = "run.lock"


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Locks a folder for this process; the kernel releases the lock however the process ends.

    Raises:
        LockedError: if another process has locked it, naming the process.
        ResourceError: if the file system has no locks, or the folder is not writable.
    """
    path = folder / NAME
    with files.writing(path):
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        file = os.fdopen(os.open(path, flags, 0o666), "r+b", buffering=0)
    with file:
        with files.writing(path):
            _take(folder, file)
        files.remove_stale(folder)
        yield


def _take(folder: Path, file: FileIO) -> None:
    try:
        filesystem.lock(file.fileno(), wait=False)
    except BlockingIOError as error:
        raise LockedError(f"{folder} is in use by {_holder(file.read(1000))}") from error
    since = datetime.now(UTC).isoformat(timespec="seconds")
    file.truncate(0)
    file.write(files.to_json({"pid": os.getpid(), "host": socket.gethostname(), "since": since}))


def _holder(text: bytes) -> str:
    try:
        holder = json.loads(text)
        return f"process {holder['pid']} on {holder['host']} since {holder['since']}"
    except (ValueError, TypeError, KeyError):  # it has not written its name yet
        return "another process"
