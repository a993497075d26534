"""Files that are whole or not there, and reading that cannot be led astray."""

import errno
import fcntl
import json
import os
import resource
import stat
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from imgcls import files, filesystem
from imgcls.errors import ResourceError, RunError
from imgcls.runs import lock


@contextmanager
def files_of_at_most(size):
    """The system refuses to let any file grow beyond this: a full disk without a disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    """
    A status.json that was there before the disk ran full is better than half of a new one.
    """
    path = tmp_path / "status.json"
    files.write_whole(path, b"old")
    with files_of_at_most(1000), pytest.raises(ResourceError, match=r"status.json: cannot be writ"):
        files.write_whole(path, bytes(5000))

    assert b"old" == path.read_bytes()
    assert ["status.json"] == names(tmp_path)


def test_a_file_in_a_missing_folder_is_an_error_of_the_machine(tmp_path):
    """
    Somebody removed the run while it trained: one line says where, and no traceback.
    """
    with pytest.raises(ResourceError, match=r"gone/a.json: cannot be written, no such file"):
        files.write_json(tmp_path / "gone" / "a.json", {})


def test_what_the_dead_left_is_removed_and_what_the_living_hold_is_not(tmp_path):
    """
    Process numbers are reused, and a container's trainer is always number 1: only locks tell.
    """
    (tmp_path / f"step-3.tmp-{os.getpid()}-0123abcd").mkdir()
    (tmp_path / "status.json.tmp-1-0123abcd").write_text("half")
    (tmp_path / "mine.tmp-1").write_text("a file that only looks alike")
    with files.draft_folder(tmp_path / "step-4") as held:
        files.remove_stale(tmp_path)

        assert sorted(["mine.tmp-1", held.name]) == names(tmp_path)
    files.remove_stale(tmp_path)

    assert ["mine.tmp-1"] == names(tmp_path)


def test_a_draft_is_removed_when_its_writer_fails(tmp_path):
    """
    Ctrl-C during a save, twice: half a gigabyte must not stay behind.
    """
    with (
        suppress(KeyboardInterrupt),
        files.draft_folder(tmp_path / "step-4") as folder,
        (folder / "arrays.npz").open("w"),
    ):
        raise KeyboardInterrupt

    assert [] == names(tmp_path)


def test_who_looks_for_stale_files_may_come_before_a_new_one_is_locked(tmp_path, monkeypatch):
    """
    Two processes share a cache of downloads, and begin at the same moment.
    """
    real = fcntl.flock

    def late(*arguments):
        monkeypatch.undo()
        files.remove_stale(tmp_path)
        assert [] == names(tmp_path)
        return real(*arguments)

    monkeypatch.setattr(fcntl, "flock", late)
    files.write_whole(tmp_path / "model.json", b"{}")

    assert ["model.json"] == names(tmp_path)


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOTSUP, errno.ENOSYS])
def test_a_file_system_that_cannot_sync_folders_can_still_be_written(tmp_path, monkeypatch, number):
    """
    FUSE and SMB answer EINVAL; "cannot be written" would be untrue, and without a remedy.
    """
    real = os.fsync

    def fsync(descriptor):
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(number, os.strerror(number))
        real(descriptor)

    assert filesystem.sync(tmp_path)
    monkeypatch.setattr(os, "fsync", fsync)
    files.write_whole(tmp_path / "model.json", b"{}")

    assert b"{}" == (tmp_path / "model.json").read_bytes()
    assert not filesystem.sync(tmp_path)
    assert filesystem.sync(tmp_path / "model.json")


def test_a_disk_that_fails_to_sync_is_an_error(tmp_path, monkeypatch):
    """
    Only what a file system does not have is passed over, not what it could not do.
    """

    def fsync(descriptor):
        del descriptor
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "fsync", fsync)

    with pytest.raises(ResourceError, match=r"model.json: cannot be written, input/output error"):
        files.write_whole(tmp_path / "model.json", b"{}")
    assert [] == names(tmp_path)


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP])
def test_a_file_system_without_locks_is_named_as_the_reason(tmp_path, monkeypatch, number):
    """
    Lustre may be mounted without flock: two processes could write to the same run.
    """

    def flock(descriptor, how):
        del descriptor, how
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", flock)

    with pytest.raises(ResourceError, match=r"this file system has no file locks; .*--runs FOLDER"):
        files.write_whole(tmp_path / "model.json", b"{}")
    with (
        pytest.raises(ResourceError, match=r"run.lock: cannot be .* no file locks"),
        lock.held(tmp_path),
    ):
        pass


def _link(path):
    path.with_name("elsewhere").write_text("{}")
    path.symlink_to("elsewhere")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda _: None, "model.json is missing"),
        (os.mkfifo, "model.json is not a regular file"),
        (Path.mkdir, "model.json is not a regular file"),
        (_link, "model.json cannot be read, it is a link"),
        (
            lambda path: path.write_bytes(b" " * 129 * 2**20),
            "model.json is larger than 134,217,728 b",
        ),
        (lambda path: path.write_text('{"a": \n 1,}'), "is not valid JSON, line 2 column "),
        (lambda path: path.write_bytes(b'"\xff"'), "model.json is not valid JSON, 'utf-8' codec"),
        (lambda path: path.write_text("[" * 100_000), "model.json is not valid JSON, "),
        (lambda path: path.write_text("9" * 5000), "model.json is not valid JSON, "),
    ],
)
def test_what_cannot_be_read_as_json_is_named_with_the_reason(tmp_path, make, message):
    """
    A run folder may come from anywhere: a pipe must not hang us, nor brackets crash us.
    """
    path = tmp_path / "model.json"
    make(path)
    with pytest.raises(RunError) as caught:
        files.read_json(path)

    assert message in str(caught.value)


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@settings(max_examples=50)
@given(_json)
@example({"file": "\udcff.png", "name": "Übung"})  # its name is no UTF-8
def test_json_comes_back_as_it_was(value):
    """
    File names may hold any bytes, metrics any float: the files stay valid and exact.
    """
    data = files.to_json(value)
    data.decode("utf-8")

    assert value == json.loads(data)


def test_numpy_scalars_are_numbers_and_what_is_not_finite_is_null():
    """
    A row whose loss is nan must not crash the report of it, nor break every JSON reader.
    """
    row = {"a": np.float32(0.5), "b": np.int64(3), "c": float("nan"), "d": [np.float32("inf")]}

    assert b'{"a": 0.5, "b": 3, "c": null, "d": [null]}\n' == files.to_json(row)
