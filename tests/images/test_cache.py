"""Images from the cache are identical to freshly decoded ones."""

import os
import re
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import PIL
import pytest
from numpy.typing import NDArray
from PIL import Image

from imgcls.downloads import user_cache
from imgcls.errors import UsageError
from imgcls.images import buffers as room_module
from imgcls.images import cache, load, resize
from imgcls.images.cache import Loaded, load_cached

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A separate cache for this test, enabled."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("IMGCLS_CACHE")
    return tmp_path / "cache" / "imgcls" / cache.FOLDER


def noise(seed: int, *shape: int) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


@pytest.fixture
def photos(tmp_path: Path) -> list[Path]:
    """Forty images of many sizes and formats."""
    folder = tmp_path / "photos"
    folder.mkdir()
    paths = [folder / f"{number:02}" for number in range(40)]
    formats = ("JPEG", "PNG", "BMP", "GIF", "WEBP", "TIFF")
    for number, path in enumerate(paths):
        Image.fromarray(noise(number, 20 + number, 90 - number, 3)).save(path, formats[number % 6])
    Image.fromarray(noise(1, 30, 30).astype(np.uint16) * 257).save(paths[1], "PNG")
    Image.fromarray(noise(2, 30, 40, 4)).save(paths[2], "PNG")
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(noise(3, 800, 600, 3)).save(paths[3], "JPEG", exif=exif)
    Image.fromarray(noise(4, 30, 40, 4), "CMYK").save(paths[4], "JPEG")
    return paths


def loaded(files: list[Path], **changes: object) -> Loaded:
    settings = {"size": (16, 20), "channels": 3, "mode": "crop", **changes}
    return load_cached(files, **settings)  # type: ignore[arg-type]


def plain(files: list[Path]) -> NDArray[np.uint8]:
    return load.load_all(files, (16, 20), 3, "crop")[0]


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("mode", ["stretch", "crop", "pad"])
def test_a_hit_is_a_miss_bit_for_bit(photos, mode, channels):
    """
    A second run must train on exactly the same pixels as the first, and as one without a cache.
    """
    expected, _ = load.load_all(photos, (16, 20), channels, mode)
    first = loaded(photos, mode=mode, channels=channels)
    second = loaded(photos, mode=mode, channels=channels)

    assert (0, 40) == (first.cached, second.cached)
    assert np.array_equal(expected, first.pixels)
    assert np.array_equal(expected, second.pixels)
    assert ("", "") == (first.trouble, second.trouble)


def test_a_file_edited_in_place_is_decoded_anew(photos):
    """
    Some tools preserve a file's size and date when they replace an image.
    """
    before = photos[2].stat()
    loaded(photos)
    data = bytearray(photos[2].read_bytes())
    Image.fromarray(noise(77, 30, 40, 4)).save(photos[2], "PNG")
    other = photos[2].read_bytes()
    assert len(other) == len(data)
    os.utime(photos[2], ns=(before.st_atime_ns, before.st_mtime_ns))
    after = loaded(photos)

    assert 39 == after.cached
    assert np.array_equal(plain(photos), after.pixels)


def test_other_names_other_orders_and_other_splits_hit_too(photos, tmp_path):
    """
    Another seed draws another validation split from the same images.
    """
    loaded(photos[:30])
    loaded(photos[30:])
    (tmp_path / "elsewhere").symlink_to(photos[5])
    mixed = [tmp_path / "elsewhere", *photos[39:4:-1], photos[7]]
    after = loaded(mixed)

    assert 37 == after.cached
    assert np.array_equal(plain(mixed), after.pixels)


@pytest.mark.parametrize("change", [{"size": (20, 16)}, {"channels": 1}, {"mode": "pad"}], ids=str)
def test_other_preprocessing_is_another_entry(photos, change):
    """
    Swapping height and width leaves the number of bytes the same.
    """
    loaded(photos)

    assert 0 == loaded(photos, **change).cached
    assert 40 == loaded(photos).cached


def test_another_pillow_and_other_code_of_ours_decode_anew(photos, monkeypatch, tmp_path):
    """
    Decoded pixels may change with the code, and nobody remembers to raise a version by hand.
    """
    loaded(photos)
    monkeypatch.setattr(PIL, "__version__", "99.0")
    assert 0 == loaded(photos).cached
    monkeypatch.undo()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("IMGCLS_CACHE")
    assert 40 == loaded(photos).cached
    changed = tmp_path / "resize.py"
    changed.write_bytes(Path(resize.__file__).read_bytes().replace(b"BILINEAR", b"BICUBIC"))
    monkeypatch.setattr(resize, "__file__", str(changed))

    assert 0 == loaded(photos).cached


def test_one_more_picture_costs_one_picture(photos, kept):
    """
    A set that grows daily must not be decoded daily, nor be scattered over a thousand cache files.
    """
    loaded(photos[:20])
    for count in range(21, 41):
        after = loaded(photos[:count])

        assert count - 1 == after.cached
        assert np.array_equal(plain(photos[:count]), after.pixels)
    assert len(list(kept.iterdir())) <= 8


def test_bad_pictures_are_named_in_order_and_tried_again(photos):
    """
    Once a bad image has been copied again, it is no longer bad.
    """
    sound = photos[7].read_bytes()
    photos[30].write_bytes(b"")
    photos[7].write_bytes(sound[:90])
    photos[9].unlink()
    expected = load.load_all(photos, (16, 20), 3, "crop")
    for cached in (0, 37):
        after = loaded(photos)

        assert cached == after.cached
        assert list(map(str, expected[1])) == list(map(str, after.bad))
        assert np.array_equal(expected[0], after.pixels)
    photos[7].write_bytes(sound)

    assert [photos[9], photos[30]] == [error.path for error in loaded(photos).bad]
    assert 38 == loaded(photos).cached


def test_progress_never_goes_back_and_ends_at_all_of_them(photos):
    """
    A progress bar that stops short of its end, or jumps back, looks like a bug.
    """
    for files in (photos[:30], photos, photos, photos[::-1]):
        seen: list[tuple[int, int]] = []
        loaded(files, progress=lambda done, total: seen.append((done, total)))  # noqa: B023

        assert (len(files), len(files)) == seen[-1]
        assert sorted(seen) == seen


@pytest.mark.parametrize("place", [0, 60, 130, 800, 4000, -1])
def test_damage_is_noticed_and_mended(photos, kept, place):
    """
    Nobody would suspect the cache as the cause of a wrong accuracy.
    """
    loaded(photos)
    (path,) = kept.iterdir()
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)
    after = loaded(photos)

    assert 0 == after.cached
    assert np.array_equal(plain(photos), after.pixels)
    assert 40 == loaded(photos).cached


CHILD = """
import hashlib, sys, time
from pathlib import Path
from imgcls.images.cache import load_cached
files = sorted(Path(sys.argv[1]).iterdir()) * 40
print("ready", flush=True)
sys.stdin.readline()
found = load_cached(files, (16, 20), 3, "crop")
print(hashlib.sha256(found.pixels).hexdigest(), found.cached, found.trouble, flush=True)
"""


@pytest.fixture
def child(photos: list[Path]) -> Callable[[], subprocess.Popen[str]]:
    """Returns a function that starts a process, which loads the images after a line on stdin."""

    def start() -> subprocess.Popen[str]:
        command = [sys.executable, "-c", CHILD, str(photos[0].parent)]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, cwd=ROOT)

    return start


def started(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.stdin.write("\n")
    process.stdin.flush()


def test_a_kill_at_any_moment_leaves_no_wrong_entry(child, photos, kept):
    """
    A cluster kills without warning; the next process must find correct pixels or none.
    """
    expected = plain(photos * 40)
    for number in range(5):
        with child() as process:
            started(process)
            time.sleep(0.1 + 0.17 * number)
            process.send_signal(signal.SIGKILL)
        assert np.array_equal(plain(photos), loaded(photos).pixels)
        for path in kept.glob("*.rows"):  # so that the next process writes again
            path.unlink()

    assert np.array_equal(expected, loaded(photos * 40).pixels)
    assert not [path for path in kept.iterdir() if ".tmp-" in path.name]


def test_two_processes_at_once_both_end_well(child, photos, kept):
    """
    Runs with two seeds are started together, and both find the cache empty.
    """
    with child() as one, child() as other:
        for process in (one, other):
            started(process)
        said = {process.communicate(timeout=60)[0].split()[0] for process in (one, other)}

    assert 1 == len(said)
    assert [0, 0] == [one.returncode, other.returncode]
    assert 1 == len(list(kept.iterdir()))
    after = loaded(photos * 40)
    assert 1600 == after.cached
    assert np.array_equal(plain(photos * 40), after.pixels)


def test_a_full_disk_is_told_and_training_goes_on(photos, kept):
    """
    The cache saves time; it must never make a training run fail.
    """
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, usual[1]))
    try:
        after = loaded(photos)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, usual)

    assert re.fullmatch(r".*/decoded/.*\.rows: cannot be written, file too large", after.trouble)
    assert np.array_equal(plain(photos), after.pixels)
    assert [] == list(kept.iterdir())


@pytest.mark.parametrize("where", ["file", "homeless", "small"])
def test_a_cache_that_cannot_be_is_told_and_training_goes_on(photos, tmp_path, monkeypatch, where):
    """
    Containers often have a home folder that is not writable, or none at all.
    """
    if where == "file":
        (tmp_path / "file").write_bytes(b"")
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    elif where == "homeless":
        monkeypatch.setattr(user_cache, "folder", lambda: Path("~/.cache/imgcls"))
    else:
        monkeypatch.setenv("IMGCLS_CACHE", "0.00001")
    after = loaded(photos)

    assert {
        "file": f"{tmp_path}/file/imgcls/decoded: cannot be written, not a directory",
        "homeless": "there is no home folder; set XDG_CACHE_HOME to a folder",
        "small": "38.4 KiB are needed, IMGCLS_CACHE allows 10.5 KiB",
    }[where] == after.trouble
    assert np.array_equal(plain(photos), after.pixels)
    assert not Path("~").exists()


def test_it_can_be_turned_off(photos, kept, monkeypatch):
    """
    Some images must not be copied, and some disks have a quota.
    """
    monkeypatch.setenv("IMGCLS_CACHE", "0")
    after = loaded(photos)

    assert np.array_equal(plain(photos), after.pixels)
    assert not kept.exists()


@pytest.mark.parametrize("text", ["off", "-1", "nan", "20 GB"])
def test_a_limit_that_is_no_number_is_refused(photos, monkeypatch, text):
    """
    A user who writes `off` would otherwise find gigabytes in the home folder.
    """
    monkeypatch.setenv("IMGCLS_CACHE", text)

    with pytest.raises(UsageError, match=f"IMGCLS_CACHE must be .* got '{text}'"):
        loaded(photos)


def test_what_is_too_large_for_memory_is_mapped_from_the_cache(photos, kept, monkeypatch):
    """
    A data set of many gigabytes must not be copied again for every run.
    """
    expected = plain(photos)
    monkeypatch.setattr(room_module, "MEMORY_BYTES", 1000)
    first, second = loaded(photos), loaded(photos)
    (path,) = kept.iterdir()

    assert np.array_equal(expected, first.pixels)
    assert np.array_equal(expected, second.pixels)
    assert isinstance(second.pixels, np.memmap)
    assert path == Path(str(second.pixels.filename))
    assert not second.pixels.flags.writeable
    backwards = loaded(photos[::-1])
    assert np.array_equal(expected[::-1], backwards.pixels)
    assert backwards.pixels.flags.writeable

    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    assert 0 == loaded(photos).cached
    assert np.array_equal(expected, loaded(photos).pixels)


def interrupted(files: list[Path], seconds: float) -> bool:
    """Loads files; returns whether a signal after this many seconds interrupted it."""
    signal.setitimer(signal.ITIMER_REAL, seconds)
    began = time.monotonic()
    try:
        loaded(files)
        signal.setitimer(signal.ITIMER_REAL, 0)
    except KeyboardInterrupt:
        assert time.monotonic() - began < seconds + 1
        return True
    return False


@pytest.mark.timing
def test_ctrl_c_at_any_moment_ends_it_and_leaves_nothing_wrong(photos, kept):
    """
    Ctrl-C must not wait until a hundred thousand files have been hashed, decoded or written.
    """
    files = photos * 20
    expected = plain(files)
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    try:
        for known in (False, True):  # decoded and written, or hashed and copied
            seconds = 0.01
            while interrupted(files, seconds):
                assert known or not kept.exists() or not list(kept.iterdir())
                seconds *= 1.3
            assert seconds > 0.05, "nothing was interrupted"
            assert np.array_equal(expected, loaded(files).pixels)
    finally:
        signal.signal(signal.SIGALRM, before)
