"""The 8-layer network in Keras' `fit`, on images in memory, in the given precision."""

import argparse

import keras
import numpy as np

from benchmarks.lines import say
from benchmarks.peers import networks
from benchmarks.peers.epochs import Epochs
from benchmarks.random_images import random_images

BATCH = 512
EPOCHS = 3


def main() -> None:
    """Trains and prints the images per second from the second epoch on."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, required=True)
    parser.add_argument("--precision", choices=("float32", "bfloat16"), required=True)
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    if options.precision == "bfloat16":
        keras.mixed_precision.set_dtype_policy("mixed_bfloat16")
    pixels, labels = random_images(BATCH if options.quick else options.images)
    images = pixels.astype(np.float32) / 255
    model = networks.eight()
    model.compile(
        optimizer=keras.optimizers.SGD(0.05, momentum=0.9, nesterov=True),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    epochs = Epochs()
    model.fit(images, labels, batch_size=BATCH, epochs=EPOCHS, callbacks=[epochs], verbose=0)
    say(images_per_second=epochs.rate(len(images)), precision=options.precision)


if __name__ == "__main__":
    main()
