"""Small image files, small versions of the published data sets, and a server that hosts them."""

import gzip
import io
import pickle
import struct
import tarfile

import numpy as np
import pytest
from PIL import Image

from imgcls.downloads.remote import Publication


@pytest.fixture
def picture():
    """Returns a function that writes a small image, creating parent folders as needed."""

    def write(path, level=100, size=(6, 8)):
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((*size, 3), level, np.uint8)).save(path, "PNG")
        return path

    return write


@pytest.fixture
def places(tmp_path, monkeypatch):
    """The folders searched for a published set, all empty: the user's, Keras', and the cache."""
    own, keras, cache = (tmp_path / name for name in ("own", "keras/datasets", "cache/imgcls"))
    own.mkdir()
    keras.mkdir(parents=True)
    cache.mkdir(parents=True)
    monkeypatch.setenv("IMGCLS_DATA", str(own))
    monkeypatch.setenv("KERAS_HOME", str(keras.parent))
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache.parent))
    monkeypatch.delenv("IMGCLS_OFFLINE", raising=False)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    return own, keras, cache


def idx(array):
    head = struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
    return gzip.compress(head + array.tobytes())


def batch(key, first, count=2):
    """A CIFAR batch pickled by Python 3 with the bytes keys of the Python 2 original."""
    data = (np.arange(count * 3072) + first).astype(np.uint8).reshape(count, 3072)
    return pickle.dumps(
        {b"data": data, key: [(first + at) % count for at in range(count)]}, protocol=3
    )


def tar(members):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return stream.getvalue()


@pytest.fixture
def contents():
    """Small data sets in their published formats: file contents by name, for each format."""
    x, y = np.arange(24, dtype=np.uint8).reshape(2, 3, 4), np.array([1, 0], np.uint8)
    npz = io.BytesIO()
    np.savez(npz, x_train=x, y_train=y, x_test=x[:1], y_test=y[:1])
    ten = [*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"]
    return {
        "npz": {"mnist.npz": npz.getvalue()},
        "idx": {
            f"{stem}-{kind}-ubyte.gz": idx(array)
            for stem in ("train", "t10k")
            for kind, array in (("images-idx3", x), ("labels-idx1", y))
        },
        "cifar10": {name: batch(b"labels", at) for at, name in enumerate(ten)},
        "cifar100": {name: batch(b"fine_labels", at) for at, name in enumerate(("train", "test"))},
    }


@pytest.fixture
def publication(contents, server):
    """Returns a function that puts a format's data set on the server and describes it."""

    def on_server(kind):
        folder = {"cifar10": "cifar-10-batches-py", "cifar100": "cifar-100-python"}.get(kind, "")
        named = contents[kind]
        if folder:
            members = {f"{folder}/{name}": content for name, content in named.items()}
            named = {f"{kind}.tar.gz": tar({f"{folder}/readme.html": b"", **members})}
        files = tuple(server.has(name, content) for name, content in named.items())
        return Publication(kind, files, folder, kept=("fashion-mnist",) if kind == "idx" else ())

    return on_server
