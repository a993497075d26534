"""Folders become labelled splits, or it is said what they should look like."""

import os

import pytest

from imgcls.errors import DataError
from imgcls.images import folders
from imgcls.images.pictures import check_trainable


def names(pictures):
    return [file.name for file in pictures.files]


def test_class_folders_are_classes_in_alphabetical_order(tmp_path, picture):
    """
    The order of classes must be the same on every machine, or saved models would mix them up.
    """
    for name in ("dog/2.png", "cat/b/1.png", "Zebra/3.png", "dog/1.png"):
        picture(tmp_path / name)
    found = folders.find(tmp_path)

    assert ("Zebra", "cat", "dog") == found.classes
    assert ["train"] == list(found.splits)
    assert [0, 1, 2, 2] == found.splits["train"].labels.tolist()
    assert ["3.png", "1.png", "1.png", "2.png"] == names(found.splits["train"])


@pytest.mark.parametrize("validation", ["validation", "val", "valid", "Val"])
def test_split_folders_are_splits(tmp_path, picture, validation):
    """
    Most published folder sets come like this.
    """
    for split in ("train", validation, "test"):
        for name in ("cat", "dog"):
            picture(tmp_path / split / name / f"{split}.png")
    (tmp_path / "LICENSE").touch()
    found = folders.find(tmp_path)

    assert ("cat", "dog") == found.classes
    assert {"train", "validation", "test"} == set(found.splits)
    assert [f"{validation}.png"] * 2 == names(found.splits["validation"])


def test_a_class_may_be_called_train(tmp_path, picture):
    """
    Trains, buses and cars are a data set too.
    """
    for name in ("train", "bus", "car"):
        picture(tmp_path / name / "1.png")

    assert ("bus", "car", "train") == folders.find(tmp_path).classes


def test_classes_and_splits_side_by_side_are_refused(tmp_path, picture):
    """
    Guessing here would leave a class out, or train on the test images.
    """
    for name in ("train/cat", "test/cat", "dog"):
        picture(tmp_path / name / "1.png")

    with pytest.raises(DataError, match=r"dog/ next to test/, train/; a folder contains either"):
        folders.find(tmp_path)


@pytest.mark.parametrize("split", ["train", "validation", "val", "valid", "test"])
def test_a_split_beside_a_folder_of_another_name_is_refused(tmp_path, picture, split):
    """
    train/ beside holdout/ would become a classifier of train against holdout.
    """
    for name in (f"{split}/cat", f"{split}/dog", "holdout/cat"):
        picture(tmp_path / name / "1.png")

    with pytest.raises(DataError, match=rf"holdout/ next to {split}/; a folder contains either"):
        folders.find(tmp_path)


def test_a_class_called_train_may_have_folders_beside_its_pictures(tmp_path, picture):
    """
    Pictures right in it show that it is a class.
    """
    for name in ("train/1.png", "train/steam/2.png", "bus/3.png"):
        picture(tmp_path / name)

    assert ("bus", "train") == folders.find(tmp_path).classes


def test_two_folders_of_one_split_are_refused(tmp_path, picture):
    """
    Which of them is meant only the user knows.
    """
    for name in ("train", "val", "valid"):
        picture(tmp_path / name / "cat" / "1.png")

    with pytest.raises(DataError, match="val/ and valid/ both look like validation images"):
        folders.find(tmp_path)


def test_a_folder_without_class_folders_says_what_is_expected(tmp_path, picture):
    """
    The shape of the folder is the first thing that people get wrong.
    """
    with pytest.raises(DataError, match=r"no class folders; expected .*/<class>/<image>\.png"):
        folders.find(tmp_path)
    picture(tmp_path / "1.png")
    with pytest.raises(DataError, match="images but no class folders"):
        folders.find(tmp_path)


def test_classes_give_the_order_and_must_be_all(tmp_path, picture):
    """
    A set that is split over time keeps its numbers only if the order is said.
    """
    for name in ("cat", "dog"):
        picture(tmp_path / name / "1.png")

    assert ("dog", "cat") == folders.find(tmp_path, ("dog", "cat")).classes
    assert [0, 1] == folders.find(tmp_path, ("dog", "cat")).splits["train"].labels.tolist()
    with pytest.raises(DataError, match="unknown class 'dog'; the classes are cat, bird"):
        folders.find(tmp_path, ("cat", "bird"))
    chosen = folders.find(tmp_path, ("cat", "bird"), selected=True)
    assert [0] == chosen.splits["train"].labels.tolist()
    assert (f"{tmp_path}: not in dataset.classes: 'dog'",) == chosen.notes


def test_a_class_that_only_the_test_has_is_refused(tmp_path, picture):
    """
    No network can say a class that it has never seen.
    """
    for name in ("train/cat", "train/dog", "test/cat", "test/ship"):
        picture(tmp_path / name / "1.png")

    with pytest.raises(DataError, match="test: unknown class 'ship'; the training images have no"):
        folders.find(tmp_path)


def test_a_class_that_the_test_lacks_is_noted(tmp_path, picture):
    """
    Its recall is unknown then, which is less than a reason not to train.
    """
    for name in ("train/cat", "train/dog", "test/cat"):
        picture(tmp_path / name / "1.png")

    assert (f"{tmp_path}/test: no images of 'dog'",) == folders.find(tmp_path).notes


def test_splits_may_stand_elsewhere(tmp_path, picture):
    """
    `validation:` and `test:` may be folders of their own.
    """
    for name in ("photos/cat", "photos/dog", "more/cat", "more/dog"):
        picture(tmp_path / name / f"{name[:4]}.png")
    found = folders.find(tmp_path / "photos", None, {"test": tmp_path / "more"})

    assert ["phot.png"] * 2 == names(found.splits["train"])
    assert ["more.png"] * 2 == names(found.splits["test"])


def test_unlabeled_test_images_are_left_out_with_a_note(tmp_path, picture):
    """
    Competitions give out test images without labels, flat in test/.
    """
    for name in ("train/cat/1.png", "train/dog/1.png", "test/1.png"):
        picture(tmp_path / name)
    found = folders.find(tmp_path)

    assert ["train"] == list(found.splits)
    assert (f"{tmp_path}/test: left out, its images are not in class folders",) == found.notes


def test_flat_splits_are_not_two_classes(tmp_path, picture):
    """
    A classifier of train against test is worth nothing, and its accuracy would not show it.
    """
    for name in ("train/cat.1.png", "train/dog.1.png", "test/1.png"):
        picture(tmp_path / name)

    with pytest.raises(DataError, match="test/, train/ contain images but no class folders"):
        folders.find(tmp_path)


@pytest.mark.parametrize(
    ("train", "test"),
    [
        ("Training", "Testing"),
        ("training_set", "test_set"),
        ("seg_train", "seg_test"),
        ("seg_train/seg_train", "seg_test/seg_test"),
        ("training_set/training_set", "test_set/test_set"),
        ("Train Images", "Test Images"),
        ("archive/Train", "archive/Test"),
    ],
)
def test_splits_of_public_sets_are_understood(tmp_path, picture, train, test):
    """
    A classifier of "Training" against "Testing" would pass every check.
    """
    for name in ("cat", "dog"):
        picture(tmp_path / train / name / "1.png")
        picture(tmp_path / test / name / "2.png")
    (tmp_path / "seg_pred/seg_pred").mkdir(parents=True)
    if train.startswith("seg"):
        picture(tmp_path / "seg_pred/seg_pred/3.png")
    found = folders.find(tmp_path)

    assert ("cat", "dog") == found.classes
    assert ["1.png"] * 2 == names(found.splits["train"])
    assert ["2.png"] * 2 == names(found.splits["test"])
    assert {"train", "test"} == set(found.splits)


@pytest.mark.parametrize("pair", [("A", "B"), ("fold1", "fold2"), ("2023", "2024")])
def test_folders_with_the_same_folders_in_them_are_splits_and_not_classes(tmp_path, picture, pair):
    """
    Which of them is for training only the user knows; `classes` says that they are none.
    """
    for part in pair:
        for name in ("cat", "dog"):
            picture(tmp_path / part / name / "1.png")

    with pytest.raises(DataError, match="all contain cat/, dog/, so they look like splits") as told:
        folders.find(tmp_path)
    assert f"write folder: {tmp_path}/{pair[0]} and test: {tmp_path}/{pair[1]}" in str(
        told.value.hint
    )
    assert pair == folders.find(tmp_path, pair).classes


def test_class_folders_with_folders_of_their_own_are_classes(tmp_path, picture):
    """
    Some sets keep the images of each class one level deeper, or sort them by year.
    """
    for name in ("cat/images/1.png", "dog/images/1.png"):
        picture(tmp_path / "one" / name)
    for name in ("cat/2023/1.png", "cat/2024/1.png", "dog/2025/1.png", "dog/2022/1.png"):
        picture(tmp_path / "two" / name)

    assert ("cat", "dog") == folders.find(tmp_path / "one").classes
    assert ("cat", "dog") == folders.find(tmp_path / "two").classes


def test_a_folder_around_everything_is_looked_into_and_named(tmp_path, picture):
    """
    Archives unpack to one folder, often of their own name.
    """
    for name in ("cat", "dog"):
        picture(tmp_path / "PetImages" / "PetImages" / name / "1.png")
    found = folders.find(tmp_path)
    inner = tmp_path / "PetImages" / "PetImages"

    assert ("cat", "dog") == found.classes
    assert (f"{tmp_path}: reading {inner}, the only folder with images in it",) == found.notes


def test_folders_without_images_are_left_out_and_listed(tmp_path, picture):
    """
    `lost+found` or an empty folder must not stop a night's training.
    """
    for name in ("train/cat", "train/dog", "test/cat", "test/dog"):
        picture(tmp_path / name / "1.png")
    for name in ("lost+found", "System Volume Information", "train/empty", "train/notes"):
        (tmp_path / name).mkdir()
    (tmp_path / "train/notes/readme.txt").touch()
    found = folders.find(tmp_path)

    assert ("cat", "dog") == found.classes
    assert f"{tmp_path}/train: left out, no images in 'empty', 'notes'" in found.notes


def test_a_class_that_loses_most_of_its_images_is_an_error(tmp_path, picture):
    """
    Half a class in an unsupported format trains on what is left, and nobody notices.
    """
    for number in range(4):
        picture(tmp_path / "cat" / f"{number}.png")
        picture(tmp_path / "dog" / f"{number}.png")
    for number in range(5):
        (tmp_path / "cat" / f"{number}.HEIC").touch()

    with pytest.raises(DataError, match=r"cat: 5 of 9 images .* \(5 \.heic\); convert them"):
        folders.find(tmp_path)
    (tmp_path / "cat" / "4.HEIC").unlink()
    assert any("skipped 4 .heic" in note for note in folders.find(tmp_path).notes)


def test_a_class_of_another_case_in_a_split_is_suggested(tmp_path, picture):
    """
    train/cats next to test/Cats is a slip of the shift key.
    """
    for name in ("train/cats", "train/dogs", "test/Cats", "test/dogs"):
        picture(tmp_path / name / "1.png")

    with pytest.raises(DataError, match=r"unknown class 'Cats'; .*; did you mean 'cats'\?"):
        folders.find(tmp_path)


@pytest.mark.parametrize(("one", "other"), [("Cat", "cat"), ("caf\u00e9", "cafe\u0301")])
def test_names_that_other_systems_would_merge_are_refused(tmp_path, picture, one, other):
    """
    On macOS and Windows these two folders are one.
    """
    picture(tmp_path / one / "1.png")
    picture(tmp_path / other / "1.png")

    with pytest.raises(DataError, match="differ in case or accents' form only"):
        folders.find(tmp_path)


@pytest.mark.parametrize("name", ["a b", "a\nb", "\U0001f408", "x" * 200, os.fsdecode(b"\xff\xfe")])
def test_odd_names_are_classes(tmp_path, picture, name):
    """
    Any name that a file system takes is a class, and its text can be written as UTF-8.
    """
    picture(tmp_path / name / "1.png")
    picture(tmp_path / "cat" / "1.png")
    found = folders.find(tmp_path)

    assert len(found.classes) == 2
    assert [each.encode() for each in found.classes]


def test_an_empty_class_and_a_lonely_class_cannot_be_trained(tmp_path, picture):
    """
    An empty class is a phantom output; one class alone is always right.
    """
    picture(tmp_path / "cat" / "1.png")
    with pytest.raises(DataError, match="one class only, 'cat'; a classifier needs two or more"):
        check_trainable(folders.find(tmp_path))
    (tmp_path / "dog").mkdir()
    with pytest.raises(DataError, match="one class only, 'cat'"):
        check_trainable(folders.find(tmp_path))
    with pytest.raises(DataError, match="no training images of 'dog'"):
        check_trainable(folders.find(tmp_path, ("cat", "dog")))


def test_without_training_images_nothing_can_be_trained(tmp_path, picture):
    """
    A folder of test images alone is for `evaluate --data`.
    """
    for name in ("test/cat", "test/dog"):
        picture(tmp_path / name / "1.png")

    with pytest.raises(DataError, match="no training images"):
        check_trainable(folders.find(tmp_path))


@pytest.mark.parametrize("way", ["the same", "dots", "link", "below", "links of files"])
def test_a_picture_in_two_splits_is_refused(tmp_path, picture, way):
    """
    A score on images that were trained on is a lie, and nothing in it shows that.
    """
    photos = tmp_path / "photos"
    for name in ("cat/1.png", "dog/2.png"):
        picture(photos / name)
    other = {
        "the same": photos,
        "dots": photos / ".." / "photos",
        "link": tmp_path / "link",
        "below": photos / "dog",
        "links of files": tmp_path / "more",
    }[way]
    if way == "link":
        other.symlink_to(photos)
    elif way == "below":
        picture(other / "cat" / "3.png")
    elif way == "links of files":
        (other / "cat").mkdir(parents=True)
        (other / "cat" / "1.png").symlink_to(photos / "cat" / "1.png")

    found = folders.find(photos, None, {"validation": other})
    with pytest.raises(DataError, match=r"\.png is in train and in validation"):
        check_trainable(found)


def test_a_link_to_itself_is_left_to_the_decoder(tmp_path, picture):
    """
    It is one bad picture, to be named with the others.
    """
    for name in ("train/cat", "train/dog", "test/cat"):
        picture(tmp_path / name / "1.png")
    (tmp_path / "test/cat/2.png").symlink_to(tmp_path / "test/cat/2.png")

    check_trainable(folders.find(tmp_path))


def test_pictures_of_one_name_in_two_splits_are_two_pictures(tmp_path, picture):
    """
    Nearly every set numbers its pictures from 1 on in each split.
    """
    for name in ("train/cat", "train/dog", "test/cat", "test/dog"):
        picture(tmp_path / name / "1.png")

    check_trainable(folders.find(tmp_path))
