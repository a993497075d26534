"""A CSV file becomes labeled splits, or its invalid lines are reported."""

import pytest

from imgcls.errors import DataError
from imgcls.images import table
from imgcls.images.table import Columns


@pytest.fixture
def pictured(tmp_path, picture):
    """A folder with five images, and a function that writes a table next to them."""
    for name in "abcde":
        picture(tmp_path / f"{name}.png")

    def write(text, encoding="utf-8"):
        file = tmp_path / "labels.csv"
        file.write_bytes(text.encode(encoding))
        return file

    return write


def test_rows_are_labelled_pictures(pictured, tmp_path):
    """
    Laboratories keep labels in a table and all images in one folder.
    """
    found = table.find(pictured("path,label\na.png,dog\nb.png,cat\nc.png,dog\n"))

    assert ("cat", "dog") == found.classes
    assert [1, 0, 1] == found.splits["train"].labels.tolist()
    assert tuple(tmp_path / f"{name}.png" for name in "abc") == found.splits["train"].files
    assert ["train"] == list(found.splits)


@pytest.mark.parametrize(
    "text",
    [
        "\ufeffpath,label\r\na.png,cat\r\nb.png,dog\r\n",
        'label, path, note\ncat, a.png,\n"dog", "b.png", "a, b"\n\n',
        "note,path,label\nx,./a.png,cat\ny,x/../b.png,dog",
    ],
)
def test_dialects_of_spreadsheets_are_read(pictured, text):
    """
    Excel writes a byte order mark and CRLF; people write spaces after commas.
    """
    found = table.find(pictured(text))

    assert ("cat", "dog") == found.classes
    assert ["a.png", "b.png"] == [file.name for file in found.splits["train"].files]


def test_columns_may_be_called_otherwise_and_say_the_split(pictured):
    """
    Published tables use other column names, and their splits must be kept to compare results.
    """
    text = (
        "file,kind,fold\na.png,x,train\nb.png,y,Val\nc.png,x,test\nd.png,y,TRAIN\ne.png,x,valid\n"
    )
    found = table.find(pictured(text), Columns("file", "kind", "fold", must_split=True))
    counts = {split: len(pictures.labels) for split, pictures in found.splits.items()}

    assert {"train": 2, "validation": 2, "test": 1} == counts


def test_numbers_are_in_the_order_of_numbers(pictured):
    """
    In alphabetical order, class 10 would come before class 2.
    """
    found = table.find(pictured("path,label\na.png,10\nb.png,2\nc.png,0\n"))

    assert ("0", "2", "10") == found.classes


def test_classes_name_numbers_or_give_the_order(pictured):
    """
    Numbers as class names mean nothing to a reader of the results.
    """
    numbers = pictured("path,label\na.png,1\nb.png,0\n")
    assert [1, 0] == table.find(numbers, None, ("cat", "dog")).splits["train"].labels.tolist()
    words = pictured("path,label\na.png,cat\nb.png,dog\n")
    assert [1, 0] == table.find(words, None, ("dog", "cat")).splits["train"].labels.tolist()


BAD = {
    "path,label\nx.png,cat\n": r"labels\.csv: 1 bad row\n  line 2: x\.png: no such file",
    "path,label\na.png\n": "line 2: 1 cells, expected 2",
    "path,label\na.png,cat,3\n": "line 2: 3 cells, expected 2",
    "path,label\na.png,\n": "line 2: no label",
    "path,label\n,cat\n": "line 2: no path",
    "path,label\na\0.png,cat\n": "line 2: the path has a NUL character",
    "path,label\n../a.png,cat\n": r"line 2: \.\./a\.png is outside .*; dataset\.root says where",
    "path,label\n/etc/passwd,cat\n": "line 2: /etc/passwd is outside",
    "path,label\na.png,cat\nb.png,dog\na.png,dog\n": r"line 4: a\.png is on line 2 already",
    "path,label,split\na.png,cat,tset\n": "line 2: split must be .*got 'tset'",
    "path,kind\na.png,cat\n": "no column label; its columns are path, kind; name others with",
    "path,path,label\na.png,a.png,cat\n": "two columns path",
    "": "no column path, label; it is empty",
    "path,label\n": "no rows below the header",
    'path,label\n"a.png,cat\n': "line 2: unexpected end of data",
    'path,label\n"a"x.png,cat\n': "line 2: ',' expected after '\"'",
    "path,label\na.png,cat\nb.png,Cat\n": "classes 'Cat' and 'cat' differ in case",
}


@pytest.mark.parametrize("text", BAD)
def test_a_wrong_table_is_told_by_its_lines(pictured, text):
    """
    A table has thousands of rows: an error without a line number is no help.
    """
    with pytest.raises(DataError, match=BAD[text]):
        table.find(pictured(text), Columns())


def test_all_bad_rows_are_told_at_once_up_to_twenty(pictured):
    """
    If errors were reported one at a time, a hundred bad rows would take a hundred attempts.
    """
    rows = "".join(f"{number}.png,cat\n" for number in range(100))
    with pytest.raises(DataError) as caught:
        table.find(pictured(f"path,label\n{rows}"))

    assert "100 bad rows" in str(caught.value)
    assert "line 21: 19.png" in str(caught.value)
    assert "line 22" not in str(caught.value)
    assert str(caught.value).endswith("and 80 more")


def test_labels_that_are_not_among_the_classes_are_told(pictured):
    """
    A misspelled label would otherwise become a class of its own.
    """
    file = pictured("path,label\na.png,cat\nb.png,dgo\n")
    with pytest.raises(DataError, match="line 3: unknown label 'dgo'; the labels are cat, dog"):
        table.find(file, None, ("cat", "dog"))
    file = pictured("path,label\na.png,0\nb.png,2\n")
    with pytest.raises(DataError, match="line 3: unknown label '2'; the labels are 0, 1"):
        table.find(file, None, ("cat", "dog"))


def test_root_says_where_paths_may_lead(pictured, tmp_path):
    """
    A table from a stranger must not read arbitrary files, unless the user allows it.
    """
    file = pictured(f"path,label\n{tmp_path}/a.png,cat\n../{tmp_path.name}/b.png,dog\n")

    assert len(table.find(file, root=tmp_path).classes) == 2
    (tmp_path / "below").mkdir()
    with pytest.raises(DataError, match="2 bad rows"):
        table.find(file, root=tmp_path / "below")


def test_a_table_that_cannot_be_read_is_named(pictured, tmp_path):
    """
    Spreadsheets save files in various encodings.
    """
    with pytest.raises(DataError, match=r"not UTF-8: .*; save it as UTF-8"):
        table.find(pictured("path,label\na.png,caf\u00e9\n", "latin-1"))
    with pytest.raises(DataError, match=r"none\.csv: no such file"):
        table.find(tmp_path / "none.csv")
    with pytest.raises(DataError, match="is a directory"):
        table.find(tmp_path)
    with pytest.raises(DataError, match="no column split; its columns are path, label"):
        table.find(pictured("path,label\na.png,cat\n"), Columns(must_split=True))


@pytest.mark.parametrize(
    "text",
    [
        "path;label\na.png;cat\nb.png;dog\n",
        "path\tlabel\na.png\tcat\nb.png\tdog\n",
        "sep=;\r\npath;label\r\na.png;cat\r\nb.png;dog\r\n;\r\n;\r\n",
        '"path";"label"\n"a.png";"cat"\n"b.png";"dog"\n',
        "path,label\na.png,cat\nb.png,dog\n,\n , \n",
    ],
)
def test_exports_of_spreadsheets_are_read(pictured, text):
    """
    Where the comma is the decimal separator, Excel writes semicolons, and empty rows at the end.
    """
    found = table.find(pictured(text))

    assert ("cat", "dog") == found.classes
    assert ["a.png", "b.png"] == [file.name for file in found.splits["train"].files]


def test_lines_are_counted_from_the_start_of_the_file(pictured):
    """
    A message about the wrong line sends the user to the wrong image.
    """
    with pytest.raises(DataError, match="line 4: no label"):
        table.find(pictured("sep=;\npath;label\na.png;cat\nb.png;\n"))


@pytest.mark.parametrize(
    ("written", "advice"),
    [
        ("a", "a: no such file; did you mean a.png?"),
        ("in\\a.png", "no such file; write / in place of"),
        ("$HOME/a.png", "variables and ~ are not expanded"),
        ("~/a.png", "variables and ~ are not expanded"),
        ("https://example.org/a.png", "URLs are not downloaded"),
        ("images/cat/a.png", "there is no folder {folder}/images"),
    ],
)
def test_a_missing_file_says_what_was_probably_meant(pictured, tmp_path, picture, written, advice):
    """
    "No such file" for each of 10,000 rows does not say that all of them lack the ending.
    """
    picture(tmp_path / "in" / "a.png")
    with pytest.raises(DataError) as told:
        table.find(pictured(f"path,label\n{written},cat\nb.png,dog\n"))

    assert advice.format(folder=tmp_path) in str(told.value)


def test_labels_that_start_at_1_are_recognized(pictured):
    """
    MATLAB counts from 1; shifted labels would name every class wrong.
    """
    text = "path,label\na.png,1\nb.png,2\nc.png,3\n"

    with pytest.raises(DataError, match=r"unknown label '3'; .*; subtract 1 from all of them"):
        table.find(pictured(text), Columns(), ("cat", "dog", "emu"))


def test_paths_relative_to_the_table_are_found_inside_the_root(tmp_path, picture):
    """
    `root: ..` must not turn "../images/x.png is outside" into the same message again.
    """
    for name in ("images/x.png", "images/y.png"):
        picture(tmp_path / name)
    file = tmp_path / "tables" / "labels.csv"
    file.parent.mkdir()
    file.write_text("path,label\n../images/x.png,cat\nimages/y.png,dog\n", encoding="utf-8")
    found = table.find(file, root=tmp_path)

    assert ("x.png", "y.png") == tuple(each.name for each in found.splits["train"].files)


def test_a_line_without_an_end_is_rejected_before_it_is_read(pictured):
    """
    A file of one line of gigabytes must not fill the memory.
    """
    with pytest.raises(DataError, match="more than 1,048,576 characters"):
        table.find(pictured("path,label\n" + "x" * 3_000_000))
