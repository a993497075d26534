"""Turns splits into batches, with tf.data.

All randomness here is a function of (seed, pass, index): a *pass* goes through the whole split
once, in an order derived from (seed, pass), and the augmentation of an image is derived from (seed,
pass, index of the image). A batch is a slice of that order, so training can begin at any step.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from imgcls.config.components.augmentations import Augmentation
from imgcls.data.augment import augment
from imgcls.data.dataset import Split
from imgcls.data.targets import Targets
from imgcls.images.buffers import release
from imgcls.ops.pixels import images_of

PARALLEL_BATCHES = 2  # in parallel; more take memory and are not faster (on two cores)
READY_BATCHES = 2
HOST = "CPU:0"  # where tf.data works; an eager constant would go to the first GPU

_as_written = tf.autograph.experimental.do_not_convert
"""AutoGraph would rewrite the source of all code that makes a batch: seconds for nothing."""


def steps_per_pass(images: int, batch_size: int) -> int:
    """Returns the number of batches in a pass; the last batch may be smaller."""
    return math.ceil(images / batch_size)


@_as_written  # type: ignore[untyped-decorator]  # no types
def index_batches(
    images: int, batch_size: int, seed: int, steps: range, smallest: int = 1
) -> tf.data.Dataset:
    """Returns the indices of the images of each step.

    Args:
        images: the number of images in the split.
        batch_size: the number of images per step.
        seed: the seed of the order.
        steps: the steps, counted from 0 over the whole training.
        smallest: the minimum number of images in the last batch of a pass, taken from the batch
            before it. Each replica needs one: synchronized normalization fails on an empty batch.

    Returns:
        (pass int64 scalar, indices int64 [batch]) for each step.
    """
    count = steps_per_pass(images, batch_size)
    last = max(images - (count - 1) * batch_size, min(smallest, images))

    def of_pass(number: tf.Tensor) -> tf.data.Dataset:
        order = tf.random.experimental.stateless_shuffle(
            tf.range(images, dtype=tf.int64), seed=tf.stack([tf.constant(seed, tf.int64), number])
        )

        def of_step(step: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            begin = tf.minimum(step * batch_size, images - last)
            end = tf.minimum((step + 1) * batch_size, images - last)
            return number, order[begin : tf.where(step < count - 1, end, tf.cast(images, tf.int64))]

        first = tf.where(
            number == steps.start // count, tf.constant(steps.start % count, tf.int64), 0
        )
        return tf.data.Dataset.range(first, count).map(of_step)

    passes = tf.data.Dataset.range(steps.start // count, steps.stop // count + 1)
    return passes.flat_map(of_pass).take(len(steps))


def train_batches(
    split: Split,
    size: tuple[int, int],
    augmentations: Sequence[Augmentation],
    batch_size: int,
    seed: int,
    steps: range,
    targets: Targets,
    smallest: int = 1,
) -> tf.data.Dataset:
    """Returns the batches of these steps, each image augmented independently.

    `seed`, `steps` and `smallest` are as in `index_batches`.

    Returns:
        (images float32 [batch, height, width, channel] in 0..1, targets float32 [batch, class],
        weights float32 [batch]) per step.
    """
    pixels = pixels_at(split.pixels)
    with tf.device(HOST):
        lookup = targets.lookup(split.labels)

    def batch(number: tf.Tensor, index: tf.Tensor) -> tuple[tf.Tensor, ...]:
        images = images_of(pixels(index), size)
        return augment(augmentations, images, seed, number, index), *lookup(index)

    indices = index_batches(len(split.labels), batch_size, seed, steps, smallest)
    return parallel(indices, batch)


def evaluation_batches(
    split: Split, size: tuple[int, int], batch_size: int, targets: Targets
) -> tf.data.Dataset:
    """Returns every image of a split exactly once, in order, without augmentation.

    Returns:
        As `train_batches` does.
    """
    pixels = pixels_at(split.pixels)
    with tf.device(HOST):
        lookup = targets.lookup(split.labels)
    indices = tf.data.Dataset.range(len(split.labels)).batch(batch_size)
    return parallel(indices, lambda index: (images_of(pixels(index), size), *lookup(index)))


def first_images(
    split: Split, size: tuple[int, int], batch_size: int, seed: int, most: int
) -> tf.data.Dataset:
    """Returns the images of the first pass, in its order, without augmentation.

    Args:
        split: the images.
        size: height and width of the network's input.
        batch_size: as in `index_batches`.
        seed: as in `index_batches`.
        most: the approximate maximum number of images; only whole batches are returned.

    Returns:
        float32 [batch, height, width, channel] in 0..1.
    """
    pixels = pixels_at(split.pixels)
    steps = min(steps_per_pass(len(split.labels), batch_size), max(1, most // batch_size))
    indices = index_batches(len(split.labels), batch_size, seed, range(steps))
    return parallel(indices, lambda _, index: images_of(pixels(index), size))


def pixels_at(pixels: NDArray[np.uint8]) -> Callable[[tf.Tensor], tf.Tensor]:
    """Returns a function that gathers the pixels of images by their indices, on the host."""
    if isinstance(pixels, np.memmap):  # too large for memory
        shape = (None, *pixels.shape[1:])

        def read(index: tf.Tensor) -> tf.Tensor:
            gathered = tf.numpy_function(rows_of, [index], tf.uint8)
            return tf.ensure_shape(gathered, shape)

        def rows_of(rows: NDArray[np.int64]) -> NDArray[np.uint8]:
            gathered = pixels[rows]
            release(pixels)
            return gathered

        return read
    # A NumPy array captured in a map would be embedded in its graph: 12 times slower to iterate.
    with tf.device(HOST):
        constant = tf.constant(pixels)
    return lambda index: tf.gather(constant, index)


def parallel(indices: tf.data.Dataset, batch: Callable[..., Any]) -> tf.data.Dataset:
    """Maps `batch` over the elements, in order, with some batches prefetched."""
    options = tf.data.Options()
    # The autotuning thread outlives its iterator by up to the time already run (measured in 2.19
    # and 2.21: 30 to 50 % of short training runs took 1.3 to 1.85 times as long).
    options.autotune.enabled = False
    options.deterministic = True
    batches = indices.map(_as_written(batch), num_parallel_calls=PARALLEL_BATCHES)
    return batches.prefetch(READY_BATCHES).with_options(options)
