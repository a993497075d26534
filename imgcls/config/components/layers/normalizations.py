"""Normalisations: numbers inside the network brought to mean 0 and variance 1, then scaled."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

from annotated_types import Ge
from pydantic import AfterValidator

from imgcls.config.components.initializers import Initializer, Ones, Zeros
from imgcls.config.components.layers.axes import Axes, Axis
from imgcls.config.components.layers.building import Building
from imgcls.config.components.layers.layer import Layer
from imgcls.config.components.regularizers import Regularizer
from imgcls.config.components.types import Fraction, Positive

if TYPE_CHECKING:
    import keras


class Normalizing(Layer, abstract=True):
    """What all normalisations have: a learned scale and offset behind them."""

    epsilon: Positive = 0.001
    """Added to the variance, so that nothing is divided by 0."""
    center: bool = True
    """Whether a learned offset (beta) is added."""
    scale: bool = True
    """Whether the result is multiplied with a learned factor (gamma)."""
    beta_initializer: Initializer = Zeros()
    """The offset before the first step."""
    gamma_initializer: Initializer = Ones()
    """The factor before the first step."""
    beta_regularizer: Regularizer | None = None
    """A penalty on the offset, added to the loss."""
    gamma_regularizer: Regularizer | None = None
    """A penalty on the factor, added to the loss."""

    def rules(self) -> Iterator[tuple[str, str]]:  # noqa: D102 - of Section
        if not self.center:
            yield from self.idle(("beta_initializer", "beta_regularizer"), "center: false")
        if not self.scale:
            yield from self.idle(("gamma_initializer", "gamma_regularizer"), "scale: false")


class BatchNormalization(Normalizing):
    """Normalises each channel over the batch (https://arxiv.org/abs/1502.03167).

    In evaluation it uses moving averages of what the batches had. With several replicas it
    normalises over the batch of all.
    """

    axis: Axis = -1
    """The axis that keeps its own statistics: -1 is the channels."""
    momentum: Fraction = 0.99
    """What the moving averages keep at each step; nearer to 0 suits short trainings."""
    moving_mean_initializer: Initializer = Zeros()
    """The moving mean before the first step."""
    moving_variance_initializer: Initializer = Ones()
    """The moving variance before the first step."""

    def build(  # noqa: D102 - of Layer
        self, building: Building, key: str, place: str, inputs: "keras.KerasTensor"
    ) -> "keras.Layer":
        del place, inputs
        from imgcls.ops import normalization

        synchronized = building.replicas > 1
        return normalization.BatchNormalization(
            **self.arguments(building, key), synchronized=synchronized
        )


class LayerNormalization(Normalizing):
    """Normalises each image by itself, along the axes given (https://arxiv.org/abs/1607.06450)."""

    axis: Axes = (-1,)
    """What is normalised together: -1 is the channels of each pixel, [1, 2, 3] the whole image."""


def _groups(groups: int) -> int:
    if groups == 0:
        raise ValueError("must be at least 1, or -1 for a group a channel, got 0")
    return groups


class GroupNormalization(Normalizing):
    """Normalises groups of channels of each image by itself (https://arxiv.org/abs/1803.08494).

    It does not depend on the batch, so it suits small ones.
    """

    groups: Annotated[int, Ge(-1), AfterValidator(_groups)] = 32
    """How many groups the channels are divided into, evenly; -1 is a group a channel."""
    axis: Axis = -1
    """The axis that is divided into groups: -1 is the channels."""
