"""Random images, for measurements in which only their number and size matter."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray


def random_images(
    count: int, classes: int = 10, size: int = 32
) -> tuple[NDArray[np.uint8], NDArray[np.int32]]:
    """Returns images, uint8 [count, size, size, 3], and cyclic labels, int32 [count]."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (count, size, size, 3), np.uint8)
    return images, (np.arange(count) % classes).astype(np.int32)


def write(path: Path, count: int, classes: int = 10) -> None:
    """Writes random training images to an npz file that `dataset.npz` of a config accepts."""
    images, labels = random_images(count, classes)
    np.savez(path, x_train=images, y_train=labels)


def in_place(folder: Path, count: int, classes: int = 10) -> list[str]:
    """Writes random images to a folder and returns config overrides for training on them."""
    path = folder / "images.npz"
    write(path, count, classes)
    return [f"dataset={{npz: {path}, validation: none}}", "training.best=loss"]
