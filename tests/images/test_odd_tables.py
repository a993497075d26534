"""A table may contain anything; the result is its rows, or a list of the invalid lines."""

import os

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from imgcls.errors import DataError
from imgcls.images import arrays, table
from imgcls.images.table import Columns

CANARY = "../canary.png"

cells = st.sampled_from([
    "a.png", "b.png", "c.png", "./a.png", CANARY, "/etc/passwd", "", " ", "cat", "dog",
    "train", "val", "test", "0", "1", "9" * 5000, "x" * 300, "\0", '"', "\n", "\r", "é",
]) | st.text(max_size=6)  # fmt: skip
quoted = cells.map(lambda cell: '"' + cell.replace('"', '""') + '"') | cells
rows = st.lists(quoted, min_size=1, max_size=4).map(",".join)
right = st.sampled_from(["a.png,cat", "b.png,dog", "c.png,cat", "a.png,0", "b.png,1"])
headers = (
    st.sampled_from(["path,label", "path,label,split", "label,path", "\ufeffpath,label"]) | rows
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with images, next to a file that no table in the folder may reach."""
    outer = tmp_path_factory.mktemp("odd")
    inner = outer / "pictures"
    inner.mkdir()
    (outer / "canary.png").touch()
    for name in "abc":
        (inner / f"{name}.png").touch()
    return inner


@settings(
    max_examples=400, deadline=None, derandomize=True, database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(headers, st.lists(right | rows, max_size=6), st.sampled_from(["\n", "\r\n", "\r"]))
@example("path,label", ["a.png," + "9" * 5000, "b.png,1"], "\n")
@example("path,label", ["x" * 300 + ".png,cat", "b.png,dog"], "\n")
@example("path,label", ["a.png," + "x" * 200_000, "b.png,dog"], "\n")
@example(",".join(["path", "label", *["x"] * 20_000]), ["a.png,cat"], "\n")
def test_a_table_gives_pictures_inside_its_folder_or_is_refused(folder, header, lines, ending):
    """
    Tables come from spreadsheets, scripts and strangers.
    """
    file = folder / "labels.csv"
    file.write_bytes(ending.join([header, *lines, ""]).encode())
    refusal = ""
    try:
        found = table.find(file, Columns())
    except DataError as error:
        refusal = str(error)
    if refusal:
        assert refusal.startswith(f"{file}: ")
        return
    for pictures in found.splits.values():
        assert all(picture.parent == folder for picture in pictures.files)
        assert len(pictures.files) == len(pictures.labels)
        assert pictures.labels.max() < len(found.classes)


@pytest.mark.parametrize("way", [table.find, arrays.load])
def test_a_pipe_in_the_place_of_a_table_or_of_arrays_is_refused_and_does_not_hang(way, tmp_path):
    """
    Opening a pipe would wait forever for a writer.
    """
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(DataError, match="pipe: not a regular file"):
        way(tmp_path / "pipe")


def test_a_row_with_a_name_that_is_too_long_is_one_wrong_row(folder):
    """
    The system error was once reported for the whole table, without a line number.
    """
    file = folder / "labels.csv"
    file.write_text(f"path,label\na.png,cat\n{'x' * 300}.png,dog\nb.png,dog\n")

    with pytest.raises(DataError, match=r"1 bad row\n  line 3: x+\.png: file name too long$"):
        table.find(file, Columns())
