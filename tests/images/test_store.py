"""Rows on disk are read back exactly as they were written, or not at all."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from imgcls.errors import ResourceError
from imgcls.images.store import KEY_BYTES, Store

KIND = "0123456789abcdef"
ROW = 6000
ROWS = np.random.default_rng(0).integers(0, 256, (300, ROW), np.uint8)
KEYS = [number.to_bytes(KEY_BYTES, "big") for number in range(300)]


@pytest.fixture
def store(tmp_path: Path) -> Callable[..., Store]:
    def in_folder(kind: str = KIND, allowed: float = 1e9) -> Store:
        return Store(tmp_path / "rows", kind, ROW, allowed)

    return in_folder


def kept(store: Store, numbers: range) -> Path:
    """Stores these rows, and returns the file that holds them."""
    before = set(store.folder.glob("*"))
    keys = [KEYS[number] for number in numbers]
    store.keep(keys, lambda at: ROWS[numbers[at]].data)
    (new,) = set(store.folder.glob("*")) - before
    return new


def there(store: Store) -> dict[bytes, bytes]:
    """Returns every row that the store can read, by key."""
    found: dict[bytes, bytes] = {}
    for entry in store.entries():
        keys = list(entry.each_key())
        rows: dict[bytes, bytes] = {}
        take = rows.__setitem__
        if store.read(entry, range(len(keys)), lambda at, row: take(keys[at], row)):  # noqa: B023
            found |= rows
    return found


def expected(*numbers: int) -> dict[bytes, bytes]:
    return {KEYS[number]: ROWS[number].tobytes() for number in numbers}


def test_what_is_kept_is_there_and_of_no_other_kind(store):
    """
    Rows of another image size or Pillow version would train a different model.
    """
    kept(store(), range(200))
    kept(store(), range(200, 300))

    assert expected(*range(300)) == there(store())
    assert {} == there(store("f" * 16))
    (path,) = list(store().folder.glob("*"))[:1]
    path.rename(path.with_name("f" * 16 + path.name[16:]))
    assert {} == there(store("f" * 16))


@pytest.mark.parametrize(
    "place", [0, 13, 16, 40, 100, 120, 1000, 3200, 5000, 6115, 300_000, -1], ids=str
)
def test_a_flipped_bit_is_noticed_wherever_it_is(store, place):
    """
    A wrong pixel here would be wrong in every run from now on.
    """
    path = kept(store(), range(300))
    data = bytearray(path.read_bytes())
    data[place] ^= 4
    path.write_bytes(data)

    assert {} == there(store())
    assert not path.exists()


@pytest.mark.parametrize("left", [0, 1, 50, 3000, 6200, 900_000, -1])
def test_a_file_that_was_cut_off_is_noticed(store, left):
    """
    A power failure, or an interrupted copy of the home folder, leaves such files.
    """
    path = kept(store(), range(300))
    path.write_bytes(path.read_bytes()[:left])

    assert {} == there(store())
    assert not path.exists()


def test_a_longer_file_and_a_file_of_another_make_are_noticed(store):
    """
    The file size must be exactly what the header line promises.
    """
    path = kept(store(), range(3))
    path.write_bytes(path.read_bytes() + b"\0")
    assert {} == there(store())

    path.write_bytes(b"imgcls rows 1: 99999999 of 6000 bytes, " + b"0" * 64 + b"\n")
    assert {} == there(store())
    assert not path.exists()


@pytest.mark.parametrize("call", [1, 250, 300, 301, 302, 450, 599, 600])
def test_who_is_killed_while_he_writes_leaves_nothing(store, call, tmp_path):
    """
    A process is most likely to run out of memory while it writes the largest array.
    """
    code = f"""
import os, signal
from pathlib import Path
from imgcls.images.store import Store
calls = 0
def row(at):
    global calls
    calls += 1
    if calls == {call}:
        os.kill(os.getpid(), signal.SIGKILL)
    return memoryview(bytes({ROW}))
keys = [number.to_bytes({KEY_BYTES}, "big") for number in range(300)]
Store(Path({str(tmp_path / "rows")!r}), {KIND!r}, {ROW}, 1e9).keep(keys, row)
"""
    done = subprocess.run([sys.executable, "-c", code], timeout=60, check=False)

    assert -signal.SIGKILL == done.returncode
    assert {} == there(store())
    path = kept(store(), range(3)) if call < 301 else None  # before the draft file exists
    if path is None:
        (draft,) = store().folder.glob("*")
        assert re.search(r"\.tmp-", draft.name)
        store().keep(KEYS[:3], lambda at: ROWS[at].data)
        assert not draft.exists()
    assert expected(0, 1, 2) == there(store())


def test_what_was_used_longest_ago_makes_room(store):
    """
    Nobody maintains a cache; one that only grows fills the home folder.
    """
    paths = [kept(store(), range(start, start + 50)) for start in (0, 50, 100)]
    for age, path in zip((30, 20, 10), paths, strict=True):
        os.utime(path, (1e9 - age, 1e9 - age))
    (first,) = (entry for entry in store().entries() if entry.path == paths[0])
    store().read(first, [7], lambda *_: None)  # so that the second is now the oldest
    stranger = store().folder / "notes.txt"
    stranger.write_bytes(b"mine")
    other = kept(store("f" * 16, allowed=3.5 * 50 * ROW), range(50))

    assert {paths[0], paths[2], other, stranger} == set(store().folder.glob("*"))


def test_a_file_that_is_larger_than_all_may_be_is_refused_and_removes_nothing(store):
    """
    It would evict everything else, and then be evicted itself by the next file.
    """
    path = kept(store(), range(20))
    with pytest.raises(ResourceError, match=r"^588\.0 KiB .* allows 488\.3 KiB$") as caught:
        store(allowed=500_000).keep(KEYS[:100], lambda at: ROWS[at].data)

    assert "needed" in str(caught.value)
    assert [path] == list(store().folder.glob("*"))


def test_a_folder_or_a_link_by_the_name_of_a_file_is_left_alone(store, tmp_path):
    """
    A folder, link or pipe was not written by the store, and may belong to the user.
    """
    folder = store().folder
    folder.mkdir()
    (folder / f"{KIND}-{'0' * 32}.rows").mkdir()
    (tmp_path / "mine").write_bytes(b"mine")
    (folder / f"{KIND}-{'1' * 32}.rows").symlink_to(tmp_path / "mine")
    os.mkfifo(folder / f"{KIND}-{'2' * 32}.rows")

    assert [] == store().entries()
    assert 3 == len(list(folder.glob("*")))
    assert b"mine" == (tmp_path / "mine").read_bytes()


def test_ctrl_c_while_rows_are_written_leaves_nothing(store):
    """
    Writing gigabytes takes a while; Ctrl-C must neither wait for it nor leave a partial file.
    """
    asked = []

    def row(at: int) -> memoryview:
        asked.append(at)
        if len(asked) == 1.5 * len(KEYS):  # the first pass computes the checksums
            os.kill(os.getpid(), signal.SIGINT)
        return memoryview(ROWS[at])

    with pytest.raises(KeyboardInterrupt):
        store().keep(KEYS, row)
    assert [] == list(store().folder.glob("*"))
