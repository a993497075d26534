"""The images that `predict` is asked to classify, without a network."""

import io
import os
import sys
import tracemalloc
from pathlib import Path

import pytest

from imgcls.errors import DataError, UsageError
from imgcls.inference.inputs import ImageInputs

PICTURE = b"GIF89a"


def names(*images, listed=None, null=False):
    return [each.name for each in ImageInputs(images, listed, null=null).each()]


class Stdin(io.TextIOWrapper):
    """A stdin with the given bytes, as a shell would connect it."""

    def __init__(self, data, *, is_terminal=False):
        super().__init__(io.BufferedReader(io.BytesIO(data)))
        self._is_terminal = is_terminal

    def isatty(self):
        """Returns what the test has set."""
        return self._is_terminal


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with images as the current folder."""
    for name in ("a.png", "b/1.png", "b/2.jpg", "b/notes.txt", "b/.hidden.png", "c/readme.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(PICTURE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_files_folders_and_globs_come_in_the_order_given(here):
    """
    Users expect the first line of the output to be about the first image.
    """
    del here

    assert ["b/2.jpg", "b/1.png", "b/2.jpg", "none.png", "a.png", "b/1.png"] == names(
        "b/2.jpg", "b", "none.png", "[a].png", "**/1.png"
    )


def test_what_has_no_picture_is_refused_beside_others_and_an_error_alone(here):
    """
    An empty folder among ten is reported on a line of its own; no images at all are exit code 5.
    """
    del here
    found = list(ImageInputs(["c", "z*.png", "a.png"], None).each())

    assert [("c", "has no picture"), ("z*.png", "matches nothing"), ("a.png", None)] == [
        (each.name, each.refused) for each in found
    ]
    with pytest.raises(DataError, match=r"no picture in c, z\*\.png$"):
        names("c", "z*.png")


def test_other_files_of_a_folder_are_counted(here):
    """
    Users who miss an image can see that files were skipped, and why.
    """
    del here
    inputs = ImageInputs(["b", "c", "a.png"], None)
    list(inputs.each())

    assert (
        "skipped hidden files or folders: 1",
        "skipped files that are not images: 2 (.txt, .md)",
    ) == inputs.notes()


@pytest.mark.parametrize(
    ("data", "null", "expected"),
    [
        (b"a.png\nb/1.png\n", False, ["a.png", "b/1.png"]),
        (b"a.png\r\nb/1.png", False, ["a.png", "b/1.png"]),
        (b"\n\r\n a.png \n\n", False, [" a.png "]),
        (b"b\na.png", False, ["b/1.png", "b/2.jpg", "a.png"]),
        (b"[a].png\n", False, ["[a].png"]),
        (b"\xff.png\nu\xcc\x88\n", False, ["\udcff.png", "u\u0308"]),
        (b"x" * 300 + b"\n", False, ["x" * 300]),
        (b"a\n.png\0b/1.png\r\0", True, ["a\n.png", "b/1.png\r"]),
    ],
    ids=["lines", "windows", "blanks", "a folder", "no glob", "odd bytes", "too long", "null"],
)
def test_the_names_of_a_list_are_taken_as_they_are(here, data, null, expected):
    """
    A file name may contain any byte but NUL; `find` prints it unchanged, so it must be read
    unchanged.
    """
    (here / "list.txt").write_bytes(data)

    assert expected == names(listed=Path("list.txt"), null=null)


def test_a_list_follows_what_the_command_line_names_and_may_be_stdin(here, monkeypatch):
    """
    Users run `find ... | imgcls predict first.png --from-file -`.
    """
    del here
    monkeypatch.setattr(sys, "stdin", Stdin(b"b/1.png\nb/2.jpg"))

    assert ["a.png", "b/1.png", "b/2.jpg"] == names("a.png", listed=Path("-"))


def test_the_names_in_a_list_are_as_many_as_they_like(tmp_path):
    """
    With a million names, the first must not wait for the last, and they must not all be in memory.
    """
    listed = tmp_path / "list.txt"
    with listed.open("wb") as file:
        file.writelines(b"/nowhere/%01000d.png\n" % number for number in range(20_000))
    tracemalloc.start()
    try:
        count = sum(1 for _ in ImageInputs([], listed).each())
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert count == 20_000
    assert listed.stat().st_size > 20_000_000 > 2 * most


def test_a_pipe_s_names_are_taken_as_they_come(here):
    """
    Users who watch a folder and pipe in new files want each answer before the pipe ends.
    """
    del here
    reading, writing = os.pipe()
    os.write(writing, b"a.png\nb/1.png\n")
    found = ImageInputs([], Path(f"/dev/fd/{reading}")).each()

    assert ["a.png", "b/1.png"] == [next(found).name, next(found).name]
    os.close(writing)
    assert [] == list(found)
    os.close(reading)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", r"no picture in list\.txt$"),
        (b"\n\n", r"no picture in list\.txt$"),
        (b"https://example.org/a.png\n", r"no picture in list\.txt; https.*download it first"),
        (b"a.png\n1.png\x002.png\n", r"list\.txt:2: has a NUL byte; .* need --null"),
        (b"a.png\n" + b"x" * 200_000, r"list\.txt:2: is too long for a name"),
    ],
    ids=["empty", "blank", "a URL", "find -print0", "no list"],
)
def test_a_list_that_is_none_is_named(here, data, message):
    """
    An image given as a list by mistake must not be read as a gigabyte of names.
    """
    (here / "list.txt").write_bytes(data)

    with pytest.raises(DataError, match=message):
        names(listed=Path("list.txt"))


@pytest.mark.parametrize(
    ("name", "message"), [("none.txt", "no such file"), ("b", "is a directory")]
)
def test_a_list_that_cannot_be_read_is_named(here, name, message):
    """
    Users should not have to wait until TensorFlow has started, which takes seconds.
    """
    del here
    with pytest.raises(DataError, match=f"{name}: cannot be read, {message}"):
        ImageInputs([], Path(name))


@pytest.mark.parametrize(
    ("stdin", "error", "message"),
    [
        (Stdin(b""), DataError, "stdin is empty"),
        (Stdin(bytes(64 * 2**20 + 1)), DataError, "more than 64 MiB"),
        (Stdin(b"", is_terminal=True), UsageError, "stdin is a terminal"),
        (None, UsageError, "stdin is closed"),
    ],
    ids=["empty", "endless", "a terminal", "closed"],
)
def test_a_stdin_without_a_picture_is_an_error(monkeypatch, stdin, error, message):
    """
    `imgcls predict -` in a terminal would wait forever, and `/dev/zero` never ends.
    """
    monkeypatch.setattr(sys, "stdin", stdin)

    with pytest.raises(error, match=message):
        names("-")


def test_a_picture_on_stdin_stands_where_it_was_named(here, monkeypatch):
    """
    Users run `curl ... | imgcls predict before.png -`.
    """
    del here
    monkeypatch.setattr(sys, "stdin", Stdin(PICTURE))
    found = list(ImageInputs(["a.png", "-", "b/1.png"], None).each())

    assert [("a.png", Path("a.png")), ("-", PICTURE), ("b/1.png", Path("b/1.png"))] == [
        (each.name, each.source) for each in found
    ]


@pytest.mark.parametrize(
    ("images", "listed", "null", "message"),
    [
        ([], None, False, "predict takes images, or --from-file"),
        (["a.png"], None, True, "--null is of the names"),
        (["-", "-"], None, False, "given twice"),
        (["-"], Path("-"), False, "given twice"),
        (["a.png", "https://example.org/b.png"], None, False, "is a URL; download it first"),
        ([""], None, False, "has an empty name"),
    ],
)
def test_a_wrong_command_line_is_refused_at_once(images, listed, null, message):
    """
    Piped input must not be read in vain.
    """
    with pytest.raises(UsageError, match=message):
        ImageInputs(images, listed, null=null)
