"""What `evaluate` returns: the figures of one checkpoint on one split."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgcls.evaluation import metrics


@dataclass(frozen=True)
class ClassScore:
    """The figures of one class.

    Attributes:
        name: the class.
        precision: how many of those taken for it are it; None if it was never predicted.
        recall: how many of its images were found; None if it has none.
        f1: the harmonic mean of both; None if it has no image, 0 if none was found.
        support: how many images it has.
    """

    name: str
    precision: float | None
    recall: float | None
    f1: float | None
    support: int


@dataclass(frozen=True)
class Evaluation:
    """The figures of one checkpoint on one split; every image is counted once.

    Attributes:
        run: the run folder.
        checkpoint: the checkpoint's name.
        split: train, validation or test, or the labelled images that were given.
        images: how many.
        loss: mean over the images; nan if it is not finite.
        accuracy: share of images; nan if a probability is not finite.
        top_5_accuracy: None for up to 5 classes.
        macro_f1: mean of the classes' F1; nan if a probability is not finite.
        balanced_accuracy: mean of the classes' recall; nan if a probability is not finite.
        per_class: in the order of the run's classes.
        confusion_matrix: rows are the true classes, columns the predicted ones.
    """

    run: str
    checkpoint: str
    split: str
    images: int
    loss: float
    accuracy: float
    top_5_accuracy: float | None
    macro_f1: float
    balanced_accuracy: float
    per_class: tuple[ClassScore, ...]
    confusion_matrix: tuple[tuple[int, ...], ...]

    def to_json(self) -> dict[str, Any]:
        """Returns it as JSON values, in the order of the fields; null for what is not finite."""
        return {
            **asdict(self),
            "loss": _finite(self.loss),
            "accuracy": _finite(self.accuracy),
            "top_5_accuracy": _finite(self.top_5_accuracy),
            "macro_f1": _finite(self.macro_f1),
            "balanced_accuracy": _finite(self.balanced_accuracy),
            "per_class": [asdict(each) for each in self.per_class],
            "confusion_matrix": [list(row) for row in self.confusion_matrix],
        }


def score(  # three name what was scored, and go into the result as they are
    labels: NDArray[np.int32],
    probabilities: NDArray[np.float32],
    losses: NDArray[np.float32],
    classes: Sequence[str],
    *,
    regularization_loss: float = 0.0,
    run: str,
    checkpoint: str,
    split: str,
) -> Evaluation:
    """Returns the figures of these predictions.

    Args:
        labels: int32 [n].
        probabilities: float32 [n, class].
        losses: float32 [n], one an image.
        classes: the names, as many as `probabilities` has columns.
        regularization_loss: added to the mean of the losses, as Keras does.
        run: the run folder.
        checkpoint: the checkpoint's name.
        split: which images these are.
    """
    assert probabilities.shape == (len(labels), len(classes)), "a probability an image and class"
    assert len(losses) == len(labels), "a loss an image"
    many = len(classes) > metrics.TOP
    by_class = metrics.by_class(labels, probabilities)
    return Evaluation(
        run=run,
        checkpoint=checkpoint,
        split=split,
        images=len(labels),
        loss=metrics.mean(losses) + regularization_loss,
        accuracy=metrics.accuracy(labels, probabilities),
        top_5_accuracy=metrics.top_accuracy(labels, probabilities) if many else None,
        **metrics.macro(by_class),
        per_class=_class_scores(by_class, classes),
        confusion_matrix=tuple(
            tuple(row) for row in metrics.confusion(labels, probabilities).tolist()
        ),
    )


def _class_scores(figures: metrics.ClassMetrics, classes: Sequence[str]) -> tuple[ClassScore, ...]:
    columns = (figures.precision, figures.recall, figures.f1)
    rows = zip(*(column.tolist() for column in columns), figures.support.tolist(), strict=True)
    return tuple(
        ClassScore(name, _finite(precision), _finite(recall), _finite(f1), support)
        for name, (precision, recall, f1, support) in zip(classes, rows, strict=True)
    )


def _finite(value: float | None) -> float | None:
    """Returns None for what JSON has no number for."""
    return value if value is not None and math.isfinite(value) else None
