"""Geometric augmentations: flips, rotations, translations, crops, shears and zooms."""

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from annotated_types import Ge, Le, Lt
from pydantic import Field

from imgcls.config.components.augmentations.augmentation import Filled, Geometric
from imgcls.config.components.types import Fraction, Natural, NotNegative

if TYPE_CHECKING:
    import tensorflow as tf


class RandomFlip(Geometric):
    """Randomly flips images. Pixel values are not interpolated."""

    numbers: ClassVar[int] = 2
    exact: ClassVar[bool] = True

    mode: Literal["horizontal", "vertical", "horizontal_and_vertical"] = "horizontal"
    """`horizontal` flips left and right, `vertical` top and bottom; with both, the two flips are
    independent."""

    probability: Fraction = 0.5
    """Probability of each flip."""

    def matrix(self, numbers: "tf.Tensor", height: int, width: int) -> "tf.Tensor":
        """Returns the transformation of each image."""
        import tensorflow as tf

        from imgcls.ops import warp

        signs = tf.where(numbers < self.probability, -1.0, 1.0)  # [batch, 2]
        kept = tf.ones_like(signs[:, 0])
        x = kept if self.mode == "vertical" else signs[:, 0]
        y = kept if self.mode == "horizontal" else signs[:, 1]
        return warp.zoom(x, y, height, width)


class RandomRotation(Filled):
    """Randomly rotates images about their center."""

    numbers: ClassVar[int] = 1

    degrees: Annotated[float, Ge(0), Le(180)] = Field(examples=[15])
    """Maximum angle in degrees; uniform in [-degrees, degrees]."""

    def matrix(self, numbers: "tf.Tensor", height: int, width: int) -> "tf.Tensor":
        """Returns the transformation of each image."""
        from imgcls.ops import random, warp

        largest = math.radians(self.degrees)
        return warp.rotation(random.between(numbers[:, 0], -largest, largest), height, width)


class RandomTranslation(Filled):
    """Randomly translates images, also by fractions of a pixel."""

    numbers: ClassVar[int] = 2

    height: Fraction = 0.0
    """Maximum vertical shift as a fraction of the height."""

    width: Fraction = 0.0
    """Maximum horizontal shift as a fraction of the width."""

    def rules(self) -> Iterator[tuple[str, str]]:
        """Yields the violated rules between fields."""
        yield from super().rules()
        if not {"height", "width"} & self.model_fields_set:
            yield "", "no effect without height or width"

    def matrix(self, numbers: "tf.Tensor", height: int, width: int) -> "tf.Tensor":
        """Returns the transformation of each image."""
        from imgcls.ops import random, warp

        up, side = self.height * height, self.width * width
        return warp.translation(
            x=random.between(numbers[:, 0], -side, side), y=random.between(numbers[:, 1], -up, up)
        )


class RandomCrop(Filled):
    """Pads images on all sides and randomly crops them to their original size.

    `padding: 4` is common for 32x32 images (https://arxiv.org/abs/1409.5185).
    """

    numbers: ClassVar[int] = 2
    exact: ClassVar[bool] = True

    padding: Natural = Field(examples=[4])
    """Padding on each side in pixels, which is the maximum shift in each direction."""

    def matrix(self, numbers: "tf.Tensor", height: int, width: int) -> "tf.Tensor":
        """Returns the transformation of each image."""
        from imgcls.ops import random, warp

        del height, width
        shifts = random.whole(numbers, -self.padding, self.padding)
        return warp.translation(x=shifts[:, 0], y=shifts[:, 1])


class RandomShear(Filled):
    """Randomly shears images about their center."""

    numbers: ClassVar[int] = 2

    x: NotNegative = 0.0
    """Maximum horizontal shear: horizontal shift per vertical pixel, the tangent of the angle;
    uniform in [-x, x]."""

    y: NotNegative = 0.0
    """Maximum vertical shear: vertical shift per horizontal pixel; uniform in [-y, y]."""

    def rules(self) -> Iterator[tuple[str, str]]:
        """Yields the violated rules between fields."""
        yield from super().rules()
        if not {"x", "y"} & self.model_fields_set:
            yield "", "no effect without x or y"

    def matrix(self, numbers: "tf.Tensor", height: int, width: int) -> "tf.Tensor":
        """Returns the transformation of each image."""
        from imgcls.ops import random, warp

        return warp.shear(
            x=random.between(numbers[:, 0], -self.x, self.x),
            y=random.between(numbers[:, 1], -self.y, self.y),
            height=height,
            width=width,
        )


class RandomZoom(Filled):
    """Randomly zooms images in or out about their center."""

    numbers: ClassVar[int] = 2

    height: Annotated[float, Ge(0), Lt(1)] = Field(examples=[0.2])
    """Maximum change of the height; the scale is uniform in [1 - height, 1 + height]."""

    width: Annotated[float, Ge(0), Lt(1)] | None = None
    """Maximum change of the width, drawn independently; null keeps the aspect ratio."""

    def matrix(self, numbers: "tf.Tensor", height: int, width: int) -> "tf.Tensor":
        """Returns the transformation of each image."""
        from imgcls.ops import random, warp

        y = random.between(numbers[:, 0], 1 - self.height, 1 + self.height)
        x = y
        if self.width is not None:
            x = random.between(numbers[:, 1], 1 - self.width, 1 + self.width)
        return warp.zoom(x, y, height, width)
