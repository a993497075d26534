"""A trained run as a function: pictures in, probabilities out."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from imgcls.config.config import Config
from imgcls.data.dataset import Split
from imgcls.data.pipeline import evaluation_batches
from imgcls.data.traits import Traits
from imgcls.network import model
from imgcls.ops.memory import enough_memory
from imgcls.ops.pixels import images_of
from imgcls.runs import checkpoints


class Classifier:
    """A network with a checkpoint's weights; their averages where the run kept them.

    Args:
        config: of the run.
        traits: of the run, what the data decided.
        checkpoint: its weights.
        precision: float32, whatever the run was trained in, or bfloat16.
    """

    def __init__(
        self,
        config: Config,
        traits: Traits,
        checkpoint: checkpoints.Checkpoint,
        precision: str = "float32",
    ) -> None:
        self.traits = traits
        self._loss = config.loss
        # A folder from elsewhere may ask for more than it brings: no memory before that is known.
        shapes_only = model.shapes_only(config.layers, traits, precision=precision)
        model.check("model", shapes_only.variables, checkpoint.arrays)
        self.network = model.build(config.layers, traits, config.seed, precision=precision)
        model.restore("model", self.network.variables, checkpoint.arrays)
        if any(name.startswith("average/") for name in checkpoint.arrays):
            model.restore("average", self.network.trainable_variables, checkpoint.arrays)
        self._scores = tf.function(self._score, reduce_retracing=True, autograph=False)
        self._probabilities = tf.function(self._classify, reduce_retracing=True, autograph=False)

    def probabilities(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Returns the probabilities of stored pixels.

        Args:
            pixels: uint8 [batch, stored height, stored width, channel].

        Returns:
            float32 [batch, class].
        """
        with enough_memory("in a prediction"):
            return np.asarray(self._probabilities(tf.constant(pixels)))

    def scores(
        self, split: Split, batch_size: int
    ) -> Iterator[tuple[NDArray[np.float32], NDArray[np.float32]]]:
        """Yields (probabilities float32 [batch, class], losses float32 [batch]) over a split."""
        for images, labels in evaluation_batches(split, self.traits.size, batch_size):
            with enough_memory("in an evaluation"):
                probabilities, losses = self._scores(images, labels)
            yield probabilities.numpy(), losses.numpy()

    def regularization_loss(self) -> float:
        """Returns the regularisation loss, which Keras counts in every loss that it reports."""
        losses = self.network.losses
        return float(tf.add_n(losses)) if losses else 0.0

    def _score(self, images: tf.Tensor, labels: tf.Tensor) -> Any:  # noqa: ANN401  # tensors
        logits = tf.cast(self.network(images, training=False), tf.float32)
        return tf.nn.softmax(logits), self._loss.per_image(labels, logits)

    def _classify(self, pixels: tf.Tensor) -> Any:  # noqa: ANN401
        images = images_of(pixels, self.traits.size)
        return tf.nn.softmax(tf.cast(self.network(images, training=False), tf.float32))
