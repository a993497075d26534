"""configs/cifar10.yaml with Keras' random layers in tf.data, and `fit` in its default settings."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from benchmarks.peers import cifar10, tutorial


def batches_of(images: NDArray[np.uint8], labels: NDArray[Any]) -> tf.data.Dataset:
    """Returns the batches of one pass over the images, which has enough steps for all epochs."""
    augment = keras.Sequential(
        [
            keras.layers.Rescaling(1 / 255),
            keras.layers.RandomRotation(15 / 360),
            keras.layers.RandomTranslation(0.1, 0.1),
            keras.layers.RandomFlip("horizontal"),
        ]
    )
    return (
        tf.data.Dataset.from_tensor_slices((images, labels))
        .shuffle(len(images))
        .batch(cifar10.BATCH)
        .map(lambda x, y: (augment(x, training=True), y), num_parallel_calls=tf.data.AUTOTUNE)
        .prefetch(tf.data.AUTOTUNE)
    )


if __name__ == "__main__":
    tutorial.train(batches_of)
