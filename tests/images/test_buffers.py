"""Space for the pixels is allocated before the first of them is read."""

import os
import resource
import shutil
import tempfile
from pathlib import Path

import numpy as np
import pytest

from imgcls.errors import ResourceError
from imgcls.images import buffers as room_module
from imgcls.images.buffers import blocks, buffer, left, release, reserve


@pytest.fixture
def in_file(monkeypatch, tmp_path):
    """Makes buffers use files in this folder."""
    monkeypatch.setattr(room_module, "MEMORY_BYTES", 1000)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_what_exceeds_the_budget_lies_in_a_file(in_file):
    """
    A data set larger than memory may be slow, but must not crash the program.
    """
    small, large = buffer((10, 10, 10)), buffer((10, 10, 11))
    large[3] = 7

    assert not isinstance(small, np.memmap)
    assert isinstance(large, np.memmap)
    assert 7 * 110 == large.sum()
    assert [] == list(in_file.iterdir())


def test_a_disk_that_is_too_small_is_told_with_its_folder(in_file):
    """
    Unless the error mentions TMPDIR, the user cannot tell which disk is too small.
    """
    free = shutil.disk_usage(in_file).free
    with pytest.raises(ResourceError) as caught:
        buffer((free // 1000 + 1_000_000, 1000))

    assert str(caught.value).startswith(f"{in_file}: ")
    assert "iB of pixels cannot be written, " in str(caught.value)
    assert str(caught.value).endswith("iB are free")
    assert caught.value.hint is not None
    assert "TMPDIR" in caught.value.hint


def test_a_file_that_may_not_grow_is_told(in_file):
    """
    With a quota, a write can fail although the disk has free space.
    """
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, usual[1]))
    try:
        with pytest.raises(ResourceError, match="KiB of pixels cannot be written, file too large"):
            buffer((8000,))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, usual)
    assert [] == list(in_file.iterdir())


def test_the_room_is_taken_and_not_only_promised(tmp_path):
    """
    If a memory-mapped file is sparse, writing a pixel on a full disk kills the program with SIGBUS.
    """
    with (tmp_path / "file").open("wb") as file:
        reserve(file.fileno(), 1 << 20)

    assert 512 * (tmp_path / "file").stat().st_blocks >= 1 << 20


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="only Linux lists open files")
def test_pixels_in_a_file_have_their_room(in_file):
    """
    The file has no name, so only this process can check its size.
    """
    pixels = buffer((1 << 20,))
    links = Path("/proc/self/fd").iterdir()
    (ours,) = (link for link in links if os.path.realpath(link).startswith(str(in_file)))

    assert 512 * ours.stat().st_blocks >= pixels.size


def test_what_is_left_is_memory_and_disk(in_file):
    """
    An error must report the limits that the user can change: free memory and free disk space.
    """
    there, words = left()

    assert there >= shutil.disk_usage(in_file).free
    assert words.endswith(f"in {in_file}")


def resident() -> int:
    """Returns the bytes of files that this process has in memory."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    fields = dict(line.split(":", 1) for line in status.splitlines())
    return sum(int(fields[name].split()[0]) * 1024 for name in ("RssFile", "RssShmem"))


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells")
def test_mapped_pixels_are_gone_through_in_the_memory_of_a_few(in_file):
    """
    A data set ten times as large must train in the same memory.
    """
    assert in_file.exists()
    pixels = buffer((640, 100, 1000))  # 64 MB
    before = resident()
    pixels[:] = np.arange(100, dtype=np.uint8)[:, None]
    release(pixels)
    sums = []
    for block in blocks(pixels[:600]):
        sums.append(int(block.sum(dtype=np.int64)))
        assert resident() - before < 24e6

    assert resident() - before < 4e6
    assert 600 * 1000 * 4950 == sum(sums)
    assert 64_000_000 == pixels.size


def test_blocks_are_all_of_the_pixels_in_their_order():
    """
    A fingerprint that skips some pixels would not notice when they change.
    """
    pixels = np.random.default_rng(0).integers(0, 256, (50, 1000, 1000), np.uint8)

    assert np.array_equal(pixels, np.concatenate(list(blocks(pixels))))
    assert [] == list(blocks(pixels[:0]))
