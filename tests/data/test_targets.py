"""Targets are distributions over the classes, with any label smoothing or class weights."""

import keras
import numpy as np
import pytest

from imgcls.data.dataset import Split
from imgcls.data.pipeline import evaluation_batches, train_batches
from imgcls.data.targets import Targets

CLASSES = 5
LABELS = np.array([3, 0, 4, 4, 1, 2, 0], np.int32)
INDEX = np.array([6, 2, 2, 0], np.int64)
WEIGHTS = np.array([0.25, 1, 2, 3, 7], np.float32)
SMOOTHINGS = [0.0, 0.1, 0.3, 0.999]


def split() -> Split:
    pixels = np.zeros((len(LABELS), 2, 2, 1), np.uint8)
    return Split(pixels, LABELS, tuple(map(str, LABELS)))


def kerases(smoothing: float) -> np.ndarray:
    """Returns the targets that Keras uses, recovered from a loss that is linear in its targets."""
    one_hot = keras.utils.to_categorical(LABELS[INDEX], CLASSES)
    each = [
        keras.losses.categorical_crossentropy(
            one_hot, np.tile(logits, (len(INDEX), 1)), from_logits=True, label_smoothing=smoothing
        )
        for logits in np.eye(CLASSES, dtype=np.float32)
    ]
    # The loss for the logits e is log(sum(exp(e))) - target: each unit vector shows one column.
    return np.asarray(np.log(np.e + CLASSES - 1) - np.stack(each, axis=1))


@pytest.mark.parametrize("smoothing", SMOOTHINGS)
@pytest.mark.parametrize("classes", [2, 5, 1000])
def test_targets_sum_to_1(classes, smoothing):
    """
    For rows with another sum, the gradient of the fused cross-entropy is silently wrong.
    """
    labels = np.arange(classes, dtype=np.int32)
    targets, _ = Targets(classes, smoothing).lookup(labels)(labels)

    np.testing.assert_allclose(np.ones(classes), np.sum(targets, axis=1), rtol=0, atol=1e-5)
    assert np.array_equal(labels, np.argmax(targets, axis=1))


@pytest.mark.parametrize("smoothing", SMOOTHINGS)
def test_targets_are_those_of_keras(smoothing):
    """
    A tutorial's label_smoothing must have the same effect here as in Keras.
    """
    targets, weights = Targets(CLASSES, smoothing).lookup(LABELS)(INDEX)

    assert ("float32", (4, 5)) == (targets.dtype, targets.shape)
    np.testing.assert_allclose(kerases(smoothing), targets, rtol=0, atol=1e-6)
    assert [1.0] * 4 == weights.numpy().tolist()


def test_class_weights_are_in_the_weights_and_never_in_the_targets():
    """
    Rows that do not sum to 1 would give the gradient of a different loss.
    """
    targets, weights = Targets(CLASSES, 0.1, WEIGHTS).lookup(LABELS)(INDEX)
    plain, _ = Targets(CLASSES, 0.1).lookup(LABELS)(INDEX)

    assert np.array_equal(plain, targets)
    assert WEIGHTS[LABELS[INDEX]].tolist() == weights.numpy().tolist()


@pytest.mark.parametrize("label", [-1, CLASSES])
def test_a_label_out_of_range_is_refused_where_targets_are_made(label):
    """
    On a GPU, a gather silently returns a row of zeros for such a label, and its loss is 0.
    """
    labels = np.array([0, label, 1], np.int32)

    with pytest.raises(AssertionError, match="no class"):
        Targets(CLASSES).lookup(labels)
    pixels = np.zeros((3, 2, 2, 1), np.uint8)
    with pytest.raises(AssertionError, match="no class"):
        evaluation_batches(Split(pixels, labels, ("",) * 3), (2, 2), 3, Targets(CLASSES))


def test_they_come_through_the_pipeline_as_they_are():
    """
    The loss is computed from what tf.data delivers, not from what was put in.
    """
    targets = Targets(CLASSES, 0.2, WEIGHTS)
    lookup = targets.lookup(LABELS)
    evaluated = list(evaluation_batches(split(), (2, 2), 4, targets))
    trained = list(train_batches(split(), (2, 2), (), 4, 0, range(2), targets))

    for at, (_, rows, weights) in zip((slice(0, 4), slice(4, 7)), evaluated, strict=True):
        expected_rows, expected_weights = lookup(np.arange(7)[at])
        assert np.array_equal(expected_rows, rows)
        assert np.array_equal(expected_weights, weights)
    for _, rows, weights in trained:
        found = np.argmax(rows, axis=1)
        np.testing.assert_allclose(np.ones(len(found)), np.sum(rows, axis=1), rtol=0, atol=1e-5)
        assert WEIGHTS[found].tolist() == weights.numpy().tolist()
    assert sorted(LABELS) == sorted(np.concatenate([np.argmax(rows, 1) for _, rows, _ in trained]))
