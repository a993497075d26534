"""CIFAR-10's training images, read by imgcls, because reading them is not compared."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

CLASSES = 10
BATCH = 64  # as in configs/cifar10.yaml
STEPS = 300  # per epoch, as for imgcls
QUICK = 3 * BATCH


def training_images(*, quick: bool) -> tuple[NDArray[np.uint8], NDArray[Any]]:
    """Returns images, uint8 [n, 32, 32, 3], and labels, float32 [n, class]; n is as for imgcls."""
    from imgcls.config.components.datasets import Dataset

    found = Dataset.read({"name": "cifar10"}).find().splits["train"]
    assert found.pixels is not None, "the set is arrays"
    # configs/cifar10.yaml holds out a tenth.
    count = QUICK if quick else len(found.labels) * 9 // 10
    return found.pixels[:count], np.eye(CLASSES, dtype=np.float32)[found.labels[:count]]
