"""The registry of augmentations and its two kinds.

To add one, write a class with its fields, set the count of uniform `numbers` per image, and
define `matrix` (for a `Geometric` or `Filled`) or `apply` (for a `Color`).
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, Literal, NamedTuple

from imgcls.config.components.types import Fraction
from imgcls.config.language.registry import Component

if TYPE_CHECKING:
    import tensorflow as tf

FillMode = Literal["nearest", "reflect", "wrap", "constant"]
"""How the outside of an image is filled, for pixels that a transformation moves into it."""


class Fill(NamedTuple):
    """How the outside of an image is filled.

    Attributes:
        mode: a `FillMode`.
        value: the value if the mode is `constant`, else 0.
    """

    mode: FillMode
    value: float


class Augmentation(Component):
    """A random transformation, drawn for each training image and epoch.

    Attributes:
        numbers: count of uniform random numbers in [0, 1) per image.
    """

    numbers: ClassVar[int]


class Geometric(Augmentation, abstract=True):
    """A geometric transformation. Adjacent ones with the same fill are combined into one warp.

    Attributes:
        exact: whether it only flips or shifts by whole pixels, which needs no interpolation.
    """

    exact: ClassVar[bool] = False

    @property
    def fill(self) -> Fill | None:
        """How the outside is filled; None if the transformation never shows it."""
        return None

    def matrix(self, numbers: "tf.Tensor", height: int, width: int) -> "tf.Tensor":
        """Returns the transformation of each image, as in `imgcls.ops.warp`.

        Args:
            numbers: float32 [batch, self.numbers], uniform in [0, 1).
            height: height of the images in pixels.
            width: width of the images in pixels.

        Returns:
            float32 [batch, 3, 3], from output to input pixels.
        """
        raise NotImplementedError


class Filled(Geometric, abstract=True):
    """A geometric transformation that shows the outside of the image."""

    fill_mode: FillMode = "nearest"
    """How the outside is filled: `nearest` extends the edge pixels, `reflect` mirrors the image,
    `wrap` repeats it (by at most one image size), `constant` fills with `fill_value`."""

    fill_value: Fraction | None = None
    """Fill value for `fill_mode: constant`, from 0 (black) to 1 (white); null means 0."""

    @property
    def fill(self) -> Fill | None:
        """How the outside is filled."""
        return Fill(self.fill_mode, self.fill_value or 0.0)

    def rules(self) -> Iterator[tuple[str, str]]:
        """Yields the violated rules between fields."""
        if self.fill_value is not None and self.fill_mode != "constant":
            yield "fill_value", "no effect without fill_mode: constant"


class Color(Augmentation, abstract=True):
    """A transformation of the pixel values that moves no pixels."""

    def apply(self, images: "tf.Tensor", numbers: "tf.Tensor") -> "tf.Tensor":
        """Returns the transformed images.

        Args:
            images: float32 [batch, height, width, channel] in 0..1.
            numbers: float32 [batch, self.numbers], uniform in [0, 1).

        Returns:
            images of the same shape, dtype and range.
        """
        raise NotImplementedError
