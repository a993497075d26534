"""A config's augmentations, applied to batches of training images."""

from collections.abc import Sequence

import tensorflow as tf

from imgcls.config.components.augmentations.augmentation import (
    Augmentation,
    Color,
    Fill,
    Geometric,
)
from imgcls.ops import random
from imgcls.ops.exact_warps import exact_warp
from imgcls.ops.warp import warp


def augment(
    augmentations: Sequence[Augmentation],
    images: tf.Tensor,
    seed: int | tf.Tensor,
    epoch: tf.Tensor,
    index: tf.Tensor,
) -> tf.Tensor:
    """Returns the images, each augmented by itself.

    What happens to an image depends on (seed, epoch, its index) alone. An augmentation's numbers
    follow those of its predecessors in the list: another one put behind it, or other fields
    anywhere, leave them as they are.

    Movements beside each other that agree on the fill are multiplied into one warp: pixels are
    interpolated once, and what an earlier one brings out of the image a later one can bring back.

    Args:
        augmentations: applied in this order.
        images: float32 [batch, height, width, channel] in 0..1; the batch may be unknown.
        seed: the config's.
        epoch: int64 scalar.
        index: int64 [batch], which training image each one is.

    Returns:
        images of the same shape, type and range.
    """
    if not augmentations:
        return images
    counts = [each.numbers for each in augmentations]
    numbers = tf.split(random.uniform(seed, epoch, index, sum(counts)), counts, axis=1)
    drawn = iter(numbers)
    for group in grouped(augmentations):
        if isinstance(group, Color):
            images = group.apply(images, next(drawn))
        else:
            images = _moved(images, [(each, next(drawn)) for each in group])
    return images


def grouped(augmentations: Sequence[Augmentation]) -> list[Color | list[Geometric]]:
    """Returns the augmentations in order, with the movements that make one warp together."""
    groups: list[Color | list[Geometric]] = []
    for each in augmentations:
        last = groups[-1] if groups else None
        if isinstance(each, Color):
            groups.append(each)
        elif isinstance(each, Geometric):
            if isinstance(last, list) and len(_fills([*last, each])) <= 1:
                last.append(each)
            else:
                groups.append([each])
        else:
            raise TypeError(f"{each.identifier()} is neither Geometric nor Color")
    return groups


def _fills(group: Sequence[Geometric]) -> set[Fill]:
    return {each.fill for each in group if each.fill is not None}


def _moved(images: tf.Tensor, group: Sequence[tuple[Geometric, tf.Tensor]]) -> tf.Tensor:
    """Returns the images after all movements of a group, at once."""
    _, height, width, _ = images.shape
    matrices = [each.matrix(numbers, height, width) for each, numbers in group]
    product = matrices[0]
    for matrix in matrices[1:]:
        product = tf.matmul(product, matrix)
    fill = next(iter(_fills([each for each, _ in group])), Fill("nearest", 0.0))
    apply = exact_warp if all(each.exact for each, _ in group) else warp
    return apply(images, product, fill.mode, fill.value)
