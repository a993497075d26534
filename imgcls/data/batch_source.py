"""Where the batches of a training are made: on the host, or on the GPU that trains with them.

A GPU takes steps faster than a few cores can augment images for it. So it makes its batches itself:
from pixels that lie there, or from those of a batch that the host sends as bytes, a quarter of what
images take. Both are the very functions that the host would use.
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
"""Pixels up to here are kept on a GPU: a quarter of what the smallest ones of today have."""


@dataclass(frozen=True)
class BatchSource:
    """How a training comes to its batches.

    Attributes:
        batches: what the host makes of the batches of these steps.
        finish: makes (images, targets, weights), as `train_batches` has them, of what `batches`
            gives, on the device; None where that is what they give.
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
    """Returns a feed whose batches are whole; the arguments are those of `train_batches`."""

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
    """Returns a feed whose batches are made on this device; the pixels lie there if they fit."""
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
    """Returns int32 [image, number], four bytes in each: on GPUs, nothing gathers bytes."""
    if isinstance(pixels, np.memmap) or pixels.nbytes > RESIDENT_BYTES:
        return None
    rows = pixels.reshape(len(pixels), -1)
    if left := -rows.shape[1] % 4:
        rows = np.pad(rows, ((0, 0), (0, left)))
    with suppress(tf.errors.ResourceExhaustedError), tf.device(device):
        return tf.constant(np.ascontiguousarray(rows).view(np.int32))
    return None


def _bytes_of(rows: tf.Tensor, shape: tuple[int, ...]) -> tf.Tensor:
    """Returns uint8 [batch, height, width, channel] of gathered rows."""
    pixels = tf.reshape(tf.bitcast(rows, tf.uint8), [-1, 4 * rows.shape[1]])
    return tf.reshape(pixels[:, : int(np.prod(shape))], [-1, *shape])
