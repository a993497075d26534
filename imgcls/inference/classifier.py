"""A trained run as a classifier: images in, probabilities out."""

from collections.abc import Callable, Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from imgcls.data.dataset import Split
from imgcls.errors import DataError, UsageError
from imgcls.images.decode import BadImageError
from imgcls.images.load import fit_all, load
from imgcls.images.resize import to_channels
from imgcls.inference.loading import LoadedRun
from imgcls.network import network as networks
from imgcls.network import weights
from imgcls.network.predicting import Predictor, SplitPredictions

if TYPE_CHECKING:
    import keras

BATCH = 32

Paths = str | PathLike[str] | Sequence[str | PathLike[str]]


class Classifier:
    """A trained network, as `imgcls.load` returns it.

    Args:
        run: the loaded run; its weights are removed from it, so that only one copy is in memory.
        precision: float32 or bfloat16, independent of the precision of training.

    Attributes:
        network: maps images, float32 [batch, height, width, channel] in 0..1, to logits, float32
            [batch, class].

    Raises:
        RunError: if the weights do not fit the config.
    """

    def __init__(self, run: LoadedRun, precision: str = "float32") -> None:
        config, self._spec = run.config, run.spec
        # An untrusted config may need more memory than its weights have: check before allocating.
        shapes = networks.shapes_only(config.layers, self._spec, precision=precision)
        weights.check(shapes.variables, run.weights, run.checkpoint)
        network = networks.build(
            config.layers, self._spec, config.seed, precision=precision, blank=True
        )
        weights.assign(network.variables, run.weights, run.checkpoint)
        run.weights.clear()
        self.network: keras.Sequential = network.model
        self._predictor = Predictor(network, self._spec, config.loss)

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes, in the order of the probabilities."""
        return self._spec.classes

    def predict(self, images: Paths | NDArray[np.uint8]) -> NDArray[np.float32]:
        """Returns the class probabilities of images, float32 [image, class].

        Images are decoded and resized as in training.

        Args:
            images: a path, a sequence of paths, or an array, uint8 [image, height, width] or
                [image, height, width, channel], with 1 or 3 channels and any height and width.

        Raises:
            DataError: if a file cannot be read as an image, naming it.
            UsageError: if the array has another data type or shape.
            ResourceError: if there is not enough memory.
        """
        if isinstance(images, str | PathLike):
            images = [images]
        found = [
            self.predict_pixels(self._pixels(images[begin : begin + BATCH]))
            for begin in range(0, len(images), BATCH)
        ]
        return np.concatenate(found) if found else np.zeros((0, len(self.classes)), np.float32)

    def _pixels(self, images: Any) -> NDArray[np.uint8]:  # noqa: ANN401 - a part of `predict`'s
        spec = self._spec
        if isinstance(images, np.ndarray):
            pixels = _checked(images)
            # Convert to gray before resizing, as `decode` does; otherwise, rounding differs.
            pixels = to_channels(pixels, min(spec.channels, pixels.shape[3]))
            return to_channels(fit_all(pixels, spec.stored, spec.resize), spec.channels)
        try:
            paths = [Path(image) for image in images]
            return np.stack([load(path, spec.stored, spec.channels, spec.resize) for path in paths])
        except BadImageError as error:
            raise DataError(str(error)) from error

    def predict_pixels(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Returns the class probabilities of stored images, float32 [batch, class].

        Args:
            pixels: uint8 [batch, stored height, stored width, channel].
        """
        return self._predictor.predict(pixels)

    def predict_split(
        self, split: Split, batch_size: int, progress: Callable[[int], None]
    ) -> SplitPredictions:
        """Returns the predictions for every image of a split; see `Predictor.predict_split`."""
        return self._predictor.predict_split(split, batch_size, progress)


def _checked(images: NDArray[Any]) -> NDArray[np.uint8]:
    pixels = images[..., None] if images.ndim == 3 else images  # noqa: PLR2004 - gray images
    if pixels.ndim != 4 or pixels.shape[3] not in {1, 3} or pixels.dtype != np.uint8:  # noqa: PLR2004
        raise UsageError(
            "predict: expected uint8 [image, height, width] or [image, height, width, channel], "
            f"got {images.dtype} {list(images.shape)}"
        )
    return pixels
