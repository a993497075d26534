"""Losses, with Keras' names, fields and defaults.

To add one, write a subclass of `Loss` named like the Keras class; configs use its snake-case name.
"""

from typing import TYPE_CHECKING, Annotated

from annotated_types import Ge, Lt

from imgcls.config.components.types import NotNegative, Positive
from imgcls.config.language.registry import Component, snake_case

if TYPE_CHECKING:
    import tensorflow as tf

Smoothing = Annotated[float, Ge(0), Lt(1)]
"""A label smoothing factor, less than 1: at 1, nothing could be learned."""


class Loss(Component):
    """Loss function that training minimizes, averaged over the images of a batch."""

    @classmethod
    def identifier(cls) -> str:
        """Returns the name in YAML: the Keras identifier."""
        return snake_case(cls.__name__)

    @property
    def smoothing(self) -> float:
        """The fraction of each label that the targets spread evenly over all classes."""
        return 0.0

    def per_image(self, targets: "tf.Tensor", logits: "tf.Tensor") -> "tf.Tensor":
        """Returns the loss of each image, equal to that of Keras on probabilities.

        Args:
            targets: float32 [batch, class], rows that sum to 1.
            logits: float32 [batch, class].

        Returns:
            float32 [batch].
        """
        raise NotImplementedError


class Smoothed(Loss, abstract=True):
    """A loss with label smoothing."""

    label_smoothing: Smoothing = 0.0
    """Label smoothing: the fraction of each label that is spread evenly over all classes
    (arXiv 1512.00567)."""

    @property
    def smoothing(self) -> float:  # noqa: D102 - of Loss
        return self.label_smoothing


class CategoricalCrossentropy(Smoothed):
    """Cross-entropy: the negative log probability of the true class."""

    def per_image(self, targets: "tf.Tensor", logits: "tf.Tensor") -> "tf.Tensor":
        """Returns the loss of each image, from the logits."""
        import tensorflow as tf

        return tf.nn.softmax_cross_entropy_with_logits(labels=targets, logits=logits)


class SparseCategoricalCrossentropy(Loss):
    """The same as categorical_crossentropy; both work with any dataset."""

    def per_image(self, targets: "tf.Tensor", logits: "tf.Tensor") -> "tf.Tensor":
        """Returns the loss of each image, from the logits."""
        import tensorflow as tf

        return tf.nn.softmax_cross_entropy_with_logits(labels=targets, logits=logits)


class CategoricalFocalCrossentropy(Smoothed):
    """Focal loss: cross-entropy that down-weights well-classified images (arXiv 1708.02002)."""

    alpha: Positive = 0.25
    """Weighting factor of the whole loss."""
    gamma: NotNegative = 2.0
    """Focusing parameter: larger values down-weight well-classified images more; 0 weights all
    equally."""

    def per_image(self, targets: "tf.Tensor", logits: "tf.Tensor") -> "tf.Tensor":
        """Returns the loss of each image, from the logits."""
        import tensorflow as tf

        log_probabilities = tf.nn.log_softmax(logits)
        # Keras' epsilon: at 0, the gradient of a power with an exponent below 1 is infinite.
        others = tf.maximum(-tf.math.expm1(log_probabilities), 1e-7)
        weights = self.alpha * tf.pow(others, self.gamma)
        return -tf.reduce_sum(targets * weights * log_probabilities, axis=-1)


class MeanSquaredError(Loss):
    """Mean over the classes of the squared difference between probability and target."""

    _aliases = ("mse", "MSE")

    def per_image(self, targets: "tf.Tensor", logits: "tf.Tensor") -> "tf.Tensor":
        """Returns the loss of each image, from its probabilities."""
        import tensorflow as tf

        return tf.reduce_mean(tf.square(tf.nn.softmax(logits) - targets), axis=-1)


class MeanAbsoluteError(Loss):
    """Mean over the classes of the absolute difference between probability and target."""

    _aliases = ("mae", "MAE")

    def per_image(self, targets: "tf.Tensor", logits: "tf.Tensor") -> "tf.Tensor":
        """Returns the loss of each image, from its probabilities."""
        import tensorflow as tf

        return tf.reduce_mean(tf.abs(tf.nn.softmax(logits) - targets), axis=-1)
