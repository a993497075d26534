"""The metrics of a set of predictions."""

import math
import time

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, f1_score, top_k_accuracy_score

from imgcls.evaluation.metrics import accuracy, by_class, confusion, summary, top_accuracy


def said(*classes, of):
    """Returns probabilities that predict these classes."""
    return np.eye(of, dtype=np.float32)[list(classes)]


def labelled(*labels):
    return np.array(labels, np.int32)


def random_predictions(images, classes):
    rng = np.random.default_rng(0)
    probabilities = rng.dirichlet(np.ones(classes), images).astype(np.float32)
    labels = rng.integers(0, classes, images).astype(np.int32)
    return labels, probabilities, rng.random(images).astype(np.float32)


def test_the_summary_is_what_scikit_learn_says():
    """
    Nobody should have to trust our arithmetic.
    """
    labels, probabilities, losses = random_predictions(500, 8)
    predicted = probabilities.argmax(axis=1)

    figures = summary(labels, probabilities, losses)

    expected = {
        "loss": losses.mean(dtype=np.float64),
        "accuracy": (labels == predicted).mean(),
        "top_5_accuracy": top_k_accuracy_score(labels, probabilities, k=5),
        "macro_f1": f1_score(labels, predicted, average="macro"),
        "balanced_accuracy": balanced_accuracy_score(labels, predicted),
    }
    assert list(expected) == list(figures)
    assert pytest.approx(expected, abs=1e-12) == figures


def test_top_5_is_left_out_where_it_would_always_be_1():
    """
    With five classes it carries no information, yet looks like a perfect result.
    """
    five, six = random_predictions(20, 5), random_predictions(20, 6)

    assert "top_5_accuracy" not in summary(*five)
    assert "top_5_accuracy" in summary(*six)


def test_the_mean_loss_is_summed_in_float64():
    """
    In float32, a sum of many losses would lose the small ones.
    """
    losses = np.array([1e8] + [1.0] * 999, np.float32)

    loss = summary(np.zeros(1000, np.int32), said(*[0] * 1000, of=2), losses)["loss"]

    assert (1e8 + 999) / 1000 == loss


def test_the_first_of_equal_probabilities_comes_first():
    """
    If all classes are equally probable, top-5 accuracy must not be lower than top-1 accuracy.
    """
    labels, same = labelled(0, 4, 5, 9), np.full((4, 10), 0.1, np.float32)

    assert accuracy(labels, same) == 0.25
    assert top_accuracy(labels, same) == 0.5


def test_a_class_without_images_is_undefined_and_one_never_found_is_0():
    """
    A 0 for a class that is not in the data would look like a failure of the network; leaving out a
    class that it never finds would reward ignoring it.
    """
    figures = by_class(labelled(0, 0, 1), said(0, 2, 2, of=4))

    np.testing.assert_array_equal([1, np.nan, 0, np.nan], figures.precision)
    np.testing.assert_array_equal([0.5, 0, np.nan, np.nan], figures.recall)
    np.testing.assert_array_equal([2 / 3, 0, np.nan, np.nan], figures.f1)
    np.testing.assert_array_equal([2, 1, 0, 0], figures.support)


def test_means_over_classes_are_over_those_in_the_data():
    """
    Evaluating a folder that lacks a class must not lower the means over the other classes.
    """
    figures = summary(labelled(0, 0, 1), said(0, 2, 2, of=4), np.zeros(3, np.float32))

    assert pytest.approx(1 / 3) == figures["macro_f1"]
    assert figures["balanced_accuracy"] == 0.25


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_probability_that_is_not_finite_makes_every_share_undefined(bad):
    """
    argmax treats nan as the largest number, so the accuracy would be a meaningless figure.
    """
    probabilities = said(0, 1, 0, of=2)
    probabilities[1, 1] = bad

    figures = summary(labelled(0, 1, 1), probabilities, np.ones(3, np.float32))

    assert figures.pop("loss") == 1
    assert all(math.isnan(figure) for figure in figures.values())


def test_the_confusion_matrix_has_the_true_classes_in_its_rows():
    """
    Transposed, it would show the mistakes the wrong way around.
    """
    matrix = confusion(labelled(0, 0, 1), said(0, 2, 2, of=3))

    np.testing.assert_array_equal([[1, 0, 1], [0, 0, 1], [0, 0, 0]], matrix)


def test_an_image_without_prediction_is_in_no_column():
    """
    The image must not be counted as a prediction of the first class.
    """
    probabilities = said(0, 1, of=2)
    probabilities[1] = np.nan

    np.testing.assert_array_equal([[1, 0], [0, 0]], confusion(labelled(0, 1), probabilities))


def test_no_images_give_no_figures_and_no_warning():
    """
    An empty split must be reported as `n/a`, not with a traceback from a library.
    """
    none = np.zeros((0, 3), np.float32)

    figures = summary(labelled(), none, np.zeros(0, np.float32))

    assert all(math.isnan(figure) for figure in figures.values())
    assert confusion(labelled(), none).sum() == 0


@pytest.mark.timing
def test_the_summary_of_ten_thousand_images_takes_no_time():
    """
    The summary is computed between epochs, some of which last only a second.
    """
    many = random_predictions(10_000, 100)
    summary(*many)  # scikit-learn is imported here

    started = time.process_time()
    summary(*many)

    assert time.process_time() - started < 0.3  # 0.03 s on one core
