"""Published sets are found where they lie, and nothing in them runs."""

import gzip
import os
import pickle
import struct

import numpy as np
import pytest

from imgcls.errors import DataError
from imgcls.images import arrays, published


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """The two places that are looked at, empty."""
    own, keras = tmp_path / "own", tmp_path / "keras" / "datasets"
    own.mkdir()
    keras.mkdir(parents=True)
    monkeypatch.setenv("IMGCLS_DATA", str(own))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    return own, keras


def test_ones_own_folder_comes_before_keras(folders):
    """
    Whoever sets IMGCLS_DATA means it.
    """
    own, keras = folders
    np.savez(keras / "mnist.npz", x_train=np.zeros((1, 2, 2)), y_train=[7])
    assert published.read("mnist", {})[0]["y_train"].tolist() == [7]
    np.savez(own / "mnist.npz", x_train=np.zeros((1, 2, 2)), y_train=[5])
    found, source = published.read("mnist", {})

    assert [5] == found["y_train"].tolist()
    assert f"{own}/mnist.npz" == source


def test_a_set_that_is_not_there_says_where_it_should_be(folders):
    """
    Nothing is downloaded, so the message must say how to get it.
    """
    own, keras = folders
    with pytest.raises(DataError) as caught:
        published.read("cifar10", {"cifar-10-batches-py": published.cifar10})

    for place in (own, keras):
        assert f"{place}/cifar10.npz, {place}/cifar-10-batches-py" in str(caught.value)
    assert "set IMGCLS_DATA to a folder with cifar10.npz" in str(caught.value)
    assert "keras.datasets.cifar10.load_data()" in str(caught.value.hint)


def test_the_files_of_the_mnist_family_are_read(tmp_path):
    """
    Keras keeps Fashion-MNIST in its four published files.
    """
    x, y = np.arange(24, dtype=np.uint8).reshape(2, 3, 4), np.array([1, 0], np.uint8)
    for stem in ("train", "t10k"):
        for kind, array in (("images-idx3", x), ("labels-idx1", y)):
            head = struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
            (tmp_path / f"{stem}-{kind}-ubyte.gz").write_bytes(
                gzip.compress(head + array.tobytes())
            )
    found = published.idx(tmp_path)

    assert {"x_train", "y_train", "x_test", "y_test"} == set(found)
    assert np.array_equal(x, found["x_test"])
    assert np.array_equal(y, found["y_train"])
    (tmp_path / "t10k-images-idx3-ubyte.gz").write_bytes(b"\x1f\x8b\x08 broken")
    with pytest.raises(DataError, match=r"t10k-images-idx3-ubyte\.gz: cannot be read"):
        published.idx(tmp_path)


def batch(path, key, count=2):
    data = np.arange(count * 3072, dtype=np.uint32).astype(np.uint8).reshape(count, 3072)
    path.write_bytes(pickle.dumps({b"data": data, key: list(range(count))}, protocol=3))
    return data


def test_the_folders_of_cifar_are_read(tmp_path):
    """
    Keras keeps CIFAR as it was published: in pickles, a channel after the other.
    """
    for name in [*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"]:
        data = batch(tmp_path / name, b"labels")
    for name in ("train", "test"):
        batch(tmp_path / name, b"fine_labels")
    ten, hundred = published.cifar10(tmp_path), published.cifar100(tmp_path)

    assert (10, 32, 32, 3) == ten["x_train"].shape
    assert (2, 32, 32, 3) == hundred["x_train"].shape
    assert data[1, [0, 1024, 2048]].tolist() == ten["x_test"][1, 0, 0].tolist()
    assert data[1, 33] == ten["x_test"][1, 1, 1, 0]
    assert len(arrays.find(ten, "cifar10").splits["train"].labels) == 10


class Evil:
    """What a pickle can do to whoever loads it."""

    def __reduce__(self):
        return os.mkdir, ("canary",)


@pytest.mark.parametrize(
    "content", [Evil(), {b"data": Evil()}, [], {}, {b"data": "x"}, {b"labels": 1}]
)
def test_a_pickle_runs_nothing(tmp_path, monkeypatch, content):
    """
    A data set from the network must not be able to run code.
    """
    monkeypatch.chdir(tmp_path)
    for name in ("train", "test"):
        (tmp_path / name).write_bytes(pickle.dumps(content))

    with pytest.raises(DataError):
        published.cifar100(tmp_path)
    assert not (tmp_path / "canary").exists()


def test_a_damaged_pickle_is_named(tmp_path):
    """
    A broken download must be told by its file.
    """
    batch(tmp_path / "train", b"fine_labels")
    whole = (tmp_path / "train").read_bytes()
    for cut in (0, 1, 50, len(whole) // 2):
        (tmp_path / "train").write_bytes(whole[:cut])
        with pytest.raises(DataError, match="train: cannot be read"):
            published.cifar100(tmp_path)
