"""configs/cifar10.yaml as in the tutorials, with Keras' legacy ImageDataGenerator and `fit`."""

from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from benchmarks.peers import cifar10, tutorial


def batches_of(images: NDArray[np.uint8], labels: NDArray[Any]) -> Any:  # noqa: ANN401  # no types
    """Returns an endless generator of batches."""
    # Keras 3 keeps the class for old code, only under this name.
    generator = tf.keras.preprocessing.image.ImageDataGenerator(
        rotation_range=15, width_shift_range=0.1, height_shift_range=0.1, horizontal_flip=True
    )
    return generator.flow(images.astype("float32") / 255, labels, batch_size=cifar10.BATCH)


if __name__ == "__main__":
    tutorial.train(batches_of)
