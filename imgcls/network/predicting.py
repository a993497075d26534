"""Runs a network over images: shared by validation, `evaluate` and `predict`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from imgcls.config.components.losses import Loss
from imgcls.config.data_spec import DataSpec
from imgcls.data.dataset import Split
from imgcls.data.pipeline import evaluation_batches
from imgcls.data.targets import Targets
from imgcls.network.network import Network
from imgcls.ops.memory import enough_memory
from imgcls.ops.pixels import images_of


@dataclass(frozen=True)
class SplitPredictions:
    """The predictions of a network for every image of a split, in order.

    Attributes:
        labels: int32 [image].
        probabilities: float32 [image, class].
        losses: float32 [image], without regularization.
        regularization_loss: of the weights; included in every reported loss, as in Keras.
    """

    labels: NDArray[np.int32]
    probabilities: NDArray[np.float32]
    losses: NDArray[np.float32]
    regularization_loss: float


class Predictor:
    """Computes the probabilities and the loss of a network.

    Args:
        network: the network, which returns logits.
        spec: the data spec.
        loss: the config's loss.
        device: the device to run on; None is TensorFlow's choice.
    """

    def __init__(
        self, network: Network, spec: DataSpec, loss: Loss, device: str | None = None
    ) -> None:
        self._network = network
        self._spec = spec
        self._loss = loss
        self._targets = Targets(len(spec.classes), loss.smoothing)
        self._device = device
        self._scores = tf.function(self._score, reduce_retracing=True, autograph=False)
        self._classify = tf.function(self._classified, reduce_retracing=True, autograph=False)

    def predict(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Returns the probabilities for stored pixels, float32 [batch, class].

        Args:
            pixels: uint8 [batch, stored height, stored width, channel].

        Raises:
            ResourceError: if memory does not suffice.
        """
        with enough_memory("in a prediction"), tf.device(self._device):
            return np.asarray(self._classify(tf.constant(pixels)))

    def predict_split(
        self, split: Split, batch_size: int, progress: Callable[[int], None]
    ) -> SplitPredictions:
        """Returns the predictions for every image of a split.

        Args:
            split: the images.
            batch_size: the number of images per batch; affects rounding.
            progress: called with the number of images done; its exceptions are passed on.

        Raises:
            ResourceError: if memory does not suffice.
        """
        probabilities, losses, done = [], [], 0
        for batch in evaluation_batches(split, self._spec.size, batch_size, self._targets):
            with enough_memory("in an evaluation"), tf.device(self._device):
                these, their_losses = self._scores(*batch)
            probabilities.append(these.numpy())
            losses.append(their_losses.numpy())
            done += len(probabilities[-1])
            progress(done)
        return SplitPredictions(
            split.labels,
            np.concatenate(probabilities),
            np.concatenate(losses),
            float(self._network.regularization_loss()),
        )

    def _score(self, images: tf.Tensor, targets: tf.Tensor, weights: tf.Tensor) -> Any:  # noqa: ANN401  # tensors
        del weights  # class weights, which affect only the training loss
        logits = tf.cast(self._network.model(images, training=False), tf.float32)
        return tf.nn.softmax(logits), self._loss.per_image(targets, logits)

    def _classified(self, pixels: tf.Tensor) -> tf.Tensor:
        images = images_of(pixels, self._spec.size)
        return tf.nn.softmax(tf.cast(self._network.model(images, training=False), tf.float32))
