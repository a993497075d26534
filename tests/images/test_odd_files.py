"""Folders hold link loops, sockets, odd names and unreadable files; no image is lost silently."""

import os
import shutil
import socket
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from PIL import Image

from imgcls.errors import DataError
from imgcls.images import folders
from imgcls.images.decode import BadImageError
from imgcls.images.load import load, load_all
from tests import nobody


def write(path, kind="PNG"):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((6, 8, 3), 77, np.uint8)).save(path, kind)


@settings(
    max_examples=60, deadline=None, derandomize=True, database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(st.binary(min_size=1, max_size=251).filter(lambda name: not {0, 47} & set(name)))
@example(b"a\nb")
@example(b"\xff\xfe")
@example("e\u0301".encode())
@example("\u00e9".encode())
@example(b"x" * 251)
def test_a_file_may_be_called_anything(tmp_path, name):
    """
    File names are arbitrary bytes; half of the world's images are not named IMG_0001.
    """
    root = tmp_path / name.hex()[:40]
    file = root / "cat" / (os.fsdecode(name) + ".png")
    write(file)
    write(root / "dog" / "a.png")
    found = folders.find(root)
    expected = [] if name.startswith(b".") else [file]

    assert expected == [each for each in found.splits["train"].files if each.parent.name == "cat"]
    file.write_bytes(b"")
    with pytest.raises(BadImageError, match=r"\.png: empty$") as caught:
        load(file, (4, 4), 3, "stretch")
    str(caught.value).encode()  # it can be printed anywhere
    shutil.rmtree(root)


def test_names_that_differ_in_their_accents_form_or_case_are_two_pictures(tmp_path):
    """
    Copies from other systems may hold both Unicode forms of a name; neither image may be lost.
    """
    names = ["caf\u00e9.png", "cafe\u0301.png", "A.png", "a.png"]
    for name in names:
        write(tmp_path / "cat" / name)
    write(tmp_path / "dog" / "1.png")

    assert 4 == sum(
        file.parent.name == "cat" for file in folders.find(tmp_path).splits["train"].files
    )


def test_loops_of_links_end(tmp_path):
    """
    A folder that contains a link to itself would be scanned forever.
    """
    write(tmp_path / "cat" / "1.png")
    write(tmp_path / "dog" / "1.png")
    (tmp_path / "cat" / "up").symlink_to(tmp_path)
    (tmp_path / "cat" / "here").symlink_to(".")
    (tmp_path / "cat" / "self.png").symlink_to("self.png")
    (tmp_path / "cat" / "one.png").symlink_to("other.png")
    (tmp_path / "cat" / "other.png").symlink_to("one.png")
    found = folders.find(tmp_path)
    files = found.splits["train"].files
    _, bad = load_all(files, (4, 4), 3, "stretch")

    assert 5 == len(files)
    assert ["one.png", "other.png", "self.png"] == [Path(error.path).name for error in bad]
    assert all("too many levels of symbolic links" in str(error) for error in bad)
    assert 2 == sum("a link to a folder is not followed" in note for note in found.notes)
    (tmp_path / "loop").symlink_to("loop")
    assert ("cat", "dog") == folders.find(tmp_path).classes


def test_sockets_pipes_and_devices_are_no_pictures(tmp_path):
    """
    Programs leave them in folders, and opening one may block forever.
    """
    write(tmp_path / "cat" / "1.png")
    write(tmp_path / "dog" / "1.png")
    os.mkfifo(tmp_path / "cat" / "pipe.jpg")
    (tmp_path / "cat" / "zero.jpg").symlink_to("/dev/zero")
    with socket.socket(socket.AF_UNIX) as server, tempfile.TemporaryDirectory() as short:
        server.bind(f"{short}/socket.jpg")  # its path may have at most about a hundred characters
        Path(short, "socket.jpg").rename(tmp_path / "cat" / "socket.jpg")
    found = folders.find(tmp_path)

    assert 2 == len(found.splits["train"].files)
    assert ("skipped files that are not images: 3 (.jpg)",) == found.notes


@pytest.mark.parametrize("kind", ["PNG", "GIF", "BMP", "WEBP", "TIFF"])
def test_a_picture_of_another_type_than_its_name_is_used(kind, tmp_path):
    """
    Half of the images saved from the web are named .jpg but are not JPEGs.
    """
    write(tmp_path / "cat.jpg", kind)

    assert (np.abs(load(tmp_path / "cat.jpg", (6, 8), 3, "stretch").astype(int) - 77) < 9).all()


@nobody.needed
def test_what_may_not_be_read_is_named():
    """
    On shared machines, an unreadable file is one bad image; an unreadable folder is fatal.
    """
    with (
        tempfile.TemporaryDirectory() as folder
    ):  # pytest's temporary folders are readable only by their owner
        Path(folder).chmod(0o755)
        for name in ("cat/1.png", "cat/2.png", "dog/1.png"):
            write(Path(folder) / name)
        (Path(folder) / "cat/2.png").chmod(0)
        bad = as_nobody(folder)
        (Path(folder) / "dog").chmod(0)
        closed = as_nobody(folder)

    assert f"{folder}/cat/2.png: permission denied\n" == bad
    assert f"DataError {folder}/dog: permission denied\n" == closed


CODE = """
import sys
from pathlib import Path
from imgcls.errors import DataError
from imgcls.images import folders
from imgcls.images.load import load_all
try:
    files = folders.find(Path(sys.argv[1])).splits["train"].files
except DataError as error:
    print("DataError", error)
else:
    for error in load_all(files, (4, 4), 3, "stretch")[1]:
        print(error)
"""


def as_nobody(folder):
    done = nobody.run(CODE, folder)
    return done.stdout + done.stderr


def test_a_folder_that_is_a_file_or_missing_is_named(tmp_path):
    """
    The most common mistake of all is a wrong path.
    """
    (tmp_path / "file").touch()
    for name, message in (("file", "a file, not a folder"), ("none", "no such folder")):
        with pytest.raises(DataError, match=f"{name}: {message}"):
            folders.find(tmp_path / name)
