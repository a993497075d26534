"""A trained run as a function: images in, probabilities out."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from imgcls.data.dataset import Split
from imgcls.inference.loading import LoadedRun
from imgcls.network import network as networks
from imgcls.network import weights
from imgcls.network.predicting import Predictor, SplitPredictions

if TYPE_CHECKING:
    import keras


class Classifier:
    """A network with the weights of a checkpoint.

    Args:
        run: with the weights of its checkpoint; they are taken out of it, so that they are in
            memory once.
        precision: float32, whatever the run was trained in, or bfloat16.

    Attributes:
        spec: the data's.
        network: images float32 [batch, height, width, channel] in 0..1 to logits float32
            [batch, class].

    Raises:
        RunError: if the weights do not fit the config.
    """

    def __init__(self, run: LoadedRun, precision: str = "float32") -> None:
        config, self.spec = run.config, run.spec
        # A folder from elsewhere may ask for more than it brings: no memory before that is known.
        shapes = networks.shapes_only(config.layers, self.spec, precision=precision)
        weights.check(shapes.variables, run.weights, run.checkpoint)
        network = networks.build(
            config.layers, self.spec, config.seed, precision=precision, blank=True
        )
        weights.assign(network.variables, run.weights, run.checkpoint)
        run.weights.clear()
        self.network: keras.Sequential = network.model
        self._predictor = Predictor(network, self.spec, config.loss)

    def predict(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Returns the probabilities of stored pixels, float32 [batch, class].

        Args:
            pixels: uint8 [batch, stored height, stored width, channel].
        """
        return self._predictor.predict(pixels)

    def predict_split(
        self, split: Split, batch_size: int, progress: Callable[[int], None]
    ) -> SplitPredictions:
        """Returns the predictions for every image of a split; see `Predictor.predict_split`."""
        return self._predictor.predict_split(split, batch_size, progress)
