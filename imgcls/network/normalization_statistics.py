"""The mean and variance of batch normalizations, recomputed from images.

Moving averages lag behind the weights, by hundreds of steps at Keras' default momentum, and those
of averaged weights belong to no network at all (tests/commands/test_averages.py).
"""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from imgcls.network.network import Network
from imgcls.ops.memory import enough_memory
from imgcls.ops.normalization import BatchNormalization, collecting

MOST_IMAGES = 10_000
"""Images that statistics are computed from at most: a forward pass over them at each evaluation."""


def normalizations(network: Network) -> dict[str, BatchNormalization]:
    """Returns the batch normalizations of a network by the keys of their layers."""
    return {
        each.key: each.layer
        for each in network.layers
        if isinstance(each.layer, BatchNormalization)
    }


class Recomputation:
    """Recomputes the statistics of some normalizations.

    Each batch's own mean and variance are averaged, weighted by its images. Nothing else is in
    training mode: dropout is off, and no seed changes.

    Args:
        network: the network.
        layers: those of its `normalizations` whose statistics are recomputed.
        device: where it runs.
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
            ResourceError: if memory does not suffice.
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
