"""Losses, with Keras' names, fields and defaults.

To add one, write a subclass of `Loss` named as Keras' class; a config writes it in snake case.
"""

from typing import TYPE_CHECKING, Annotated

from annotated_types import Ge, Lt

from imgcls.config.components.types import NotNegative, Positive
from imgcls.config.language.registry import Component, snake_case

if TYPE_CHECKING:
    import tensorflow as tf

Smoothing = Annotated[float, Ge(0), Lt(1)]
"""The share of each label that is spread over all classes; at 1 nothing could be learned."""


class Loss(Component):
    """What training makes small: a number an image, whose mean over a batch is followed."""

    @classmethod
    def identifier(cls) -> str:
        """Returns the name in YAML: Keras' identifier."""
        return snake_case(cls.__name__)

    def per_image(self, labels: "tf.Tensor", logits: "tf.Tensor") -> "tf.Tensor":
        """Returns the loss of each image, equal to Keras' on probabilities and one-hot labels.

        Args:
            labels: int32 [batch], each at least 0 and less than the number of classes. Whoever
                makes the batches answers for that. One that is out of range is not read as an
                image without a class, whose loss would be 0: it gives nan, or on a CPU an error.
            logits: float32 [batch, class].

        Returns:
            float32 [batch].
        """
        raise NotImplementedError


class CategoricalCrossentropy(Loss):
    """The negative log probability of the right class."""

    label_smoothing: Smoothing = 0.0
    """The share of each label that is spread evenly over all classes (arXiv 1512.00567)."""

    def per_image(self, labels: "tf.Tensor", logits: "tf.Tensor") -> "tf.Tensor":
        """Returns the loss of each image, from the logits."""
        import tensorflow as tf

        right = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
        if not self.label_smoothing:
            return right
        any_class = -tf.reduce_mean(tf.nn.log_softmax(logits), axis=-1)
        return (1 - self.label_smoothing) * right + self.label_smoothing * any_class


class SparseCategoricalCrossentropy(Loss):
    """The same as categorical_crossentropy; both names take the labels of any data set."""

    def per_image(self, labels: "tf.Tensor", logits: "tf.Tensor") -> "tf.Tensor":
        """Returns the loss of each image, from the logits."""
        import tensorflow as tf

        return tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)


class CategoricalFocalCrossentropy(Loss):
    """Crossentropy in which images that are right already count less (arXiv 1708.02002)."""

    alpha: Positive = 0.25
    """A factor on the whole loss."""
    gamma: NotNegative = 2.0
    """How much less an image counts whose class is probable; 0 counts all alike."""
    label_smoothing: Smoothing = 0.0
    """The share of each label that is spread evenly over all classes."""

    def per_image(self, labels: "tf.Tensor", logits: "tf.Tensor") -> "tf.Tensor":
        """Returns the loss of each image, from the logits."""
        import tensorflow as tf

        log_probabilities = tf.nn.log_softmax(logits)
        targets = one_hot(labels, logits)
        if self.label_smoothing:
            classes = tf.cast(tf.shape(logits)[-1], logits.dtype)
            targets = targets * (1 - self.label_smoothing) + self.label_smoothing / classes
        # Keras' epsilon: at 0 the gradient of a power below 1 is infinite.
        others = tf.maximum(-tf.math.expm1(log_probabilities), 1e-7)
        weights = self.alpha * tf.pow(others, self.gamma)
        return -tf.reduce_sum(targets * weights * log_probabilities, axis=-1)


class MeanSquaredError(Loss):
    """The mean over the classes of the squared difference of probability and label."""

    _aliases = ("mse", "MSE")

    def per_image(self, labels: "tf.Tensor", logits: "tf.Tensor") -> "tf.Tensor":
        """Returns the loss of each image, from its probabilities."""
        import tensorflow as tf

        return tf.reduce_mean(tf.square(tf.nn.softmax(logits) - one_hot(labels, logits)), axis=-1)


class MeanAbsoluteError(Loss):
    """The mean over the classes of the difference of probability and label."""

    _aliases = ("mae", "MAE")

    def per_image(self, labels: "tf.Tensor", logits: "tf.Tensor") -> "tf.Tensor":
        """Returns the loss of each image, from its probabilities."""
        import tensorflow as tf

        return tf.reduce_mean(tf.abs(tf.nn.softmax(logits) - one_hot(labels, logits)), axis=-1)


def one_hot(labels: "tf.Tensor", logits: "tf.Tensor") -> "tf.Tensor":
    """Returns the labels one-hot, in the shape and dtype of the logits; nan where out of range."""
    import tensorflow as tf

    encoded = tf.one_hot(labels, tf.shape(logits)[-1], dtype=logits.dtype)
    return encoded / tf.reduce_sum(encoded, axis=-1, keepdims=True)  # 0 / 0 is nan
