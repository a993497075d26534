"""Folders are looked through alike on every machine, without traps."""

import os
import subprocess
import tracemalloc
from pathlib import Path

import pytest

from imgcls.errors import DataError
from imgcls.images.find import Finder, pictures


def test_pictures_are_found_by_name_in_any_case_sorted(tmp_path):
    """
    Keras leaves WebP and TIFF out without a word; the order must not hang on the file system.
    """
    names = ["b.JPG", "a.jpeg", "c.PNG", "d.bmp", "e.gif", "f.WebP", "g.tif", "h.TIFF", "z/y.png"]
    (tmp_path / "z").mkdir()
    for name in [*names, "notes.txt", "README", "a.jpg.part"]:
        (tmp_path / name).touch()
    finder = Finder()

    assert sorted(tmp_path / name for name in names) == finder.pictures(tmp_path)
    assert {".txt": 1, "": 1, ".part": 1} == finder.others
    assert ("skipped files that are not images: 3 (no ending, .txt, .part)",) == tuple(
        note.replace(".part, .txt", ".txt, .part") for note in finder.notes()
    )


def test_an_image_is_found_whatever_its_name_ends_in(tmp_path, picture):
    """
    Browsers save .jfif, and archives of the web name images by their digest alone.
    """
    for name in ("a.jfif", "b", "c.image", "d.2024"):
        picture(tmp_path / "x.png")
        (tmp_path / "x.png").rename(tmp_path / name)
    (tmp_path / "e").write_text("no image", encoding="utf-8")
    finder = Finder()

    assert ["a.jfif", "b", "c.image", "d.2024"] == [file.name for file in finder.pictures(tmp_path)]
    assert {"": 1} == finder.others


def test_images_in_formats_that_cannot_be_read_are_counted_by_ending(tmp_path):
    """
    A bare count of skipped files does not say that a phone's photographs are missing.
    """
    for name in ("a.HEIC", "b.heic", "c.nef"):
        (tmp_path / name).touch()
    finder = Finder()
    finder.pictures(tmp_path)

    assert (
        "skipped 2 .heic: this format cannot be read; convert them to JPEG or PNG",
        "skipped 1 .nef: this format cannot be read; convert them to JPEG or PNG",
    ) == finder.notes()


@pytest.mark.parametrize(
    "name", [".DS_Store", "._a.jpg", ".ipynb_checkpoints", "Thumbs.db", "@eaDir", "__MACOSX"]
)
def test_leavings_of_other_programs_are_neither_classes_nor_pictures(tmp_path, name):
    """
    A class `.ipynb_checkpoints` spoils a training without anyone seeing why.
    """
    (tmp_path / "cat").mkdir()
    if "." in name[1:] and not name.endswith("checkpoints"):
        (tmp_path / name).touch()
    else:
        (tmp_path / name).mkdir()
        (tmp_path / name / "x.jpg").touch()
    finder = Finder()

    assert [tmp_path / "cat"] == finder.folders(tmp_path)
    assert not finder.pictures(tmp_path)
    assert ("skipped hidden files or folders: 1",) == finder.notes()


def test_pipes_are_left_out_and_dangling_links_kept(tmp_path):
    """
    A pipe would hang the decoder; a link to nowhere was meant to be a picture and must be named.
    """
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "gone.jpg").symlink_to("nowhere.jpg")
    (tmp_path / "real.jpg").touch()
    (tmp_path / "link.jpg").symlink_to("real.jpg")

    assert ["gone.jpg", "link.jpg", "real.jpg"] == [file.name for file in pictures(tmp_path)]


def test_links_to_folders_inside_are_not_followed(tmp_path):
    """
    A link back up would never end, or bring one class's pictures into another.
    """
    (tmp_path / "cat").mkdir()
    (tmp_path / "cat" / "a.jpg").touch()
    (tmp_path / "cat" / "loop").symlink_to(tmp_path)
    finder = Finder()

    assert [tmp_path / "cat" / "a.jpg"] == finder.pictures(tmp_path)
    assert (f"{tmp_path}/cat/loop: a link to a folder is not followed",) == finder.notes()


@pytest.mark.parametrize("target", [".", "..", "cat"])
def test_a_class_folder_that_leads_to_others_is_refused(tmp_path, target):
    """
    Its pictures would count twice, under two names.
    """
    root = tmp_path / "photos"
    (root / "cat").mkdir(parents=True)
    (root / "twin").symlink_to(target)

    with pytest.raises(DataError, match=r"twin: leads to .* would count twice"):
        Finder().folders(root)


def test_a_class_folder_may_be_a_link(tmp_path):
    """
    People link the classes they want into a folder instead of copying gigabytes.
    """
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "a.jpg").touch()
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat").symlink_to(tmp_path / "elsewhere")

    assert [tmp_path / "photos" / "cat"] == Finder().folders(tmp_path / "photos")
    assert [tmp_path / "photos/cat/a.jpg"] == pictures(tmp_path / "photos/cat")


def test_what_is_no_folder_is_named(tmp_path):
    """
    The most frequent mistake of all is a wrong path.
    """
    (tmp_path / "file").touch()

    with pytest.raises(DataError, match="photos: no such folder"):
        pictures(tmp_path / "photos")
    with pytest.raises(DataError, match="file: a file, not a folder"):
        pictures(tmp_path / "file")


def test_a_folder_of_many_pictures_is_looked_through_one_by_one(tmp_path):
    """
    A million pictures are a million names; more than these must not be held.
    """
    for number in range(5000):
        (tmp_path / f"{number:06}.jpg").touch()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        count = sum(1 for _ in Finder().walk(tmp_path))
        peak = tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()

    assert 5000 == count
    assert peak < 5000 * 500


def test_folders_may_be_nested_deeper_than_python_calls(tmp_path, monkeypatch):
    """
    A script that went wrong leaves folders inside folders; looking through them must not crash.
    """
    (tmp_path / "cat").mkdir()
    (tmp_path / "cat" / "a.png").touch()
    monkeypatch.chdir(tmp_path / "cat")
    for _ in range(1100):
        Path("d").mkdir()
        os.chdir("d")
    Path("b.png").touch()
    os.chdir(tmp_path)

    assert ["a.png", "b.png"] == [file.name for file in pictures(Path("cat"))]
    subprocess.run(["rm", "-rf", tmp_path / "cat"], check=True)
