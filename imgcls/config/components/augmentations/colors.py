"""Augmentations that change colours. Results are clipped to 0 (black) .. 1 (white)."""

from typing import TYPE_CHECKING, Annotated, ClassVar

from annotated_types import Ge, Le

from imgcls.config.components.augmentations.augmentation import Color
from imgcls.config.components.types import Fraction

if TYPE_CHECKING:
    import tensorflow as tf


class RandomBrightness(Color):
    """Adds one number to all values of an image."""

    numbers: ClassVar[int] = 1

    factor: Fraction
    """The largest change, as a share of the way from black to white: uniform from -factor to
    factor."""

    def apply(self, images: "tf.Tensor", numbers: "tf.Tensor") -> "tf.Tensor":
        """Returns the changed images."""
        from imgcls.ops import color, random

        return color.brightness(images, random.between(numbers[:, 0], -self.factor, self.factor))


class RandomContrast(Color):
    """Multiplies the distance of each value from its channel's mean over the image."""

    numbers: ClassVar[int] = 1

    factor: Fraction
    """The largest change, as a share: 0.2 multiplies by 0.8 to 1.2, uniformly."""

    def apply(self, images: "tf.Tensor", numbers: "tf.Tensor") -> "tf.Tensor":
        """Returns the changed images."""
        from imgcls.ops import color, random

        factors = random.between(numbers[:, 0], 1 - self.factor, 1 + self.factor)
        return color.contrast(images, factors)


class RandomSaturation(Color):
    """Multiplies the distance of each pixel from its own grey: paler or stronger colours.

    Grey images (one channel) stay as they are.
    """

    numbers: ClassVar[int] = 1

    factor: Fraction
    """The largest change, as a share: 0.2 multiplies by 0.8 to 1.2, uniformly; 1 reaches from grey
    to double."""

    def apply(self, images: "tf.Tensor", numbers: "tf.Tensor") -> "tf.Tensor":
        """Returns the changed images."""
        from imgcls.ops import color, random

        factors = random.between(numbers[:, 0], 1 - self.factor, 1 + self.factor)
        return color.saturation(images, factors)


class RandomHue(Color):
    """Moves the hue of all pixels of an image around the colour circle.

    Grey images (one channel) stay as they are.
    """

    numbers: ClassVar[int] = 1

    factor: Annotated[float, Ge(0), Le(0.5)]
    """The largest move, as a share of the whole circle: uniform from -factor to factor; 0.5 reaches
    every hue, red becomes green at 0.33."""

    def apply(self, images: "tf.Tensor", numbers: "tf.Tensor") -> "tf.Tensor":
        """Returns the changed images."""
        from imgcls.ops import color, random

        return color.hue(images, random.between(numbers[:, 0], -self.factor, self.factor))


class RandomGrayscale(Color):
    """Takes the colour out of an image with this probability; it keeps its three channels.

    Grey images (one channel) stay as they are.
    """

    numbers: ClassVar[int] = 1

    probability: Fraction = 0.1
    """How likely an image loses its colour, from 0 to 1."""

    def apply(self, images: "tf.Tensor", numbers: "tf.Tensor") -> "tf.Tensor":
        """Returns the changed images."""
        from imgcls.ops import color

        return color.grayscale(images, numbers[:, 0] < self.probability)
