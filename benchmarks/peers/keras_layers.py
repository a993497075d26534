"""configs/cifar10.yaml with Keras' own random layers in tf.data, and `fit` in its defaults."""

import argparse

import keras
import tensorflow as tf

from benchmarks.lines import say
from benchmarks.peers import cifar10, networks
from benchmarks.peers.epochs import Epochs

EPOCHS = 2


def main() -> None:
    """Trains and prints the images a second from the second epoch on."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    images, labels = cifar10.training_images(quick=quick)
    steps = 1 if quick else cifar10.STEPS
    augment = keras.Sequential(
        [
            keras.layers.Rescaling(1 / 255),
            keras.layers.RandomRotation(15 / 360),
            keras.layers.RandomTranslation(0.1, 0.1),
            keras.layers.RandomFlip("horizontal"),
        ]
    )
    batches = (
        tf.data.Dataset.from_tensor_slices((images, labels))
        .shuffle(len(images))
        .batch(cifar10.BATCH)
        .map(lambda x, y: (augment(x, training=True), y), num_parallel_calls=tf.data.AUTOTUNE)
        .prefetch(tf.data.AUTOTUNE)
    )
    model = networks.small(32, 32, cifar10.CLASSES)
    model.compile(
        optimizer=keras.optimizers.Adam(0.001),
        loss="categorical_crossentropy",
        metrics=["accuracy"],
    )
    epochs = Epochs()
    model.fit(batches, epochs=EPOCHS, steps_per_epoch=steps, callbacks=[epochs], verbose=0)
    say(images_per_second=epochs.rate(steps * cifar10.BATCH), precision="float32")


if __name__ == "__main__":
    main()
