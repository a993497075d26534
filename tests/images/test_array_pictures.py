"""Arrays become images, or an error says why not."""

import io
import tracemalloc
import zipfile
from typing import Any

import numpy as np
import pytest

from imgcls import memory
from imgcls.errors import DataError, ResourceError
from imgcls.images import arrays

LEVELS = np.arange(4 * 5 * 6).reshape(4, 5, 6)
LABELS = np.array([0, 1, 0, 1])


def found(x, y=LABELS, classes=None, **more):
    return arrays.find({"x_train": x, "y_train": y, **more}, "a.npz", classes)


def pixels(*args, **kwargs):
    return found(*args, **kwargs).splits["train"].pixels


@pytest.mark.parametrize("kind", [np.uint8, np.int64, np.uint16, np.float32, np.float64])
def test_levels_stay_levels_in_every_type(kind):
    """
    NumPy easily turns uint8 into int64 or float64; the images must stay the same.
    """
    read = pixels(LEVELS.astype(kind))

    assert read.dtype == np.uint8
    assert np.array_equal(LEVELS[..., None], read)


def test_shares_are_scaled():
    """
    Tutorials divide by 255 before saving.
    """
    assert np.array_equal(LEVELS[..., None], pixels((LEVELS / 255).astype(np.float32)))
    assert {0, 255} == set(np.unique(pixels(LEVELS > 50)).tolist())


def test_all_splits_have_the_scale_of_training():
    """
    A dark test set must not be brightened because its values happen to lie between 0 and 1.
    """
    dark = found(LEVELS.astype(float), x_test=np.ones((4, 5, 6)), y_test=LABELS)

    assert dark.splits["test"].pixels.max() == 1


@pytest.mark.parametrize(
    ("shape", "channels"), [((4, 5, 6), 1), ((4, 5, 6, 1), 1), ((4, 5, 6, 3), 3)]
)
def test_pictures_have_channels_last(shape, channels):
    """
    Grayscale sets come with and without a channel axis.
    """
    assert (4, 5, 6, channels) == pixels(np.zeros(shape, np.uint8)).shape


WRONG = {
    "ndim": (np.zeros((4, 30), np.uint8), LABELS, "got uint8 [4, 30]"),
    "first": (
        np.zeros((4, 3, 5, 6), np.uint8),
        LABELS,
        "got uint8 [4, 3, 5, 6]; put the channels last",
    ),
    "alpha": (np.zeros((4, 5, 6, 4), np.uint8), LABELS, "[n, height, width, 1 or 3]"),
    "none": (np.zeros((4, 0, 6), np.uint8), LABELS, "got uint8 [4, 0, 6]"),
    "number": (np.float32(3), LABELS, "x_train must be numbers [n, height, width] or"),
    "label": (LEVELS, np.int64(3), "y_train must be whole numbers [n], got int64 []"),
    "text": (np.full((4, 5, 6), "x"), LABELS, "must be numbers"),
    "high": (
        LEVELS * 3,
        LABELS,
        "x_train[2] must have values whole numbers 0 to 255, or 0 to 1, got",
    ),
    "minus": (LEVELS - 1, LABELS, "x_train[0] must have values whole numbers"),
    "nan": (
        np.where(LEVELS == 40, np.nan, 0.5),
        LABELS,
        "x_train[1] must have values 0 to 1, got nan",
    ),
    "inf": (np.where(LEVELS == 40, np.inf, 0.5), LABELS, "x_train[1]"),
    "half": (LEVELS + 0.5, LABELS, "x_train[0] must have values whole numbers 0 to 255"),
    "signed": (LEVELS / 60 - 1.0, LABELS, "x_train[0] must have values"),
    "length": (LEVELS, LABELS[:3], "x_train has 4 images, y_train 3 labels"),
    "onehot": (
        LEVELS,
        np.eye(4),
        "must be whole numbers [n], got float64 [4, 4]; use argmax(axis=1)",
    ),
    "floats": (LEVELS, LABELS * 1.0, "y_train must be whole numbers [n], got float64 [4]"),
    "words": (LEVELS, np.array(["a"] * 4), "y_train must be whole numbers"),
    "negative": (LEVELS, np.array([0, 1, -1, 1]), "y_train[2]: must be a class from 0 on, got -1"),
    "huge": (LEVELS, np.array([0, 1, 2**40, 1]), "y_train[2]: must be a class from 0 on"),
    "from 1": (LEVELS, np.array([1, 2, 3, 1]), "are 1 to 3, but must start at 0; subtract 1"),
    "gap": (LEVELS, np.array([0, 1, 3, 1]), "no training images of class 2, but of 3"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_arrays_are_told_what_is_wrong(name):
    """
    Keras would train on most of these without any error.
    """
    x, y, message = WRONG[name]
    with pytest.raises(DataError) as caught:
        found(x, y)

    assert str(caught.value).startswith("a.npz: ")
    assert message in str(caught.value)


def test_classes_name_the_numbers_and_bound_them():
    """
    A label without a class name means that either the labels or the names are wrong.
    """
    assert ("cat", "dog") == found(LEVELS, classes=("cat", "dog")).classes
    assert ("0", "1") == found(LEVELS, LABELS[:, None]).classes
    with pytest.raises(DataError, match=r"y_train\[3\]: must be a class from 0 to 1, got 2"):
        found(LEVELS, np.array([0, 1, 0, 2]), classes=("cat", "dog"))
    with pytest.raises(DataError, match=r"from 0 to 1, got 2; subtract 1 from all labels"):
        found(LEVELS, np.array([1, 1, 2, 2]), classes=("cat", "dog"))
    with pytest.raises(DataError, match=r"y_test\[1\]: must be a class from 0 to 1, got 5"):
        found(LEVELS, x_test=LEVELS[:2], y_test=np.array([0, 5]))


def test_splits_must_be_whole_and_alike():
    """
    A file with test images but no test labels is incomplete, not a file without a test split.
    """
    with pytest.raises(DataError, match=r"a\.npz: y_test is missing"):
        found(LEVELS, x_test=LEVELS)
    with pytest.raises(DataError, match=r"one size in all splits, got x_train \[5, 6, 1\], x_test"):
        found(LEVELS, x_test=LEVELS[:, :4], y_test=LABELS)


def test_a_file_is_read_and_nothing_in_it_runs(tmp_path):
    """
    A pickled object in a data set could run arbitrary code.
    """
    good, bad, none, single = (tmp_path / f"{name}.npz" for name in ("a", "b", "c", "d"))
    np.savez(good, x_train=LEVELS, y_train=LABELS, note=np.array("x"))
    np.savez(bad, x_train=np.array([{}], dtype=object), y_train=LABELS)
    np.savez(none, images=LEVELS)
    with single.open("wb") as file:
        np.save(file, LEVELS)

    assert {"x_train", "y_train"} == set(arrays.read(good))
    with pytest.raises(DataError, match="not an npz file of plain arrays"):
        arrays.read(bad)
    with pytest.raises(DataError, match=r"no array x_train, y_train, .*; it has images"):
        arrays.read(none)
    with pytest.raises(DataError, match="one array, not an npz file"):
        arrays.read(single)
    with pytest.raises(DataError, match="no such file"):
        arrays.read(tmp_path / "nowhere.npz")


@pytest.mark.parametrize("cut", [0, 10, 200, 700])
def test_a_damaged_file_is_named(tmp_path, cut):
    """
    A truncated download must be reported, not end in a traceback.
    """
    file = tmp_path / "a.npz"
    np.savez(file, x_train=LEVELS, y_train=LABELS)
    file.write_bytes(file.read_bytes()[:cut])

    with pytest.raises(DataError, match=r"a\.npz"):
        arrays.read(file)


@pytest.mark.parametrize("name", ["validation", "val", "valid", "Val"])
def test_splits_are_called_as_in_folders_and_tables(tmp_path, name):
    """
    If the user's validation images were overlooked, new ones would be drawn from training.
    """
    file = tmp_path / "a.npz"
    more: dict[str, Any] = {f"x_{name}": LEVELS, f"y_{name}": LABELS}
    np.savez(file, x_train=LEVELS, y_train=LABELS, **more)
    found = arrays.load(file)

    assert {"train", "validation"} == set(found.splits)
    assert str(file) == found.source
    assert () == found.notes


def test_two_arrays_of_one_split_are_refused(tmp_path):
    """
    Only the user knows which of them is meant.
    """
    file = tmp_path / "a.npz"
    np.savez(file, x_train=LEVELS, y_train=LABELS, x_val=LEVELS, x_valid=LEVELS, y_val=LABELS)

    with pytest.raises(DataError, match=r"a\.npz: x_val and x_valid mean the same"):
        arrays.load(file)


def test_arrays_that_are_left_out_are_noted(tmp_path):
    """
    A split with an unexpected name could be a third of the data, silently ignored.
    """
    file = tmp_path / "a.npz"
    more: dict[str, Any] = {"x_extra": LEVELS, "y_extra": LABELS, "about": np.array("x")}
    np.savez(file, x_train=LEVELS, y_train=LABELS, **more)

    assert ("left out: x_extra, y_extra",) == arrays.load(file).notes


def zipped(file, data, how=zipfile.ZIP_STORED):
    """Writes a file with these bytes as x_train.npy, and valid labels."""
    labels = io.BytesIO()
    np.save(labels, LABELS)
    with zipfile.ZipFile(file, "w", how) as archive:
        archive.writestr("x_train.npy", data)
        archive.writestr("y_train.npy", labels.getvalue())


def patched(file, local, central, value):
    """Changes two bytes in both headers of the first member: the local one and the central one."""
    data = bytearray(file.read_bytes())
    for magic, offset in ((b"PK\3\4", local), (b"PK\1\2", central)):
        at = data.index(magic) + offset
        data[at : at + 2] = value.to_bytes(2, "little")
    file.write_bytes(data)


def spoilt(file, how):
    levels = io.BytesIO()
    np.save(levels, LEVELS)
    if how == "text":
        zipped(file, b"no array at all")
    elif how == "huge":
        header = {"descr": "<f8", "fortran_order": False, "shape": (10**12, 125)}
        stream = io.BytesIO()
        np.lib.format.write_array_header_1_0(stream, header)
        zipped(file, stream.getvalue())
    elif how == "lzma":
        zipped(file, levels.getvalue(), zipfile.ZIP_LZMA)
        data = file.read_bytes()
        at = data.index(b"x_train.npy") + len("x_train.npy") + 4
        file.write_bytes(data[:at] + b"\xff" * 40 + data[at + 40 :])
    else:
        zipped(file, levels.getvalue())
        # https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT, 4.3.7 and 4.3.12.
        patched(file, *{"encrypted": (6, 8, 1), "unknown": (8, 10, 99)}[how])


SPOILT = {
    "text": "x_train is no array",
    "huge": "cannot be read: Unable to allocate 909. TiB",
    "encrypted": "cannot be read: .*encrypted",
    "unknown": "cannot be read: That compression method is not supported",
    "lzma": "cannot be read: ",
}


@pytest.mark.parametrize("how", SPOILT)
def test_a_file_that_no_program_should_write_is_named(tmp_path, how):
    """
    For each of these files, NumPy raised a different type of exception.
    """
    file = tmp_path / "a.npz"
    spoilt(file, how)

    with pytest.raises(DataError, match=rf"a\.npz: {SPOILT[how]}"):
        arrays.read(file)


def test_arrays_larger_than_memory_are_rejected_before_they_are_unpacked(tmp_path, monkeypatch):
    """
    A file of 2 MB may hold gigabytes of zeros, and the kernel would kill the process.
    """
    path = tmp_path / "bomb.npz"
    np.savez_compressed(path, x_train=np.zeros((2**19, 32, 32), np.uint8), y_train=LABELS)
    monkeypatch.setattr(memory, "free", lambda: 2**28)
    tracemalloc.start()
    try:
        with pytest.raises(ResourceError, match=r"bomb.npz, unpacked, does not fit into memory"):
            arrays.read(path)
        assert tracemalloc.get_traced_memory()[1] < 2**24
    finally:
        tracemalloc.stop()
    assert path.stat().st_size < 2**21
