"""Published files give the same arrays wherever they are stored; forged ones are rejected."""

import gzip
import io
import pickle
import tarfile

import numpy as np
import pytest

from imgcls.downloads.remote import Publication
from imgcls.errors import DataError
from imgcls.images import arrays, formats


def written(folder, contents):
    for name, content in contents.items():
        (folder / name).write_bytes(content)


def read(kind, folder):
    return formats.in_folder(Publication(kind, ()), folder)


def test_the_files_of_the_mnist_family_are_read(tmp_path, contents):
    """
    Keras keeps Fashion-MNIST in its four published files.
    """
    written(tmp_path, contents["idx"])
    found = read("idx", tmp_path)

    assert {"x_train", "y_train", "x_test", "y_test"} == set(found)
    assert np.arange(24).tolist() == found["x_test"].ravel().tolist()
    assert (2, 3, 4) == found["x_test"].shape
    assert [1, 0] == found["y_train"].tolist()


@pytest.mark.parametrize(
    "content",
    [
        b"\x1f\x8b\x08 broken",
        gzip.compress(b""),
        gzip.compress(b"\0\0\x08\x03"),
        gzip.compress(b"\0\0\x0d\x01\0\0\0\x04\0\0\0\0"),  # the type code of floats
        gzip.compress(b"\0\0\x08\x02\xff\xff\xff\xff\xff\xff\xff\xff1"),
    ],
    ids=["no gzip", "empty", "no shape", "no bytes", "a shape that lies"],
)
def test_a_damaged_file_of_the_mnist_family_is_named(tmp_path, contents, content):
    """
    After a broken download, the user must learn which file is damaged.
    """
    written(tmp_path, {**contents["idx"], "t10k-images-idx3-ubyte.gz": content})

    with pytest.raises(DataError, match=r"t10k-images-idx3-ubyte\.gz: cannot be read: "):
        read("idx", tmp_path)


def test_the_folders_of_cifar_are_read(tmp_path, contents):
    """
    Keras keeps CIFAR as it was published: in pickles, one channel after the other.
    """
    for kind in ("cifar10", "cifar100"):
        written(tmp_path, contents[kind])
    ten, hundred = read("cifar10", tmp_path), read("cifar100", tmp_path)
    data = pickle.loads(contents["cifar10"]["test_batch"])[b"data"]  # noqa: S301 - the test's own

    assert (10, 32, 32, 3) == ten["x_train"].shape
    assert (2, 32, 32, 3) == hundred["x_train"].shape
    assert [0, 1, 1, 0, 0, 1, 1, 0, 0, 1] == ten["y_train"].tolist()
    assert [1, 0] == hundred["y_test"].tolist()
    assert data[1, [0, 1024, 2048]].tolist() == ten["x_test"][1, 0, 0].tolist()
    assert data[1, [1, 32]].tolist() == [ten["x_test"][1, 0, 1, 0], ten["x_test"][1, 1, 0, 0]]
    assert len(arrays.find(ten, "cifar10").splits["train"].labels) == 10


PIXELS = np.zeros((1, 3072), np.uint8)


@pytest.mark.parametrize(
    "content",
    [
        [],
        {},
        {b"data": b"x", b"fine_labels": [1]},
        {b"data": PIXELS.tobytes(), b"fine_labels": [1]},
        {b"data": PIXELS[:, 1:], b"fine_labels": [1]},
        {b"data": PIXELS.ravel(), b"fine_labels": [1]},
        {b"data": PIXELS.astype(np.float32), b"fine_labels": [1]},
        {b"data": PIXELS, b"labels": [1]},
        {b"data": PIXELS, b"fine_labels": 10**6},
        {b"data": PIXELS, b"fine_labels": [256]},
        {b"data": PIXELS, b"fine_labels": [b"1"]},
        {b"data": PIXELS, b"fine_labels": [PIXELS]},
    ],
    ids=lambda content: repr(content)[:60],
)
def test_what_is_no_batch_is_refused(tmp_path, content):
    """
    A pickle of something else is not a data set just because it is named train.
    """
    for name in ("train", "test"):
        (tmp_path / name).write_bytes(pickle.dumps(content, protocol=3))

    with pytest.raises(DataError, match=f"^{tmp_path}/train: cannot be read: "):
        read("cifar100", tmp_path)


def test_a_missing_file_is_named(tmp_path, contents):
    """
    For a folder that was copied only in part, the error must name what is missing.
    """
    written(tmp_path, contents["cifar10"])
    (tmp_path / "data_batch_4").unlink()

    with pytest.raises(DataError, match="/data_batch_4: cannot be read: no such file or directory"):
        read("cifar10", tmp_path)


def member(name, content=b"", **fields):
    found = tarfile.TarInfo(f"cifar-100-python/{name}")
    found.size = len(content)
    for key, value in fields.items():
        setattr(found, key, value)
    return found, content


def archive(*members):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as opened:
        for each, content in members:
            opened.addfile(each, io.BytesIO(content))
    return stream.getvalue()


def lying(size, content):
    """An archive with a member whose size differs from its header."""
    header = member("train", size=size)[0].tobuf(tarfile.GNU_FORMAT)
    return gzip.compress(header + content)


SPARSE = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": str(2**40)}


PLAIN = "it is no plain file"
MISSING = "it is not in the archive"
ARCHIVES = {
    "empty": (archive(), MISSING),
    "out of the folder": (archive(member("../train"), member("test")), MISSING),
    "absolute": (archive((tarfile.TarInfo("/cifar-100-python/train"), b"")), MISSING),
    "symlink": (archive(member("train", type=tarfile.SYMTYPE, linkname="/etc/passwd")), PLAIN),
    "hard link": (
        archive(member("test"), member("train", type=tarfile.LNKTYPE, linkname="test")),
        PLAIN,
    ),
    "folder": (archive(member("train", type=tarfile.DIRTYPE)), PLAIN),
    "device": (archive(member("train", type=tarfile.CHRTYPE)), PLAIN),
    "pipe": (archive(member("train", type=tarfile.FIFOTYPE)), PLAIN),
    "sparse": (archive(member("train", b"1\n0\n0\n" + bytes(506), pax_headers=SPARSE)), PLAIN),
    "huge": (lying(2**33, b"a few"), "unexpected end of data"),
    "below zero": (lying(-512, b"a few"), "a member of the archive has a size below zero"),
    "bomb": (gzip.compress(bytes(2**28 + 1), 1), "it has more than 268,435,456 bytes"),
    "no tar": (gzip.compress(b"no tar"), "truncated header"),
    "no gzip": (b"no gzip", "not a gzipped file"),
}


@pytest.mark.parametrize("lie", ARCHIVES)
def test_an_archive_that_lies_is_refused(tmp_path, monkeypatch, lie):
    """
    Only members with the expected names are read, and nothing is ever extracted to disk.
    """
    monkeypatch.chdir(tmp_path)
    packed, why = ARCHIVES[lie]
    publication = Publication("cifar100", (), folder="cifar-100-python")

    with pytest.raises(DataError, match=rf"^c\.tar\.gz(/train)?: cannot be read: .*{why}"):
        formats.in_memory(publication, {"c.tar.gz": packed})
    assert [] == list(tmp_path.iterdir())
