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
"""What lies outside the image, for pixels that a movement brings in from there."""


class Fill(NamedTuple):
    """What pixels from outside the image are.

    Attributes:
        mode: a `FillMode`.
        value: theirs, where the mode is `constant`; 0 elsewhere.
    """

    mode: FillMode
    value: float


class Augmentation(Component):
    """Changes each training image by itself, anew in each epoch.

    Attributes:
        numbers: how many uniform numbers in [0, 1) an image needs.
    """

    numbers: ClassVar[int]


class Geometric(Augmentation, abstract=True):
    """Moves pixels. Neighbours in the list that agree on the fill make one warp together.

    Attributes:
        exact: it only mirrors and shifts by whole pixels, which needs no interpolation.
    """

    exact: ClassVar[bool] = False

    @property
    def fill(self) -> Fill | None:
        """What pixels from outside are; None where none ever come in."""
        return None

    def matrix(self, numbers: "tf.Tensor", height: int, width: int) -> "tf.Tensor":
        """Returns the movement of each image, as `imgcls.ops.warp` has it.

        Args:
            numbers: float32 [batch, self.numbers], uniform in [0, 1).
            height: of the images, in pixels.
            width: of the images, in pixels.

        Returns:
            float32 [batch, 3, 3], from output to input pixels.
        """
        raise NotImplementedError


class Filled(Geometric, abstract=True):
    """Moves pixels, and fills what comes in from outside."""

    fill_mode: FillMode = "nearest"
    """What lies outside: `nearest` (the edge goes on), `reflect` (mirrored), `wrap` (the image
    again, as far as one image's size) or `constant` (`fill_value`)."""

    fill_value: Fraction | None = None
    """With `fill_mode: constant`: the value outside, from 0 (black, if left out) to 1 (white)."""

    @property
    def fill(self) -> Fill | None:
        """What pixels from outside are."""
        return Fill(self.fill_mode, self.fill_value or 0.0)

    def rules(self) -> Iterator[tuple[str, str]]:
        """Yields the rules between fields that are broken."""
        if self.fill_value is not None and self.fill_mode != "constant":
            yield "fill_value", "no effect without fill_mode: constant"


class Color(Augmentation, abstract=True):
    """Changes values where they are."""

    def apply(self, images: "tf.Tensor", numbers: "tf.Tensor") -> "tf.Tensor":
        """Returns the changed images.

        Args:
            images: float32 [batch, height, width, channel] in 0..1.
            numbers: float32 [batch, self.numbers], uniform in [0, 1).

        Returns:
            images of the same shape, type and range.
        """
        raise NotImplementedError
