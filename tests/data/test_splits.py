"""Splits are disjoint, stratified and reproducible, and leave no class without training images."""

import hashlib

import numpy as np
import pytest

from imgcls.data.splits import divide, draw
from imgcls.errors import ConfigError, DataError
from imgcls.images.pictures import Found, Pictures


def found(labels, **others):
    """A data set whose pixels are the positions of the images."""
    labels = np.asarray(labels, np.int32)
    pixels = np.arange(len(labels), dtype=np.uint32).view(np.uint8).reshape(-1, 1, 1, 4)
    classes = tuple(f"c{number}" for number in range(int(labels.max()) + 1))
    return Found(classes, {"train": Pictures(labels, pixels=pixels), **others}, source="here")


def positions(pictures):
    return np.ascontiguousarray(pictures.pixels).view(np.uint32).ravel().tolist()


IMBALANCED = np.repeat([0, 1, 2], [700, 250, 50])


def divided(data, validation="auto", test="auto", subset=None, seed=0):
    return divide(data, validation=validation, test=test, subset=subset, seed=seed)


def test_every_image_is_in_exactly_one_split():
    """
    An image in two splits falsifies the score; one in none is wasted.
    """
    splits = divided(found(IMBALANCED), 0.2, 0.15).found.splits
    everything = [at for split in splits.values() for at in positions(split)]

    assert list(range(1000)) == sorted(everything)
    assert {"train": 650, "validation": 200, "test": 150} == {
        split: len(pictures.labels) for split, pictures in splits.items()
    }


def test_classes_are_in_proportion():
    """
    A rare class that happened to be missing from validation would never be measured.
    """
    splits = divided(found(IMBALANCED), 0.2, 0.1).found.splits

    assert [140, 50, 10] == np.bincount(splits["validation"].labels).tolist()
    assert [70, 25, 5] == np.bincount(splits["test"].labels).tolist()


def test_labels_stay_with_their_images():
    """
    With shuffled labels, training would only reach chance, with no hint why.
    """
    for pictures in divided(found(IMBALANCED), subset=300).found.splits.values():
        assert IMBALANCED[positions(pictures)].tolist() == pictures.labels.tolist()


def test_the_same_seed_gives_the_same_splits_on_every_machine():
    """
    Resuming or evaluating elsewhere must not mix training and test images.

    If this fails after an update of scikit-learn, saved runs can no longer be evaluated on the
    splits they were trained with: say so in the changelog, and update the hash.
    """
    test = divided(found(IMBALANCED), seed=7).origins["test"][1]

    assert "928abfe0b58bf828" == hashlib.sha256(test.astype("<i8").tobytes()).hexdigest()[:16]
    assert not np.array_equal(test, divided(found(IMBALANCED), seed=8).origins["test"][1])


def test_the_test_images_do_not_depend_on_validation():
    """
    Scores of two runs with different validation fractions must be comparable.
    """
    one, other = divided(found(IMBALANCED), 0.1), divided(found(IMBALANCED), 0.3)

    assert positions(one.found.splits["test"]) == positions(other.found.splits["test"])


def test_the_splits_of_the_data_are_kept_as_they_are():
    """
    Results are compared on published test sets.
    """
    own = found([0, 1, 2, 0])
    result = divided(found(IMBALANCED, test=own.splits["train"]))

    assert [0, 1, 2, 0] == result.found.splits["test"].labels.tolist()
    assert {"validation": 0.1} == result.made
    assert result.origins["test"][0] == "test"
    assert len(result.found.splits["train"].labels) == 900


def test_a_share_of_what_the_data_has_is_refused():
    """
    A key that has no effect means that the user misunderstood something.
    """
    data = found(IMBALANCED, test=found([0, 1, 2]).splits["train"])
    with pytest.raises(ConfigError, match=r"dataset\.test: here has test images of its own"):
        divided(data, test=0.2)


def test_none_makes_none_and_leaves_the_own_unused():
    """
    Users who train the final model want every image in training.
    """
    data = found(IMBALANCED, test=found([0, 1, 2]).splits["train"])

    assert ["train"] == list(divided(data, "none", "none").found.splits)
    assert len(divided(data, "none", "none").found.splits["train"].labels) == 1000


def test_a_class_with_one_image_stays_in_training():
    """
    scikit-learn rejects such data, but a user with a rare class still wants to train.
    """
    result = divided(found([*IMBALANCED, 3]))

    assert 3 in result.found.splits["train"].labels
    assert (
        "too few images of 'c3' for test; all are in train",
        "too few images of 'c3' for validation; all are in train",
    ) == result.found.notes


def test_a_class_without_images_enough_is_noted_and_kept_in_training():
    """
    Half of a class's images must not silently go where the network cannot learn from them.
    """
    result = divided(found(np.repeat([0, 1], [1000, 2])), 0.1, "none")

    assert ("too few images of 'c1' for validation; all are in train",) == result.found.notes
    assert (result.found.splits["train"].labels == 1).sum() == 2


@pytest.mark.parametrize("share", [0.001, 0.5, 0.9])
def test_tiny_sets_can_be_split(share):
    """
    A first experiment may have only three images per class.
    """
    result = divided(found(np.repeat(np.arange(4), 3)), share, "none").found.splits

    assert set(range(4)) == set(result["train"].labels.tolist())
    assert 4 <= len(result["validation"].labels) <= 8


def test_one_image_a_class_cannot_be_split():
    """
    Nothing is left to evaluate on, so the message must say what to write.
    """
    with pytest.raises(DataError, match="one image a class is too few to make test images; give"):
        divided(found([0, 1, 2]))


@pytest.mark.parametrize("subset", [3, 10, 50, 797])
def test_a_subset_has_so_many_images_of_all_classes(subset):
    """
    A quick experiment on nine of ten classes says nothing about all of them.
    """
    whole, part = divided(found(IMBALANCED)), divided(found(IMBALANCED), subset=subset)
    train = part.found.splits["train"]

    assert subset == len(train.labels)
    assert {0, 1, 2} == set(train.labels.tolist())
    assert set(positions(train)) <= set(positions(whole.found.splits["train"]))
    for split in ("validation", "test"):
        assert positions(whole.found.splits[split]) == positions(part.found.splits[split])


def test_a_subset_is_in_proportion():
    """
    A subset of imbalanced data must stay as hard as the whole.
    """
    train = divided(found(IMBALANCED), "none", "none", subset=100).found.splits["train"]

    assert [70, 25, 5] == np.bincount(train.labels).tolist()


def test_a_subset_that_does_not_fit_is_told():
    """
    A subset larger than the data means all of it; one smaller than the classes is an error.
    """
    with pytest.raises(ConfigError, match=r"dataset\.subset: 2 images are too few for 3 classes"):
        divided(found(IMBALANCED), subset=2)
    more = divided(found(IMBALANCED), subset=9999)

    assert ("subset is 9,999, but there are 800 training images",) == more.found.notes
    assert len(more.found.splits["train"].labels) == 800
    assert ("subset is 799; all of the 800 training images are used",) == divided(
        found(IMBALANCED), subset=799
    ).found.notes


def test_the_last_image_of_a_class_is_never_drawn():
    """
    A class without training images is an output that can only be wrong.
    """
    labels = np.repeat([0, 1, 2], [500, 2, 2]).astype(np.int32)
    for seed in range(5):
        drawn = draw(labels, 480, seed, "subset")
        left = np.delete(labels, drawn)
        assert len(drawn) == 480
        assert {0, 1, 2} == set(left.tolist())


@pytest.mark.parametrize(
    ("validation", "test", "key", "total"),
    [
        (0.95, "auto", "validation", "1.05"),
        (0.9, "auto", "validation", "1"),
        ("auto", 0.9, "test", "1"),
    ],
)
def test_auto_counts_among_the_shares(validation, test, key, total):
    """
    With auto for test, 0.95 for validation left only ten of 1,797 images for training.
    """
    message = rf"dataset\.{key}: validation and test \(auto: 0\.1\) take {total} of the images"
    if key == "test":
        message = rf"dataset\.{key}: validation \(auto: 0\.1\) and test take {total} of the"
    with pytest.raises(ConfigError, match=message):
        divided(found(IMBALANCED), validation, test)


def test_auto_counts_only_where_it_draws():
    """
    If the data has its own test images, all training images are available for validation.
    """
    data = found(IMBALANCED, test=found([0, 1, 2]).splits["train"])

    assert {"validation": 0.95} == divided(data, 0.95).made


@pytest.mark.parametrize(
    ("share", "note"),
    [
        (0.9, "validation: 8 images, not 11 (0.9 of 12); the others are needed for training"),
        (0.1, "validation: 4 images, not 1 (0.1 of 12), one a class"),
        (0.5, None),
    ],
)
def test_another_count_than_asked_for_is_noted(share, note):
    """
    A run's record must not claim a fraction that was not used.
    """
    result = divided(found(np.repeat(np.arange(4), 3)), share, "none")

    assert (() if note is None else (note,)) == result.found.notes
    if note is not None:
        assert f"validation: {len(result.found.splits['validation'].labels)} images" in note
