"""Recomputes the mean and variance of batch normalization layers from images.

Moving averages lag behind the weights, by hundreds of steps at Keras' default momentum, and for
averaged weights there are no matching ones (tests/commands/test_averages.py).
"""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from imgcls.network.network import Network
from imgcls.ops.memory import enough_memory
from imgcls.ops.normalization import BatchNormalization, collecting

MOST_IMAGES = 10_000
"""Maximum number of images for the statistics: each evaluation does a forward pass over them."""


def normalizations(network: Network) -> dict[str, BatchNormalization]:
    """Returns the batch normalization layers of a network by key."""
    return {
        each.key: each.layer
        for each in network.layers
        if isinstance(each.layer, BatchNormalization)
    }


class Recomputation:
    """Recomputes the statistics of some batch normalization layers.

    The mean and variance of each batch are averaged, weighted by its number of images. All other
    layers are in inference mode: dropout is off, and no seed changes.

    Args:
        network: the network.
        layers: the layers of its `normalizations` whose statistics are recomputed.
        device: the device to run on.
    """

    def __init__(self, network: Network, layers: Iterable[BatchNormalization], device: str) -> None:
        self._model = network.model
        self.layers = tuple(layers)
        self._device = device
        self._statistics = tf.function(self._forward, reduce_retracing=True, autograph=False)

    def run(self, batches: Iterator[tf.Tensor]) -> None:
        """Sets the moving mean and variance of the layers.

        Args:
            batches: images float32 [batch, height, width, channel] in 0..1; the result depends on
                their order and sizes.

        Raises:
            ResourceError: if there is not enough memory.
        """
        means: list[Any] = [0.0] * len(self.layers)
        variances: list[Any] = [0.0] * len(self.layers)
        count = 0
        for images in batches:
            size = int(images.shape[0])
            with enough_memory("in a batch normalization"), tf.device(self._device):
                found = self._statistics(images)
            for at, (mean, variance) in enumerate(found):
                means[at] = means[at] + size * np.asarray(mean, np.float64)
                variances[at] = variances[at] + size * np.asarray(variance, np.float64)
            count += size
        for layer, mean, variance in zip(self.layers, means, variances, strict=True):
            layer.moving_mean.assign((mean / count).astype(np.float32))
            layer.moving_variance.assign((variance / count).astype(np.float32))

    def _forward(self, images: tf.Tensor) -> Any:  # noqa: ANN401  # tensors
        with collecting(self.layers):
            self._model(images, training=False)
            return [layer.collected for layer in self.layers]
