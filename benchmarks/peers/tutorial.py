"""configs/cifar10.yaml in Keras, except for the source of its batches."""

import argparse
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from benchmarks.lines import say
from benchmarks.peers import cifar10, networks
from benchmarks.peers.epochs import Epochs

EPOCHS = 2


def train(batches_of: Callable[[NDArray[np.uint8], NDArray[Any]], Any]) -> None:
    """Trains and prints the images per second from the second epoch on.

    Args:
        batches_of: makes the input of `fit` from the images and labels of `training_images`.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    steps = 1 if quick else cifar10.STEPS
    batches = batches_of(*cifar10.training_images(quick=quick))
    model = networks.small(32, 32, cifar10.CLASSES)
    model.compile(
        optimizer=keras.optimizers.Adam(0.001),
        loss="categorical_crossentropy",
        metrics=["accuracy"],
    )
    epochs = Epochs()
    model.fit(batches, epochs=EPOCHS, steps_per_epoch=steps, callbacks=[epochs], verbose=0)
    say(images_per_second=epochs.rate(steps * cifar10.BATCH), precision="float32")
