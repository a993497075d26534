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
    """The loss function, which training minimizes: the mean over the images of a batch."""

    @classmethod
    def identifier(cls) -> str:
        """Returns the name in YAML: Keras' identifier."""
        return snake_case(cls.__name__)

    @property
    def smoothing(self) -> float:
        """The share of each label that the targets spread evenly over all classes."""
        return 0.0

    def per_image(self, targets: "tf.Tensor", logits: "tf.Tensor") -> "tf.Tensor":
        """Returns the loss of each image, equal to Keras' on probabilities.

        Args:
            targets: float32 [batch, class], rows that sum to 1.
            logits: float32 [batch, class].

        Returns:
            float32 [batch].
        """
        raise NotImplementedError


class Smoothed(Loss, abstract=True):
    """A loss whose labels may be smoothed."""

    label_smoothing: Smoothing = 0.0
    """Share of each label that is spread evenly over all classes (arXiv 1512.00567)."""

    @property
    def smoothing(self) -> float:  # noqa: D102 - of Loss
        return self.label_smoothing


class CategoricalCrossentropy(Smoothed):
    """The negative log probability of the true class."""

    def per_image(self, targets: "tf.Tensor", logits: "tf.Tensor") -> "tf.Tensor":
        """Returns the loss of each image, from the logits."""
        import tensorflow as tf

        return tf.nn.softmax_cross_entropy_with_logits(labels=targets, logits=logits)


class SparseCategoricalCrossentropy(Loss):
    """The same as categorical_crossentropy; both names take the labels of any data set."""

    def per_image(self, targets: "tf.Tensor", logits: "tf.Tensor") -> "tf.Tensor":
        """Returns the loss of each image, from the logits."""
        import tensorflow as tf

        return tf.nn.softmax_cross_entropy_with_logits(labels=targets, logits=logits)


class CategoricalFocalCrossentropy(Smoothed):
    """Cross-entropy that gives less weight to images classified well (arXiv 1708.02002)."""

    alpha: Positive = 0.25
    """Factor on the whole loss."""
    gamma: NotNegative = 2.0
    """Focusing parameter: how much less well-classified images count; 0 counts all alike."""

    def per_image(self, targets: "tf.Tensor", logits: "tf.Tensor") -> "tf.Tensor":
        """Returns the loss of each image, from the logits."""
        import tensorflow as tf

        log_probabilities = tf.nn.log_softmax(logits)
        # Keras' epsilon: at 0 the gradient of a power below 1 is infinite.
        others = tf.maximum(-tf.math.expm1(log_probabilities), 1e-7)
        weights = self.alpha * tf.pow(others, self.gamma)
        return -tf.reduce_sum(targets * weights * log_probabilities, axis=-1)


class MeanSquaredError(Loss):
    """The mean over the classes of the squared difference of probability and target."""

    _aliases = ("mse", "MSE")

    def per_image(self, targets: "tf.Tensor", logits: "tf.Tensor") -> "tf.Tensor":
        """Returns the loss of each image, from its probabilities."""
        import tensorflow as tf

        return tf.reduce_mean(tf.square(tf.nn.softmax(logits) - targets), axis=-1)


class MeanAbsoluteError(Loss):
    """The mean over the classes of the absolute difference of probability and target."""

    _aliases = ("mae", "MAE")

    def per_image(self, targets: "tf.Tensor", logits: "tf.Tensor") -> "tf.Tensor":
        """Returns the loss of each image, from its probabilities."""
        import tensorflow as tf

        return tf.reduce_mean(tf.abs(tf.nn.softmax(logits) - targets), axis=-1)
