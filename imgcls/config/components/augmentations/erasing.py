"""Augmentations that hide a part of the image."""

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

from imgcls.config.components.augmentations.augmentation import Color
from imgcls.config.components.types import Fraction, Positive

if TYPE_CHECKING:
    import tensorflow as tf


class RandomErasing(Color):
    """Randomly erases one rectangle of each image (https://arxiv.org/abs/1708.04896).

    The sides are rounded to whole pixels and limited to the image; the position is uniform among
    those inside the image.
    """

    numbers: ClassVar[int] = 5

    probability: Fraction = 0.5
    """Probability of erasing."""

    area: tuple[Fraction, Fraction] = (0.02, 0.33)
    """Minimum and maximum area as fractions of the image; uniform in between."""

    aspect: tuple[Positive, Positive] = (0.3, 3.3)
    """Minimum and maximum ratio of height to width; log-uniform in between."""

    value: Fraction = 0.0
    """Value of the erased pixels, from 0 (black) to 1 (white)."""

    def rules(self) -> Iterator[tuple[str, str]]:
        """Yields the violated rules between fields."""
        for key, (low, high) in (("area", self.area), ("aspect", self.aspect)):
            if low > high:
                yield key, f"expected the minimum first, got {low:g} and {high:g}"

    def apply(self, images: "tf.Tensor", numbers: "tf.Tensor") -> "tf.Tensor":
        """Returns the transformed images."""
        from imgcls.ops import color

        _, height, width, _ = images.shape
        return color.erase(images, self.boxes(numbers, height, width), self.value)

    def boxes(self, numbers: "tf.Tensor", height: int, width: int) -> "tf.Tensor":
        """Returns the rectangle of each image.

        Args:
            numbers: float32 [batch, 5], uniform in [0, 1).
            height: height of the images in pixels.
            width: width of the images in pixels.

        Returns:
            float32 [batch, 4]: top, left, height, width in whole pixels; without a rectangle, the
            height is 0.
        """
        import tensorflow as tf

        from imgcls.ops import random

        chosen, area, aspect, top, left = tf.unstack(numbers, axis=1)
        area = random.between(area, *self.area) * (height * width)
        aspect = tf.exp(random.between(aspect, *map(math.log, self.aspect)))
        high = tf.clip_by_value(tf.round(tf.sqrt(area * aspect)), 1.0, float(height))
        wide = tf.clip_by_value(tf.round(tf.sqrt(area / aspect)), 1.0, float(width))
        top, left = random.whole(top, 0, height - high), random.whole(left, 0, width - wide)
        high = tf.where(chosen < self.probability, high, 0.0)
        return tf.stack([top, left, high, wide], axis=1)
