"""configs/cifar10.yaml as the tutorials write it: Keras' legacy ImageDataGenerator and `fit`."""

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
    # Keras 3 keeps the class for old code, under this name alone.
    generator = tf.keras.preprocessing.image.ImageDataGenerator(
        rotation_range=15, width_shift_range=0.1, height_shift_range=0.1, horizontal_flip=True
    )
    model = networks.small(32, 32, cifar10.CLASSES)
    model.compile(
        optimizer=keras.optimizers.Adam(0.001),
        loss="categorical_crossentropy",
        metrics=["accuracy"],
    )
    epochs = Epochs()
    scaled = images.astype("float32") / 255
    batches = generator.flow(scaled, labels, batch_size=cifar10.BATCH)
    model.fit(batches, epochs=EPOCHS, steps_per_epoch=steps, callbacks=[epochs], verbose=0)
    say(images_per_second=epochs.rate(steps * cifar10.BATCH), precision="float32")


if __name__ == "__main__":
    main()
