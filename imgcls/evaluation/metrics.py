"""The figures of a set of predictions, as scikit-learn computes them; nan where undefined."""

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

TOP = 5
"""Top-5 accuracy is given for more classes than this; for fewer it would always be 1."""


@dataclass(frozen=True)
class ClassMetrics:
    """The figures of each class, float64 [class]; nan where one is undefined.

    Attributes:
        precision: undefined for a class that was never predicted.
        recall: undefined for a class that has no image.
        f1: undefined for a class that has no image; 0 for one that was never found.
        support: int64, how many images each class has.
    """

    precision: NDArray[np.float64]
    recall: NDArray[np.float64]
    f1: NDArray[np.float64]
    support: NDArray[np.int64]


def summary(
    labels: NDArray[np.int32],
    probabilities: NDArray[np.float32],
    losses: NDArray[np.float32],
    regularization_loss: float = 0.0,
) -> dict[str, float]:
    """Returns the validation figures of one epoch; nan where one is undefined.

    `macro_f1` and `balanced_accuracy` are means over the classes that have images here.

    Args:
        labels: int32 [n].
        probabilities: float32 [n, class]; if one is not finite, all but the loss is nan.
        losses: float32 [n], one per image.
        regularization_loss: added to their mean, as Keras does.

    Returns:
        loss, accuracy, top_5_accuracy (for more than 5 classes), macro_f1, balanced_accuracy.
    """
    figures = {
        "loss": mean(losses) + regularization_loss,
        "accuracy": accuracy(labels, probabilities),
    }
    if probabilities.shape[1] > TOP:
        figures["top_5_accuracy"] = top_accuracy(labels, probabilities)
    return figures | macro(by_class(labels, probabilities))


def macro(classes: ClassMetrics) -> dict[str, float]:
    """Returns macro_f1 and balanced_accuracy: the means of F1 and of recall over the classes.

    Only the classes that have images count; nan if there are none.
    """
    present = classes.support > 0
    return {
        "macro_f1": mean(classes.f1[present]),
        "balanced_accuracy": mean(classes.recall[present]),
    }


def mean(values: NDArray[Any]) -> float:
    """Returns the mean, summed in float64; nan of nothing."""
    return float(values.mean(dtype=np.float64)) if values.size else float("nan")


def accuracy(labels: NDArray[np.int32], probabilities: NDArray[np.float32]) -> float:
    """Returns the share of images whose class was given the highest probability."""
    return top_accuracy(labels, probabilities, top=1)


def top_accuracy(
    labels: NDArray[np.int32], probabilities: NDArray[np.float32], top: int = TOP
) -> float:
    """Returns the share of images whose class is among the `top` most probable ones.

    Of equal probabilities the class that is listed first comes first. scikit-learn's
    `top_k_accuracy_score` puts the last one first, so that a network that says the same of every
    class can have a lower top-5 than top-1 accuracy.
    """
    if not np.isfinite(probabilities).all():
        return float("nan")
    own = np.take_along_axis(probabilities, labels[:, None].astype(np.intp), axis=1)
    before = np.arange(probabilities.shape[1]) < labels[:, None]
    ranks = ((probabilities > own) | ((probabilities == own) & before)).sum(axis=1)
    return mean(ranks < top)


def by_class(labels: NDArray[np.int32], probabilities: NDArray[np.float32]) -> ClassMetrics:
    """Returns the figures of each class."""
    classes = probabilities.shape[1]
    support = np.bincount(labels, minlength=classes)
    if not labels.size or not np.isfinite(probabilities).all():
        nothing = np.full(classes, np.nan)
        return ClassMetrics(nothing, nothing, nothing, support)
    # 1.5 s, and only who evaluates should pay for it
    from sklearn.metrics import precision_recall_fscore_support

    precision, recall, f1, _ = precision_recall_fscore_support(
        labels, probabilities.argmax(axis=1), labels=range(classes), zero_division=np.nan
    )
    # scikit-learn says 0 for a class without images as soon as something is taken for it
    return ClassMetrics(precision, recall, np.where(support > 0, f1, np.nan), support)


def confusion(labels: NDArray[np.int32], probabilities: NDArray[np.float32]) -> NDArray[np.int64]:
    """Returns how often each class (row) was taken for each (column), int64 [class, class].

    An image whose probabilities are not finite was taken for none and stands in no column.
    """
    classes = probabilities.shape[1]
    known = np.isfinite(probabilities).all(axis=1)
    if not known.any():
        return np.zeros((classes, classes), np.int64)
    from sklearn.metrics import confusion_matrix

    predicted = probabilities[known].argmax(axis=1)
    counts = confusion_matrix(labels[known], predicted, labels=range(classes))
    assert counts.sum() == known.sum(), "an image has no place in the confusion matrix"
    return cast("NDArray[np.int64]", counts)
