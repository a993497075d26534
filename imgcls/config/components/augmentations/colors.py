"""Color augmentations. Results are clipped to the range from 0 (black) to 1 (white)."""

from typing import TYPE_CHECKING, Annotated, ClassVar

from annotated_types import Ge, Le
from pydantic import Field

from imgcls.config.components.augmentations.augmentation import Color
from imgcls.config.components.types import Fraction

if TYPE_CHECKING:
    import tensorflow as tf


class RandomBrightness(Color):
    """Randomly adjusts the brightness: adds a value to all pixels of an image."""

    numbers: ClassVar[int] = 1

    factor: Fraction = Field(examples=[0.2])
    """Maximum change of brightness; the value is uniform in [-factor, factor], where 1 is the
    difference between black and white."""

    def apply(self, images: "tf.Tensor", numbers: "tf.Tensor") -> "tf.Tensor":
        """Returns the transformed images."""
        from imgcls.ops import color, random

        return color.brightness(images, random.between(numbers[:, 0], -self.factor, self.factor))


class RandomContrast(Color):
    """Randomly adjusts the contrast: scales the difference from the mean of each channel."""

    numbers: ClassVar[int] = 1

    factor: Fraction = Field(examples=[0.2])
    """Maximum change of contrast; the scale is uniform in [1 - factor, 1 + factor]."""

    def apply(self, images: "tf.Tensor", numbers: "tf.Tensor") -> "tf.Tensor":
        """Returns the transformed images."""
        from imgcls.ops import color, random

        factors = random.between(numbers[:, 0], 1 - self.factor, 1 + self.factor)
        return color.contrast(images, factors)


class RandomSaturation(Color):
    """Randomly adjusts the saturation: scales the difference of each pixel from its gray value.

    Images with one channel are unchanged.
    """

    numbers: ClassVar[int] = 1

    factor: Fraction = Field(examples=[0.2])
    """Maximum change of saturation; the scale is uniform in [1 - factor, 1 + factor], so that 1
    ranges from gray to doubled saturation."""

    def apply(self, images: "tf.Tensor", numbers: "tf.Tensor") -> "tf.Tensor":
        """Returns the transformed images."""
        from imgcls.ops import color, random

        factors = random.between(numbers[:, 0], 1 - self.factor, 1 + self.factor)
        return color.saturation(images, factors)


class RandomHue(Color):
    """Randomly adjusts the hue: rotates all pixels of an image on the color wheel.

    Images with one channel are unchanged.
    """

    numbers: ClassVar[int] = 1

    factor: Annotated[float, Ge(0), Le(0.5)] = Field(examples=[0.1])
    """Maximum rotation as a fraction of the color wheel, uniform in [-factor, factor]; 0.5 reaches
    every hue, and 0.33 turns red into green."""

    def apply(self, images: "tf.Tensor", numbers: "tf.Tensor") -> "tf.Tensor":
        """Returns the transformed images."""
        from imgcls.ops import color, random

        return color.hue(images, random.between(numbers[:, 0], -self.factor, self.factor))


class RandomGrayscale(Color):
    """Randomly converts images to grayscale, keeping three channels.

    Images with one channel are unchanged.
    """

    numbers: ClassVar[int] = 1

    probability: Fraction = 0.1
    """Probability of the conversion."""

    def apply(self, images: "tf.Tensor", numbers: "tf.Tensor") -> "tf.Tensor":
        """Returns the transformed images."""
        from imgcls.ops import color

        return color.grayscale(images, numbers[:, 0] < self.probability)
