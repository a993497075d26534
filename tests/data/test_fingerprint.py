"""What changed in the data is named, whatever it was."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from imgcls.config.components.datasets import Dataset
from imgcls.data.dataset import load
from imgcls.data.fingerprint import changes, copies, digests, fingerprint
from imgcls.data.reading import Split

CLASSES = ("cat", "dog", "emu")
CONTRADICTION = "1 image has the same pixels as one of another class (for example {})"


@pytest.fixture
def photos(tmp_path):
    """Three classes with their own training and validation folder, 4 and 2 pictures each."""
    for label, name in enumerate(CLASSES):
        for number in range(6):
            split = "train" if number < 4 else "validation"
            path = tmp_path / "photos" / split / name / f"{number:02}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            pixels = np.random.default_rng(label * 10 + number).integers(0, 256, (8, 8, 3))
            Image.fromarray(pixels.astype(np.uint8)).save(path)
    return tmp_path / "photos"


def recorded(folder, **fields):
    """The record as a run reads it back from its data.json."""
    text = {"folder": folder, "size": 8, "test": "none", **fields}
    data = load(Dataset.read(text), 0, lambda _: None)
    return json.loads(json.dumps(data.manifest))


def edit(file: Path, by=1):
    pixels = np.array(Image.open(file))
    pixels[0, 0, 0] += by
    Image.fromarray(pixels).save(file)


def test_a_moved_folder_is_the_same_data(photos, tmp_path):
    """
    Whoever tidies up between two nights must be able to go on.
    """
    before = recorded(photos)
    shutil.copytree(photos, tmp_path / "else" / "where")

    assert changes(before, recorded(tmp_path / "else" / "where")) is None


def test_what_was_added_removed_edited_and_renamed_is_counted(photos):
    """
    `the data has changed` sends the user through a million files.
    """
    before = recorded(photos)
    edit(photos / "train/cat/03.png")
    edit(photos / "validation/dog/04.png")
    (photos / "train/dog/00.png").unlink()
    for number in range(3):
        Image.new("RGB", (8, 8), (number, 0, 0)).save(photos / f"train/emu/new{number}.png")
    expected = "3 added, 1 removed, 2 edited (first: train/cat/03.png)"

    assert expected == changes(before, recorded(photos))

    (photos / "train/emu/00.png").rename(photos / "train/emu/99.png")
    assert changes(before, recorded(photos)) == expected.replace("edited", "edited, 1 renamed")


def test_a_picture_that_went_bad_is_edited(photos):
    """
    With bad images skipped, a disk that rots would change the data unseen.
    """
    before = recorded(photos, on_bad_image="skip")
    (photos / "train/cat/00.png").write_bytes(b"")
    after = recorded(photos, on_bad_image="skip")

    assert "1 edited (first: train/cat/00.png)" == changes(before, after)
    assert changes(after, after) is None


@pytest.mark.usefixtures("photos")
def test_a_picture_in_another_class_is_edited(tmp_path):
    """
    A label that is corrected in a table is a change, though no file is another.
    """
    rows = ["path,label", *(f"photos/train/{name}/00.png,{name}" for name in CLASSES)]
    rows += [f"photos/train/{name}/01.png,{name}" for name in CLASSES]
    table = tmp_path / "t.csv"
    text = {"csv": str(table), "size": 8, "test": "none", "validation": "none"}
    table.write_text("\n".join(rows))
    before = load(Dataset.read(text), 0, lambda _: None).manifest
    table.write_text("\n".join(rows).replace("cat/01.png,cat", "cat/01.png,dog"))
    after = load(Dataset.read(text), 0, lambda _: None).manifest

    assert "1 edited (first: cat/01.png)" == changes(before, after)


def test_classes_that_came_went_or_moved_are_named(photos):
    """
    In another order, every prediction would be of another class.
    """
    before = recorded(photos)
    order = recorded(photos, classes=["dog", "cat", "emu"])

    assert changes(before, order) == "classes cat, dog, emu then, dog, cat, emu now"
    for split in ("train", "validation"):
        (photos / split / "cat").rename(photos / split / "bat")
    renamed = changes(before, recorded(photos))
    assert renamed is not None
    assert renamed.startswith("classes cat, dog, emu then, bat, dog, emu now; ")


def test_arrays_tell_which_split_is_another(tmp_path):
    """
    They have no names to list, but the user knows which file holds the split.
    """
    file = tmp_path / "a.npz"
    pixels = np.random.default_rng(0).integers(0, 256, (40, 6, 6, 3), np.uint8)

    def saved(train, test=pixels[:10]):
        labels = np.arange(40) % 2
        np.savez(
            file,
            x_train=train,
            y_train=labels[: len(train)],
            x_test=test,
            y_test=labels[: len(test)],
        )
        return load(Dataset.read({"npz": file, "validation": "none"}), 0, lambda _: None).manifest

    before = saved(pixels)
    other = "has other images or labels"

    assert changes(before, saved(pixels)) is None
    assert changes(before, saved(pixels ^ 1)) == f"train {other}, 40 images then, 40 images now"
    assert changes(before, saved(pixels, pixels[:8])) == (
        f"test {other}, 10 images then, 8 images now"
    )


def test_only_what_both_have_read_is_compared(photos):
    """
    Training reads no test images, evaluation nothing else.
    """
    text = Dataset.read({"folder": photos, "size": 8, "test": "none"})
    train = load(text, 0, lambda _: None, only=("train",)).manifest
    edit(photos / "validation/cat/04.png")
    validation = load(text, 0, lambda _: None, only=("validation",)).manifest

    assert changes(train, validation) is None
    edit(photos / "train/cat/00.png")
    whole = load(text, 0, lambda _: None).manifest
    assert "1 edited (first: train/cat/00.png)" == changes(train, whole)


@pytest.mark.parametrize(
    "damage",
    [
        {"digests": None},
        {"digests": {"train": 7}},
        {"digests": {"train": ["00-9"] * 12}},
        {"files": ["a"]},
        {"files": None, "images": None},
        {"fingerprint": 3},
    ],
)
def test_a_record_of_an_older_release_or_a_damaged_one_is_compared_too(photos, damage):
    """
    The runs of the first release have no digests; a traceback would tell nobody anything.
    """
    before = recorded(photos)
    edit(photos / "train/cat/03.png")

    assert changes(before | damage, recorded(photos))
    del before["digests"]
    assert changes(before, before) is None


def test_a_thousand_edits_of_one_byte_are_all_noticed():
    """
    Of flipped bits in a BMP or WebP, next to none make it unreadable; only the content tells.
    """
    rng = np.random.default_rng(0)
    names = tuple(map(str, range(20)))
    split = Split(
        rng.integers(0, 256, (20, 6, 6, 3), np.uint8), np.arange(20, dtype=np.int32) % 3, names
    )

    def manifest(now):
        return {
            "classes": list(CLASSES),
            "files": {"train": list(names)},
            "digests": {"train": digests(now)},
            "fingerprint": {"train": fingerprint(now)},
        }

    before = manifest(split)
    for _ in range(1000):
        pixels = split.pixels.copy()
        at = int(rng.integers(pixels.size))
        pixels.reshape(-1)[at] ^= int(rng.integers(1, 256))
        now = manifest(Split(pixels, split.labels, names))

        assert changes(before, now) == f"1 edited (first: {at // 108})"


def test_pictures_in_two_splits_are_noted(photos):
    """
    A network that has seen its test pictures is not tested by them.
    """
    assert [] == recorded(photos)["notes"]
    shutil.copy(photos / "train/cat/00.png", photos / "validation/cat/a.png")

    note = "1 validation image also appears in train (for example {})"
    pair = "validation/cat/a.png = train/cat/00.png"
    assert [note.format(pair)] == recorded(photos)["notes"]
    # Under another label, in another format.
    Image.open(photos / "train/emu/01.png").save(photos / "validation/cat/b.bmp")
    assert [
        f"2 validation images also appear in train (for example {pair})",
        CONTRADICTION.format("train/emu/01.png (emu) = validation/cat/b.bmp (cat)"),
    ] == recorded(photos)["notes"]


def test_copies_in_arrays_are_noted_too(tmp_path):
    """
    Sets in npz files are made by scripts, and scripts draw with replacement.
    """
    pixels = np.random.default_rng(0).integers(0, 255, (40, 6, 6), np.uint8)
    labels = np.arange(40) % 2
    test, its = pixels[:3].copy(), labels[:3].copy()
    its[2] = 1
    path = tmp_path / "own.npz"
    np.savez(path, x_train=pixels, y_train=labels, x_test=test, y_test=its)
    dataset = Dataset.read({"npz": str(path), "validation": "none"})
    notes = load(dataset, 0, lambda _: None).manifest["notes"]

    assert [
        "3 test images also appear in train (for example test[0] = train[0])",
        CONTRADICTION.format("train[2] (0) = test[2] (1)"),
    ] == notes


def test_every_two_splits_are_compared_and_bad_files_are_like_nothing():
    """
    Two files that cannot be read are no pair of equal pictures.
    """
    files = {"train": ["a", "b"], "validation": ["c"], "test": ["d", "e"], "unread": ["f"]}
    marks: dict[str, list[str | None]] = {
        "train": ["1-0", None],
        "validation": ["2-0"],
        "test": ["2-1", None],
    }

    assert list(copies(files, marks, CLASSES)) == [
        "1 test image also appears in validation (for example d = c)",
        CONTRADICTION.format("c (cat) = d (dog)"),
    ]
