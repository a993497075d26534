"""Files loaded in threads give the same result as files loaded one by one."""

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from imgcls.errors import ResourceError
from imgcls.images.decode import BadImageError
from imgcls.images.load import fit_all, load, load_all, patiently
from imgcls.images.resize import fit


@pytest.fixture
def files(tmp_path):
    rng = np.random.default_rng(0)
    paths = [tmp_path / f"{number:02}.{'png' if number % 2 else 'jpg'}" for number in range(40)]
    for number, path in enumerate(paths):
        shape = (30 + number, 200 - number, 3)
        Image.fromarray(rng.integers(0, 256, shape, np.uint8)).save(path)
    return paths


# A separate process, whose peak memory no earlier test has raised.
_PEAK = """
import sys
from pathlib import Path
from imgcls.images.load import load

def peak():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith("VmHWM"))

before = peak()
load(Path(sys.argv[1]), (32, 32), 3, "crop")
print(peak() - before)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells the peak")
@pytest.mark.parametrize(
    ("dtype", "shape", "most"),
    [
        pytest.param(np.uint8, (3600, 4000, 4), 9, id="see-through"),
        pytest.param(np.uint8, (3600, 4000, 3), 6, id="colours"),
        pytest.param(np.uint8, (3600, 4000), 7, id="grey"),
        pytest.param(np.uint16, (3600, 4000), 9, id="16 bits"),
    ],
)
def test_a_large_picture_takes_a_few_bytes_a_pixel(tmp_path, dtype, shape, most):
    """
    There is a decoding thread per core, and a tiny file may claim to have 100 megapixels.
    """
    file = tmp_path / "large.tif"
    Image.fromarray(np.full(shape, 77, dtype)).save(file)
    peak = subprocess.run(
        [sys.executable, "-c", _PEAK, file], capture_output=True, text=True, check=True
    )

    assert int(peak.stdout) < most * shape[0] * shape[1]


def test_all_at_once_give_what_each_gives_alone(files):
    """
    Predicting a training image must show the network exactly the pixels it was trained on.
    """
    pixels, bad = load_all(files, (16, 20), 3, "crop")

    assert not bad
    assert (40, 16, 20, 3) == pixels.shape
    assert np.array_equal(np.stack([load(file, (16, 20), 3, "crop") for file in files]), pixels)
    assert np.array_equal(pixels[5], load(files[5].read_bytes(), (16, 20), 3, "crop"))


def test_bad_ones_are_listed_in_order_and_black(files):
    """
    Users who have to fix files want to see all of them at once.
    """
    files[30].write_bytes(b"")
    files[7].write_bytes(b"<html>")
    pixels, bad = load_all(files, (16, 20), 1, "stretch")

    assert [files[7], files[30]] == [error.path for error in bad]
    assert not pixels[[7, 30]].any()
    assert pixels[[6, 8, 29, 31]].any(axis=(1, 2, 3)).all()


def test_progress_ends_at_all_of_them(files):
    """
    A progress bar that stops short of its end looks like a hang.
    """
    seen = []
    load_all(files, (4, 4), 1, "stretch", lambda done, total: seen.append((done, total)))

    assert (40, 40) == seen[-1]
    assert sorted(seen) == seen


def test_ctrl_c_ends_the_loading_of_many_files(files):
    """
    Ctrl-C while a million files are being read must not wait for the last of them.
    """
    done = []

    def press(at: int, _: int) -> None:
        done.append(at)
        os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        load_all(files * 500, (4, 4), 1, "pad", press)
    assert 1 == len(done)
    assert done[-1] < 100 * (os.cpu_count() or 1)


def test_arrays_are_fitted_as_files_are():
    """
    A data set must not train differently just because it was packed into an array.
    """
    pictures = np.random.default_rng(0).integers(0, 256, (150, 12, 9, 3), np.uint8)
    seen = []
    fitted = fit_all(pictures, (6, 6), "pad", lambda *at: seen.append(at))

    assert np.array_equal(np.stack([fit(picture, (6, 6), "pad") for picture in pictures]), fitted)
    assert (150, 150) == seen[-1]
    assert fit_all(pictures, (12, 9), "pad") is pictures


def test_a_file_that_cannot_be_read_is_named_after_some_tries():
    """
    A network drive that hangs for a moment must not end an hours-long scan; a dead one must.
    """
    began = time.monotonic()
    with pytest.raises(BadImageError, match=r"^/proc/self/mem: input/output error$"):
        load(Path("/proc/self/mem"), (4, 4), 3, "pad")

    assert time.monotonic() - began > 0.4


@pytest.mark.parametrize("number", [errno.EIO, errno.ESTALE, errno.EAGAIN, errno.ENOENT])
def test_only_an_error_that_may_pass_is_tried_again(number):
    """
    A deleted file does not come back; with a million of them, every wait adds up.
    """
    tries = []

    def read():
        tries.append(1)
        if len(tries) < 4:
            raise BadImageError("a.jpg", "gone") from OSError(number, "gone")
        return "pixels"

    if number == errno.ENOENT:
        with pytest.raises(BadImageError):
            patiently(read)
        assert 1 == len(tries)
    else:
        assert "pixels" == patiently(read)


def test_a_size_that_memory_does_not_hold_is_told_with_the_file(files):
    """
    A traceback from inside Pillow would not say that the size is the problem.
    """
    with pytest.raises(ResourceError, match=r"01\.png at 1000000 x 2000000 pixels does not fit"):
        load(files[1], (1_000_000, 2_000_000), 3, "stretch")
