"""Where the batches for training are made: on the host, or on the GPU that trains with them.

A GPU takes steps faster than a few cores can augment images for it, so it makes its own batches:
from pixels in GPU memory, or from those of a batch that the host sends as uint8, a quarter of the
size of float32 images. Host and GPU use the same functions to make a batch.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from imgcls.config.components.augmentations import Augmentation
from imgcls.data import pipeline
from imgcls.data.augment import augment
from imgcls.data.dataset import Split
from imgcls.data.targets import Targets
from imgcls.ops.pixels import images_of

RESIDENT_BYTES = 2**31
"""Maximum size of pixels kept in GPU memory: a quarter of the memory of today's smallest GPUs."""


@dataclass(frozen=True)
class BatchSource:
    """The source of the batches for training.

    Attributes:
        batches: returns the host's part of the batches of the given steps.
        finish: turns an element of `batches` into (images, targets, weights) on the device, as in
            `train_batches`; None if `batches` already gives these.
    """

    batches: Callable[[range], tf.data.Dataset]
    finish: Callable[..., tuple[tf.Tensor, ...]] | None = None


def on_host(
    split: Split,
    size: tuple[int, int],
    augmentations: Sequence[Augmentation],
    batch_size: int,
    seed: int,
    targets: Targets,
    smallest: int = 1,
) -> BatchSource:
    """Returns a source of batches made on the host; the arguments are those of `train_batches`."""

    def batches(steps: range) -> tf.data.Dataset:
        return pipeline.train_batches(
            split, size, augmentations, batch_size, seed, steps, targets, smallest
        )

    return BatchSource(batches)


def on_device(
    split: Split,
    size: tuple[int, int],
    augmentations: Sequence[Augmentation],
    batch_size: int,
    seed: int,
    targets: Targets,
    device: str,
) -> BatchSource:
    """Returns a source of batches made on this device, which keeps the pixels if they fit."""
    shape = split.pixels.shape[1:]
    resident = _resident(split.pixels, device)
    with tf.device(device):
        lookup = targets.lookup(split.labels)

    def batches(steps: range) -> tf.data.Dataset:
        indices = pipeline.index_batches(len(split.labels), batch_size, seed, steps)
        if resident is not None:
            return pipeline.parallel(indices, lambda number, index: (number, index))
        pixels = pipeline.pixels_at(split.pixels)
        return pipeline.parallel(indices, lambda number, index: (number, index, pixels(index)))

    def finish(
        number: tf.Tensor, index: tf.Tensor, pixels: tf.Tensor | None = None
    ) -> tuple[tf.Tensor, ...]:
        if pixels is None:
            pixels = _bytes_of(tf.gather(resident, index), shape)
        images = images_of(pixels, size)
        return augment(augmentations, images, seed, number, index), *lookup(index)

    return BatchSource(batches, finish)


def _resident(pixels: NDArray[np.uint8], device: str) -> tf.Tensor | None:
    """Returns int32 [image, number], four pixel bytes in each: GPUs have no gather for uint8."""
    if isinstance(pixels, np.memmap) or pixels.nbytes > RESIDENT_BYTES:
        return None
    rows = pixels.reshape(len(pixels), -1)
    if left := -rows.shape[1] % 4:
        rows = np.pad(rows, ((0, 0), (0, left)))
    with suppress(tf.errors.ResourceExhaustedError), tf.device(device):
        return tf.constant(np.ascontiguousarray(rows).view(np.int32))
    return None


def _bytes_of(rows: tf.Tensor, shape: tuple[int, ...]) -> tf.Tensor:
    """Returns the pixels of gathered rows, uint8 [batch, height, width, channel]."""
    pixels = tf.reshape(tf.bitcast(rows, tf.uint8), [-1, 4 * rows.shape[1]])
    return tf.reshape(pixels[:, : int(np.prod(shape))], [-1, *shape])
