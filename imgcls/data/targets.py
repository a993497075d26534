"""Turns labels into targets, which are distributions over the classes, and weights."""

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

TOLERANCE = 1e-5  # of the sum of a row; in float32, smoothing is off by 4e-7


class Targets:
    """The targets of a loss: one row of probabilities per image, and the weight of the image.

    Class weights are never multiplied into the targets: the gradient of the fused cross-entropy
    assumes that each row sums to 1.

    Args:
        classes: the number of classes.
        smoothing: the fraction of each label that is spread evenly over all classes, at least 0 and
            less than 1 (https://arxiv.org/abs/1512.00567).
        class_weights: float32 [class]; None for equal weights.
    """

    def __init__(
        self,
        classes: int,
        smoothing: float = 0.0,
        class_weights: NDArray[np.float32] | None = None,
    ) -> None:
        rows = np.eye(classes, dtype=np.float32) * np.float32(1 - smoothing)
        rows += np.float32(smoothing / classes)
        assert np.abs(rows.sum(axis=1) - 1).max() < TOLERANCE, "targets are distributions"
        self._rows = rows
        self._weights = np.ones(classes, np.float32) if class_weights is None else class_weights

    def check(self, labels: NDArray[np.int32]) -> None:
        """Checks that labels are class indices; a gather would silently clip them."""
        assert not len(labels) or 0 <= labels.min() <= labels.max() < len(self._rows), "no class"

    def lookup(self, labels: NDArray[np.int32]) -> "Lookup":
        """Returns a function that gives the targets and weights of images by their indices.

        The labels and the rows are placed on the device of the surrounding `tf.device`.
        """
        self.check(labels)
        return Lookup(tf.constant(labels), tf.constant(self._rows), tf.constant(self._weights))


class Lookup:
    """Gives targets and weights by the indices of images, inside a graph."""

    def __init__(self, labels: tf.Tensor, rows: tf.Tensor, weights: tf.Tensor) -> None:
        self._labels, self._rows, self._weights = labels, rows, weights

    def __call__(self, index: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns (targets float32 [batch, class], weights float32 [batch]).

        Args:
            index: int64 [batch], the indices of the images.
        """
        labels = tf.gather(self._labels, index)
        return tf.gather(self._rows, labels), tf.gather(self._weights, labels)
