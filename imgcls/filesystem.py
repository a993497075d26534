"""System calls that not every file system has: syncing folders, and locks."""

import errno
import fcntl
import os
from pathlib import Path

_NOT_SUPPORTED = {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOTTY}


def sync(path: Path) -> bool:
    """Returns once the bytes of a file, or the names in a folder, are on the disk.

    Returns:
        False if the file system cannot do that for this kind of file: FUSE and SMB answer EINVAL
        for folders. Then a power failure may undo what was written last; a killed process cannot.

    Raises:
        OSError: if it fails.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _NOT_SUPPORTED:
            raise
        return False
    finally:
        os.close(descriptor)
    return True


def lock(descriptor: int, *, wait: bool) -> None:
    """Locks an open file or folder; the kernel releases the lock however the process ends.

    Raises:
        BlockingIOError: if another process has locked it, and `wait` is false.
        OSError: if the file system has no locks, as some network file systems.
    """
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno not in {errno.ENOLCK, *_NOT_SUPPORTED}:
            raise
        raise OSError(
            error.errno,
            "this file system has no file locks; use another one, for runs with --runs FOLDER",
        ) from error
