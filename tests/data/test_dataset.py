"""A data set in memory: correct pixels, correct labels, a manifest that reveals every change."""

import json
import os
import signal
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from imgcls.config.components.datasets import Dataset
from imgcls.data.dataset import load, load_labelled
from imgcls.errors import ConfigError, DataError
from imgcls.events import Event, Scanning
from imgcls.images.load import load as load_picture
from imgcls.images.pictures import SPLITS
from tests.specs import spec_of

CLASSES = ("cat", "dog", "emu")


@pytest.fixture
def photos(tmp_path):
    """3 classes with 12 images each, of many sizes; the red value identifies an image."""
    for label, name in enumerate(CLASSES):
        for number in range(12):
            path = tmp_path / "photos" / name / f"{number:02}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            level = label * 80 + number * 3
            shape = (20 + number, 30 - number, 3)
            pixels = np.random.default_rng(level).integers(0, 256, shape, np.uint8)
            pixels[..., 0] = level
            Image.fromarray(pixels).save(path)
    return tmp_path / "photos"


@pytest.fixture
def npz(tmp_path):
    """Returns a function that writes an npz file with two classes of 20 images."""

    def write(height=6, width=8, channels=3, **more):
        pixels = np.random.default_rng(0).integers(0, 256, (40, height, width, channels), np.uint8)
        file = tmp_path / "a.npz"
        np.savez(file, x_train=pixels, y_train=np.arange(40) % 2, **more)
        return file, pixels

    return write


def loaded(text, seed=0, **options):
    events: list[object] = []
    data = load(Dataset.read(text), seed, events.append, **options)
    return data, events


def test_files_are_loaded_with_their_labels_and_names(photos):
    """
    If labels were shifted by one, training would only reach chance, with no hint why.
    """
    data, events = loaded({"folder": photos, "size": 16})

    assert CLASSES == data.spec.classes
    assert ((16, 16), (16, 16), 3) == (data.spec.size, data.spec.stored, data.spec.channels)
    assert {"train": 28, "validation": 4, "test": 4} == {
        split: len(images.labels) for split, images in data.splits.items()
    }
    for images in data.splits.values():
        assert (len(images.labels), 16, 16, 3) == images.pixels.shape
        for pixels, label, name in zip(images.pixels, images.labels, images.names, strict=True):
            assert CLASSES[label] == Path(name).parent.name
            assert np.array_equal(load_picture(Path(name), (16, 16), 3, "stretch"), pixels)
    assert Scanning(36, 36) == events[-1]
    assert sorted(events, key=lambda event: event.done) == events


def test_arrays_are_loaded_with_their_labels_and_names(npz):
    """
    `train[17]` must be element 17 of the array, whatever split it went to.
    """
    file, pixels = npz()
    data, _ = loaded({"npz": file})

    assert {"train", "validation", "test"} == set(data.splits)
    for images in data.splits.values():
        at = [int(name.removeprefix("train[").removesuffix("]")) for name in images.names]
        assert np.array_equal(pixels[at], images.pixels)
        assert [number % 2 for number in at] == images.labels.tolist()


@pytest.mark.parametrize(
    ("size", "resize", "stored"),
    [
        (None, "stretch", (6, 8)),
        ((6, 8), "crop", (6, 8)),
        ((60, 60), "stretch", (6, 8)),
        ((60, 80), "crop", (6, 8)),
        ((60, 60), "crop", (60, 60)),
        ((60, 60), "pad", (60, 60)),
        ((3, 4), "stretch", (3, 4)),
        ((3, 80), "stretch", (3, 80)),
    ],
)
def test_what_is_kept_is_the_smaller_of_source_and_size(npz, size, resize, stored):
    """
    CIFAR-10 at 224 pixels takes 7.5 GB; its original pixels take 150 MB.
    """
    file, _ = npz()
    data, _ = loaded({"npz": file, "size": size, "resize": resize})

    assert (size or (6, 8), stored) == (data.spec.size, data.spec.stored)
    assert stored == data.splits["train"].pixels.shape[1:3]
    assert list(stored) == data.manifest["stored"]


def test_files_of_one_small_size_are_kept_small(photos, tmp_path):
    """
    CIFAR-10 unpacked to files must take no more memory than as an array.
    """
    assert loaded({"folder": photos, "size": 64})[0].spec.stored == (64, 64)
    for file in photos.rglob("*.png"):
        Image.open(file).resize((10, 8)).save(file)

    assert loaded({"folder": photos, "size": 64})[0].spec.stored == (8, 10)
    assert loaded({"folder": photos, "size": 64, "resize": "pad"})[0].spec.stored == (64, 64)
    Image.new("RGB", (10, 9)).save(photos / "emu" / "11.png")
    assert loaded({"folder": photos, "size": 64})[0].spec.stored == (64, 64)
    assert tmp_path in photos.parents


@pytest.mark.parametrize(("have", "want"), [(1, 3), (3, 1), (3, 3), (1, 1)])
def test_channels_are_what_is_asked_for(npz, have, want):
    """
    A network for color images must be able to learn from gray ones, and vice versa.
    """
    file, pixels = npz(channels=have)
    shrunk, _ = loaded({"npz": file, "channels": want, "size": (3, 4)}, only=["train"])
    first = int(shrunk.splits["train"].names[0][6:-1])
    picture = file.parent / "first.png"
    Image.fromarray(pixels[first] if have == 3 else pixels[first, ..., 0]).save(picture)

    assert np.array_equal(
        load_picture(picture, (3, 4), want, "stretch"), shrunk.splits["train"].pixels[0]
    )


def test_only_the_splits_asked_for_are_read(photos):
    """
    Training never decodes the test images; reading their headers shows that they are images.
    """
    whole, _ = loaded({"folder": photos, "size": 16})
    for name in whole.splits["test"].names:
        Path(name).write_bytes(Path(name).read_bytes()[:60])
    data, events = loaded({"folder": photos, "size": 16}, only=("train", "validation"))

    assert ["train", "validation"] == list(data.splits)
    assert Scanning(32, 32) == events[-1]
    assert data.manifest["images"] == {"train": 28, "validation": 4, "test": 4}
    for split in ("train", "validation"):
        assert whole.manifest["fingerprint"][split] == data.manifest["fingerprint"][split]


def test_bad_files_are_all_named_before_training(photos):
    """
    Keras fails in the middle of an epoch, without naming the file.
    """
    (photos / "cat" / "03.png").write_bytes(b"")
    (photos / "dog" / "05.png").write_bytes(b"<html>")
    with pytest.raises(DataError) as caught:
        loaded({"folder": photos, "size": 16})

    lines = str(caught.value).splitlines()
    assert lines[0] == f"{photos}: 2 images cannot be read"
    assert {
        f"  {photos}/cat/03.png: empty",
        f"  {photos}/dog/05.png: not an image but an HTML page",
    } == set(lines[1:])
    assert caught.value.hint == "dataset.on_bad_image: skip leaves them out"


def test_a_file_that_disappears_while_the_others_are_read_is_named(photos):
    """
    Hours can pass between listing a million files and reading the last of them.
    """
    text = {"folder": photos, "size": 16}
    gone = Path(loaded(text)[0].splits["test"].names[0])  # the split that is read last

    with pytest.raises(DataError) as caught:
        load(Dataset.read(text), 0, lambda _: gone.unlink(missing_ok=True))

    assert str(caught.value) == (
        f"{photos}: 1 image cannot be read\n  {gone}: no such file or directory"
    )


def test_a_size_that_no_disk_holds_is_refused_before_anything_is_read(photos):
    """
    One zero too many must not fill the memory first.
    """
    events: list[object] = []
    with pytest.raises(ConfigError) as caught:
        load(Dataset.read({"folder": photos, "size": 10**7}), 0, events.append)

    assert "dataset.size" == caught.value.mistakes[0].key
    message = caught.value.mistakes[0].message
    assert message.startswith("36 images of 10000000 x 10000000 pixels need 9.6 PiB; ")
    assert message.endswith(" are free")
    assert [] == events


def test_skipped_files_are_left_out_and_recorded(photos):
    """
    The other images must keep their labels, and the run must record which files were skipped.
    """
    whole, _ = loaded({"folder": photos, "size": 16})
    bad = Path(whole.splits["train"].names[3])
    bad.write_bytes(b"")
    data, _ = loaded({"folder": photos, "size": 16, "on_bad_image": "skip"})
    before, after = whole.splits["train"], data.splits["train"]

    assert [{"file": str(bad), "reason": "empty"}] == data.manifest["skipped"]
    assert (*before.names[:3], *before.names[4:]) == after.names
    assert np.array_equal(np.delete(before.pixels, 3, axis=0), after.pixels)
    assert np.array_equal(np.delete(before.labels, 3), after.labels)


def test_a_class_of_bad_files_alone_cannot_be_skipped(photos):
    """
    No image would be left to learn that class from.
    """
    for file in (photos / "dog").iterdir():
        file.write_bytes(b"")
    with pytest.raises(DataError, match="no training images of 'dog'"):
        loaded({"folder": photos, "size": 16, "on_bad_image": "skip", "validation": "none"})


@pytest.mark.parametrize("split", ["validation", "test"])
def test_a_split_of_bad_files_alone_cannot_be_skipped(photos, tmp_path, split):
    """
    No image would be left to select the best epoch with, or to evaluate on hours later.
    """
    for name in CLASSES:
        (tmp_path / "more" / name).mkdir(parents=True)
        (tmp_path / "more" / name / "1.png").write_bytes(b"")
    text = {"folder": photos, "size": 16, "on_bad_image": "skip", split: tmp_path / "more"}
    for only in (SPLITS, ("train", "validation")):
        with pytest.raises(DataError, match=f"none of the {split} images can be read"):
            loaded(text, only=only)


def test_the_record_says_what_was_found_and_made(photos):
    """
    Months later, nobody remembers what a run was trained on.
    """
    (photos / ".DS_Store").touch()
    data, _ = loaded({"folder": photos, "size": 16, "test": "none", "validation": "0.25"})
    manifest = json.loads(json.dumps(data.manifest))

    assert manifest == data.manifest
    assert {"train": 27, "validation": 9} == manifest["images"]
    assert {"cat": 3, "dog": 3, "emu": 3} == manifest["counts"]["validation"]
    assert {"validation": 0.25} == manifest["made"]
    assert str(photos) == manifest["source"]
    assert manifest["folder"] == str(photos)
    assert ["skipped hidden files or folders: 1"] == manifest["notes"]
    assert len(manifest["files"]["train"]) == 27
    assert "cat/" in manifest["files"]["train"][0]


@pytest.mark.parametrize("change", ["pixel", "label", "added", "removed", "class"])
def test_every_change_of_the_data_is_noticed(photos, change):
    """
    Resuming on changed data gives a mix of two models; file sizes and dates prove nothing.
    """
    before, _ = loaded({"folder": photos, "size": 64, "test": "none", "validation": "none"})
    file = photos / "cat" / "03.png"
    if change == "pixel":
        pixels = np.array(Image.open(file))
        pixels[10, 10, 0] ^= 255
        Image.fromarray(pixels).save(file)
    elif change == "label":
        file.rename(photos / "dog" / "a03.png")
    elif change == "added":
        Image.new("RGB", (8, 8)).save(photos / "cat" / "new.png")
    elif change == "removed":
        file.unlink()
    else:
        (photos / "cat").rename(photos / "bat")
    after, _ = loaded({"folder": photos, "size": 64, "test": "none", "validation": "none"})

    part = "classes" if change == "class" else "train"
    assert before.manifest["fingerprint"][part] != after.manifest["fingerprint"][part]


def test_other_labels_of_the_same_images_are_noticed(npz):
    """
    Corrected labels are different data, even if no pixel has changed.
    """
    file, pixels = npz()
    text = {"npz": file, "validation": "none", "test": "none"}
    before, _ = loaded(text)
    np.savez(file, x_train=pixels, y_train=np.arange(1, 41) % 2)
    after, _ = loaded(text)

    assert np.array_equal(before.splits["train"].pixels, after.splits["train"].pixels)
    assert before.manifest["fingerprint"] != after.manifest["fingerprint"]


def test_the_fingerprint_does_not_hang_on_where_the_data_lies(photos, tmp_path):
    """
    A folder may be moved; only its contents matter.
    """
    one, _ = loaded({"folder": photos, "size": 16})
    photos.rename(tmp_path / "moved")
    other, _ = loaded({"folder": tmp_path / "moved", "size": 16})

    assert one.manifest["fingerprint"] == other.manifest["fingerprint"]


def test_ctrl_c_ends_the_scan(photos):
    """
    Ctrl-C must work while a million files are being read.
    """

    def press(_: Event) -> None:
        os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        load(Dataset.read({"folder": photos, "size": 16}), 0, press)


def test_a_missing_folder_and_an_empty_split_are_told(photos, tmp_path):
    """
    These two most common mistakes must be reported before anything is created.
    """
    with pytest.raises(DataError, match="nowhere: no such folder"):
        loaded({"folder": tmp_path / "nowhere", "size": 16})
    for name in CLASSES:
        (tmp_path / "test" / name).mkdir(parents=True)
    with pytest.raises(DataError, match="no test images"):
        loaded({"folder": photos, "size": 16, "test": str(tmp_path / "test")})


def test_other_labelled_images_are_matched_by_name(photos):
    """
    Matched by order, a run on cat, dog, emu would score a folder of dog and emu as cat and dog.
    """
    classes = ("emu", "bat", "dog", "cat")
    split = load_labelled(photos, spec_of(classes, (16, 16), 3, resize="crop"))

    assert (36, 16, 16, 3) == split.pixels.shape
    assert {0, 2, 3} == set(split.labels.tolist())
    for label, name, pixels in zip(split.labels, split.names, split.pixels, strict=True):
        assert classes[label] == Path(name).parent.name
        assert np.array_equal(load_picture(Path(name), (16, 16), 3, "crop"), pixels)
    with pytest.raises(DataError, match="unknown class 'emu'; the classes are cat, dog"):
        load_labelled(photos, spec_of(("cat", "dog"), (16, 16), 3, resize="crop"))


def test_other_labelled_images_may_be_a_table_or_arrays(photos, npz):
    """
    `evaluate --data` must accept the same formats as training.
    """
    table = photos / "t.csv"
    table.write_text("path,label\ndog/03.png,dog\nemu/01.png,emu\n")
    split = load_labelled(table, spec_of(CLASSES, (16, 16), 1, resize="pad"))
    assert ([1, 2], (2, 16, 16, 1)) == (split.labels.tolist(), split.pixels.shape)

    file, pixels = npz(x_test=np.zeros((3, 6, 8, 3), np.uint8), y_test=[2, 1, 1])
    split = load_labelled(file, spec_of(CLASSES, (6, 8), 3, resize="pad"))
    assert [2, 1, 1] == split.labels.tolist()
    assert ("test[0]", "test[1]", "test[2]") == split.names
    with pytest.raises(DataError, match="must be a class from 0 to 1, got 2"):
        load_labelled(file, spec_of(("a", "b"), (6, 8), 3, resize="pad"))
    assert len(pixels) == 40


def test_of_labelled_images_with_splits_the_test_is_taken(photos, tmp_path):
    """
    Scoring on images that the network was trained on would overestimate it.
    """
    root = tmp_path / "set"
    for split in ("train", "validation"):
        for name in CLASSES:
            (root / split / name).mkdir(parents=True)
            os.link(photos / name / "00.png", root / split / name / "a.png")
    with pytest.raises(DataError, match="has train, validation images, but no test images"):
        load_labelled(root, spec_of(CLASSES, (8, 8), 3, resize="pad"))
    (root / "test" / "dog").mkdir(parents=True)
    with pytest.raises(DataError, match="no test images"):
        load_labelled(root, spec_of(CLASSES, (8, 8), 3, resize="pad"))
    os.link(photos / "dog" / "00.png", root / "test" / "dog" / "b.png")

    assert [1] == load_labelled(root, spec_of(CLASSES, (8, 8), 3, resize="pad")).labels.tolist()
    (root / "test" / "dog" / "b.png").unlink()
    (root / "test" / "dog" / "c.png").write_bytes(b"")
    with pytest.raises(DataError, match="1 image cannot be read"):
        load_labelled(root, spec_of(CLASSES, (8, 8), 3, resize="pad"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("file,label\na.png,cat\n", "t.csv: no column path; its columns are file, label"),
        ("path,label\n../a.png,cat\n", "../a.png is outside {folder}"),
        ("path,label\ncat/bad.png,cat\n", "{folder}/cat/bad.png: empty"),
    ],
)
def test_other_labelled_images_are_not_sent_to_keys_of_a_config(photos, text, message):
    """
    With `evaluate --data` there is no dataset section to fix, so no error may point to one.
    """
    (photos / "cat" / "bad.png").touch()
    (photos / "t.csv").write_text(text)
    with pytest.raises(DataError) as caught:
        load_labelled(photos / "t.csv", spec_of(CLASSES, (8, 8), 3, resize="pad"))

    assert str(caught.value).endswith(message.format(folder=photos))
    assert caught.value.hint is None


def test_evaluation_opens_no_files_but_those_of_its_split(photos):
    """
    The sizes are recorded in the run; opening the headers of 60,000 other files takes longer than
    evaluating 10,000.
    """
    data, _ = loaded({"folder": str(photos), "size": 8})
    before = data.splits["test"]
    for name in data.splits["train"].names:
        Path(name).write_bytes(b"")

    again, _ = loaded({"folder": str(photos), "size": 8}, only=("test",), stored=(8, 8))
    assert np.array_equal(before.pixels, again.splits["test"].pixels)
    with pytest.raises(DataError, match="images cannot be read"):
        loaded({"folder": str(photos), "size": 8}, only=("test",))


def test_many_files_that_are_bad_for_the_same_reason_are_one_line_more(photos):
    """
    Twenty lines of one reason hide the others, and a hint to skip all images would fail too.
    """
    for file in (photos / "cat").iterdir():
        file.write_bytes(b"")
    (photos / "dog" / "00.png").write_bytes(b"hello")
    with pytest.raises(DataError) as told:
        loaded({"folder": str(photos), "size": 8})
    lines = str(told.value).splitlines()

    assert 1 + 3 + 1 + 1 == len(lines)
    assert "  and 9 more: empty" in lines
    assert told.value.hint is not None
    for file in photos.glob("*/*"):
        file.write_bytes(b"")
    with pytest.raises(DataError, match="36 images cannot be read") as told:
        loaded({"folder": str(photos), "size": 8})
    assert told.value.hint is None


def test_only_classes_that_were_listed_leave_out_others(photos, tmp_path):
    """
    Images of a class that only the test split has must not vanish from the test.
    """
    root = tmp_path / "set"
    for split, names in {"train": ("cat", "dog"), "test": ("cat", "emu")}.items():
        for name in names:
            (root / split / name).mkdir(parents=True)
            for file in (photos / name).iterdir():
                os.link(file, root / split / name / file.name)
    dataset = {"folder": str(root), "size": 8, "validation": "none"}

    with pytest.raises(DataError, match="unknown class 'emu'; the training images have no such"):
        loaded(dataset)
    data, _ = loaded({**dataset, "classes": ["cat", "dog"]})
    assert 12 == len(data.splits["test"].labels)
