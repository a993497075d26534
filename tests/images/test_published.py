"""Published sets are found on disk, or downloaded once, or an error says how to get them."""

import os
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from imgcls.config.components.datasets.published import Cifar10, Downloaded, FashionMnist, Mnist
from imgcls.data import dataset
from imgcls.downloads.remote import Publication
from imgcls.errors import DataError, ResourceError
from imgcls.events import Downloading, Event
from imgcls.images import arrays, formats, published

NOTHING = Publication("npz", ())


def names(folder):
    return [path.name for path in folder.iterdir()]


def test_ones_own_folder_comes_before_keras_and_keras_before_the_cache(places):
    """
    Users who set IMGCLS_DATA expect it to be used; what Keras has need not be downloaded.
    """
    for number, place in reversed(list(enumerate(places))):
        np.savez(place / "mnist.npz", x_train=np.zeros((1, 2, 2)), y_train=[number])
        found, source = published.read("mnist", NOTHING)

        assert [number] == found["y_train"].tolist()
        assert f"{place}/mnist.npz" == source


def test_a_set_that_is_not_there_says_where_it_should_be(places):
    """
    Without a network, the message is the only help.
    """
    own, keras, cache = places
    with pytest.raises(DataError) as caught:
        Cifar10().find()

    for place in (own, keras):
        kept = f"{place}/cifar-10-batches-py"
        assert f"{place}/cifar10.npz, {kept}-target/cifar-10-batches-py, {kept}" in str(
            caught.value
        )
    assert f"{cache}/cifar10.npz; set IMGCLS_DATA to a folder with cifar10.npz" in str(caught.value)
    assert (
        "imgcls train and imgcls check download it (163 MiB), "
        "unless --offline or IMGCLS_OFFLINE forbids it" == caught.value.hint
    )


def test_what_keras_keeps_is_read(places, contents):
    """
    Keras keeps Fashion-MNIST and CIFAR as they were published, not as npz files.
    """
    for folder, kind in (("fashion-mnist", "idx"), ("cifar-10-batches-py", "cifar10")):
        (places[1] / folder).mkdir()
        for name, content in contents[kind].items():
            (places[1] / folder / name).write_bytes(content)

    assert f"{places[1]}/fashion-mnist" == FashionMnist().find().source
    assert 10 == len(Cifar10().find().splits["train"].labels)


def test_a_damaged_file_of_the_cache_says_how_to_mend_it(places):
    """
    An existing file is never overwritten by a download, so the user has to remove it.
    """
    (places[2] / "mnist.npz").write_bytes(b"PK")

    with pytest.raises(DataError, match=r"mnist\.npz: .*; remove the file, and it is dow"):
        Mnist().find()


@pytest.mark.parametrize("kind", ["npz", "idx", "cifar10", "cifar100"])
def test_a_set_that_is_nowhere_is_downloaded(places, publication, kind):
    """
    The first run on a new machine must need no browser; the second must need no network.
    """
    remote = publication(kind)
    events: list[Any] = []
    published.fetch("tiny", remote, events.append)
    found, source = published.read("tiny", remote)

    assert f"{places[2]}/tiny.npz" == source
    assert ["tiny.npz"] == names(places[2])
    assert {"x_train", "y_train", "x_test", "y_test"} == set(found)
    assert {np.dtype(np.uint8)} == {array.dtype for array in found.values()}
    assert len(arrays.find(found, source).splits["test"].labels)
    assert Downloading("tiny", remote.source, source, 0, remote.bytes) == events[0]
    assert (remote.bytes, remote.bytes) == (events[-1].done, events[-1].total)
    before = len(events)
    published.fetch("tiny", remote, events.append)
    assert before == len(events)


@pytest.mark.usefixtures("places")
def test_what_is_downloaded_is_what_lies_in_a_folder(publication, contents, tmp_path):
    """
    Users who already have the files must train on the same pixels as those who download them.
    """
    for name, content in contents["cifar10"].items():
        (tmp_path / name).write_bytes(content)
    remote = publication("cifar10")
    published.fetch("tiny", remote, lambda _: None)
    own, theirs = formats.in_folder(remote, tmp_path), published.read("tiny", remote)[0]

    assert own.keys() == theirs.keys()
    assert all(np.array_equal(own[name], theirs[name]) for name in own)


def tiny(remote):
    class Tiny(Downloaded, abstract=True):
        """A data set on the test server."""

        _classes = ("a", "b")
        _published = remote

        @classmethod
        def name(cls):
            return "tiny"

    return Tiny(validation="none")


@pytest.mark.usefixtures("places")
def test_only_who_may_fetch_does(publication, server):
    """
    `evaluate` and `--offline` never open a connection; training does if the data is missing.
    """
    section = tiny(publication("npz"))
    with pytest.raises(DataError, match="tiny is not at hand"):
        dataset.load(section, 0, lambda _: None)
    assert [] == server.asked

    data = dataset.load(section, 0, lambda _: None, fetch=True)
    assert ["/mnist.npz"] == server.asked
    assert (3, 4) == data.spec.size


@pytest.mark.parametrize(
    ("value", "forbids"), [("1", True), ("no", True), ("0", False), ("", False)]
)
def test_the_environment_forbids_the_network(
    places, publication, server, monkeypatch, value, forbids
):
    """
    On a cluster, the administrator sets it once for everybody.
    """
    monkeypatch.setenv("IMGCLS_OFFLINE", value)
    published.fetch("tiny", publication("npz"), lambda _: None)

    assert forbids == (not server.asked)
    assert forbids == (not list(places[2].iterdir()))


def test_what_was_not_published_is_not_kept(places, publication):
    """
    The next run must not find an incomplete or different data set in the cache.
    """
    remote = publication("idx")
    wrong = replace(remote.files[3], sha256="0" * 64)
    with pytest.raises(DataError) as caught:
        published.fetch("tiny", replace(remote, files=(*remote.files[:3], wrong)), lambda _: None)

    assert str(caught.value) == (
        f"{wrong.url}: cannot be downloaded, it is not what was published, by its SHA-256; "
        "try again, or set IMGCLS_DATA to a folder with tiny.npz (x_train, y_train, x_test, y_test)"
    )
    assert [] == names(places[2])


def test_an_interrupt_leaves_nothing(places, publication):
    """
    Pressing Ctrl-C during a download is common, and nobody cleans up a cache.
    """

    def press(event: Event) -> None:
        if isinstance(event, Downloading) and event.done:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        published.fetch("tiny", publication("npz"), press)
    assert [] == names(places[2])


PROGRAM = """
import resource, sys
from imgcls.errors import ImgclsError
from imgcls.images import published
from imgcls.downloads.remote import Publication, Remote
url, size, sha256, most = sys.argv[1:]
if int(most):
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(most), int(most)))
try:
    published.fetch("tiny", Publication("npz", (Remote(url, int(size), sha256),)), lambda _: None)
except ImgclsError as error:
    print(error)
    sys.exit(error.exit_code)
"""


def started(remote, largest_file=0):
    (file,) = remote.files
    arguments = (file.url, str(file.bytes), file.sha256, str(largest_file))
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *arguments], stdout=subprocess.PIPE, text=True
    )


def test_two_downloads_at_once_both_end_well(places, publication, server):
    """
    Twenty cluster jobs may start in the same second and share one home folder.
    """
    remote = publication("npz")
    content = server.contents["/mnist.npz"]
    together = threading.Barrier(2)

    def both(request):
        together.wait(60)
        request.send(content)

    server.contents["/mnist.npz"] = both
    with started(remote) as one, started(remote) as other:
        assert ["", ""] == [each.communicate(timeout=60)[0] for each in (one, other)]
    assert (0, 0) == (one.returncode, other.returncode)
    assert ["tiny.npz"] == names(places[2])
    assert content == (places[2] / "tiny.npz").read_bytes()


def test_what_the_dead_left_is_removed(places, publication, server):
    """
    A killed job leaves a temporary file that nobody would ever clean up.
    """
    remote = publication("npz")
    content = server.contents["/mnist.npz"]
    asked = threading.Event()

    def hang(request):
        request.send(content[:10], len(content))
        asked.set()
        server.over.wait(60)

    server.contents["/mnist.npz"] = hang
    with started(remote) as process:
        assert asked.wait(60)
        process.send_signal(signal.SIGKILL)
    assert [] == names(places[2])

    stale = places[2] / "tiny.npz.tmp-1-0123abcd"  # as left by a process killed while writing
    stale.write_bytes(content[:10])
    server.contents["/mnist.npz"] = content
    published.fetch("tiny", remote, lambda _: None)
    assert ["tiny.npz"] == names(places[2])


def test_a_full_disk_is_said_and_leaves_nothing(places, publication):
    """
    Home folders have quotas; the next run would take half a file for the data set.
    """
    with started(publication("npz"), largest_file=500) as process:
        said = process.communicate(timeout=60)[0]

    assert (8, f"{places[2]}/tiny.npz: cannot be written, file too large\n") == (
        process.returncode,
        said,
    )
    assert [] == names(places[2])


@pytest.mark.usefixtures("places")
def test_a_cache_that_cannot_be_is_said_before_anything_comes(
    publication, server, monkeypatch, tmp_path
):
    """
    Nobody wants to learn after downloading 170 MB that there is nowhere to put them.
    """
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))

    with pytest.raises(ResourceError, match="file/imgcls: cannot be written, not a directory"):
        published.fetch("tiny", publication("npz"), lambda _: None)
    assert [] == server.asked


@pytest.mark.usefixtures("places")
@pytest.mark.parametrize("setting", [None, "", "relative"])
def test_the_cache_is_in_the_home_folder(publication, monkeypatch, tmp_path, setting):
    """
    Most users do not set XDG_CACHE_HOME, and a relative one must be ignored.
    """
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CACHE_HOME")
    if setting is not None:
        monkeypatch.setenv("XDG_CACHE_HOME", setting)
    remote = publication("npz")
    published.fetch("tiny", remote, lambda _: None)

    assert f"{tmp_path}/.cache/imgcls/tiny.npz" == published.read("tiny", remote)[1]
