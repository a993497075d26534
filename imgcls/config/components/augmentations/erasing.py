"""Augmentations that hide a part of the image."""

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

from imgcls.config.components.augmentations.augmentation import Color
from imgcls.config.components.types import Fraction, Positive

if TYPE_CHECKING:
    import tensorflow as tf


class RandomErasing(Color):
    """Paints one rectangle of an image over with this probability.

    Its sides are rounded to pixels and cut to the image's, its place is uniform among all in which
    it is inside the image (https://arxiv.org/abs/1708.04896).
    """

    numbers: ClassVar[int] = 5

    probability: Fraction = 0.5
    """How likely an image gets a rectangle, from 0 to 1."""

    area: tuple[Fraction, Fraction] = (0.02, 0.33)
    """The smallest and the largest rectangle, as shares of the image's area; uniform between."""

    aspect: tuple[Positive, Positive] = (0.3, 3.3)
    """The smallest and the largest height divided by width; uniform on a logarithmic scale."""

    value: Fraction = 0.0
    """What the rectangle is painted with, from 0 (black) to 1 (white)."""

    def rules(self) -> Iterator[tuple[str, str]]:
        """Yields the rules between fields that are broken."""
        for key, (low, high) in (("area", self.area), ("aspect", self.aspect)):
            if low > high:
                yield key, f"must be the smallest first, got {low:g} and {high:g}"

    def apply(self, images: "tf.Tensor", numbers: "tf.Tensor") -> "tf.Tensor":
        """Returns the changed images."""
        from imgcls.ops import color

        _, height, width, _ = images.shape
        return color.erase(images, self.boxes(numbers, height, width), self.value)

    def boxes(self, numbers: "tf.Tensor", height: int, width: int) -> "tf.Tensor":
        """Returns the rectangle of each image.

        Args:
            numbers: float32 [batch, 5], uniform in [0, 1).
            height: of the images, in pixels.
            width: of the images, in pixels.

        Returns:
            float32 [batch, 4]: top, left, height, width in whole pixels; 0 high where none is.
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
