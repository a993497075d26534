"""configs/photos.yaml at 128x128 with `image_dataset_from_directory`, `.cache()` and Keras' layers.

The second epoch is measured, because the first fills the cache.
"""

import argparse
from pathlib import Path

import keras
import tensorflow as tf

from benchmarks.lines import say
from benchmarks.peers import networks
from benchmarks.peers.epochs import Epochs

SIZE, BATCH, EPOCHS = 128, 32, 2
QUICK = 3  # batches


def main() -> None:
    """Trains and prints the images per second of the second epoch."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    own = options.folder / "train"
    found = keras.utils.image_dataset_from_directory(
        own if own.is_dir() else options.folder,
        label_mode="categorical",
        image_size=(SIZE, SIZE),
        batch_size=BATCH,
        verbose=False,
    )
    classes, pictures = len(found.class_names), len(found.file_paths)
    if options.quick:
        found, pictures = found.take(QUICK), QUICK * BATCH
    augment = keras.Sequential(
        [
            keras.layers.Rescaling(1 / 255),
            keras.layers.RandomRotation(40 / 360),
            keras.layers.RandomTranslation(0.2, 0.2),
            keras.layers.RandomShear(x_factor=0.2),
            keras.layers.RandomZoom(0.2),
            keras.layers.RandomFlip("horizontal"),
        ]
    )
    batches = (
        found.cache()
        .map(lambda x, y: (augment(x, training=True), y), num_parallel_calls=tf.data.AUTOTUNE)
        .prefetch(tf.data.AUTOTUNE)
    )
    model = networks.photographs(SIZE, SIZE, classes)
    model.compile(
        optimizer=keras.optimizers.Adam(0.001),
        loss="categorical_crossentropy",
        metrics=["accuracy"],
    )
    epochs = Epochs()
    model.fit(batches, epochs=EPOCHS, callbacks=[epochs], verbose=0)
    say(images_per_second=epochs.rate(pictures), precision="float32")


if __name__ == "__main__":
    main()
