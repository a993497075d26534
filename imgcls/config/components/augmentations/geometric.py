"""Augmentations that move pixels: flips, turns, shifts, shears, zooms."""

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from annotated_types import Ge, Le, Lt

from imgcls.config.components.augmentations.augmentation import Filled, Geometric
from imgcls.config.components.types import Fraction, Natural, NotNegative

if TYPE_CHECKING:
    import tensorflow as tf


class RandomFlip(Geometric):
    """Mirrors each image with this probability. Exact: no value changes."""

    numbers: ClassVar[int] = 2
    exact: ClassVar[bool] = True

    mode: Literal["horizontal", "vertical", "horizontal_and_vertical"] = "horizontal"
    """`horizontal` swaps left and right, `vertical` top and bottom; with both, each is drawn by
    itself."""

    probability: Fraction = 0.5
    """How likely each flip is, from 0 to 1."""

    def matrix(self, numbers: "tf.Tensor", height: int, width: int) -> "tf.Tensor":
        """Returns the movement of each image."""
        import tensorflow as tf

        from imgcls.ops import warp

        signs = tf.where(numbers < self.probability, -1.0, 1.0)  # [batch, 2]
        kept = tf.ones_like(signs[:, 0])
        x = kept if self.mode == "vertical" else signs[:, 0]
        y = kept if self.mode == "horizontal" else signs[:, 1]
        return warp.zoom(x, y, height, width)


class RandomRotation(Filled):
    """Turns each image about its centre."""

    numbers: ClassVar[int] = 1

    degrees: Annotated[float, Ge(0), Le(180)]
    """The largest angle, in degrees: uniform from -degrees to degrees."""

    def matrix(self, numbers: "tf.Tensor", height: int, width: int) -> "tf.Tensor":
        """Returns the movement of each image."""
        from imgcls.ops import random, warp

        largest = math.radians(self.degrees)
        return warp.rotation(random.between(numbers[:, 0], -largest, largest), height, width)


class RandomTranslation(Filled):
    """Shifts each image up or down and to a side, also by parts of a pixel."""

    numbers: ClassVar[int] = 2

    height: Fraction = 0.0
    """The largest shift up or down, as a share of the image's height."""

    width: Fraction = 0.0
    """The largest shift to a side, as a share of the image's width."""

    def rules(self) -> Iterator[tuple[str, str]]:
        """Yields the rules between fields that are broken."""
        yield from super().rules()
        if not {"height", "width"} & self.model_fields_set:
            yield "", "no effect without height or width"

    def matrix(self, numbers: "tf.Tensor", height: int, width: int) -> "tf.Tensor":
        """Returns the movement of each image."""
        from imgcls.ops import random, warp

        up, side = self.height * height, self.width * width
        return warp.translation(
            x=random.between(numbers[:, 0], -side, side), y=random.between(numbers[:, 1], -up, up)
        )


class RandomCrop(Filled):
    """Pads each image on all sides, then crops it back to its size: shifts by whole pixels.

    With `padding: 4` it is the usual one for 32x32 images (https://arxiv.org/abs/1409.5185).
    """

    numbers: ClassVar[int] = 2
    exact: ClassVar[bool] = True

    padding: Natural
    """How many pixels on each side; the shift is uniform among the whole numbers up to it."""

    def matrix(self, numbers: "tf.Tensor", height: int, width: int) -> "tf.Tensor":
        """Returns the movement of each image."""
        from imgcls.ops import random, warp

        del height, width
        shifts = random.whole(numbers, -self.padding, self.padding)
        return warp.translation(x=shifts[:, 0], y=shifts[:, 1])


class RandomShear(Filled):
    """Slants each image about its centre."""

    numbers: ClassVar[int] = 2

    x: NotNegative = 0.0
    """The largest slant sideways, as a share: pixels to the side for each pixel up (the tangent of
    the angle); uniform from -x to x."""

    y: NotNegative = 0.0
    """The largest slant up or down, as a share: pixels up for each pixel to the side; uniform from
    -y to y."""

    def rules(self) -> Iterator[tuple[str, str]]:
        """Yields the rules between fields that are broken."""
        yield from super().rules()
        if not {"x", "y"} & self.model_fields_set:
            yield "", "no effect without x or y"

    def matrix(self, numbers: "tf.Tensor", height: int, width: int) -> "tf.Tensor":
        """Returns the movement of each image."""
        from imgcls.ops import random, warp

        return warp.shear(
            x=random.between(numbers[:, 0], -self.x, self.x),
            y=random.between(numbers[:, 1], -self.y, self.y),
            height=height,
            width=width,
        )


class RandomZoom(Filled):
    """Magnifies or shrinks each image about its centre."""

    numbers: ClassVar[int] = 2

    height: Annotated[float, Ge(0), Lt(1)]
    """The largest change of the height, as a share: 0.2 shows it 0.8 to 1.2 times as high."""

    width: Annotated[float, Ge(0), Lt(1)] | None = None
    """The same for the width, drawn by itself; left out, the width changes as the height does, and
    what is round stays round."""

    def matrix(self, numbers: "tf.Tensor", height: int, width: int) -> "tf.Tensor":
        """Returns the movement of each image."""
        from imgcls.ops import random, warp

        y = random.between(numbers[:, 0], 1 - self.height, 1 + self.height)
        x = y
        if self.width is not None:
            x = random.between(numbers[:, 1], 1 - self.width, 1 + self.width)
        return warp.zoom(x, y, height, width)
