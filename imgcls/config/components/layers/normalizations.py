"""Normalization layers."""

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
    """The common fields of normalization layers: a learned scale and offset."""

    epsilon: Positive = 0.001
    """Small constant added to the variance for numerical stability."""
    center: bool = True
    """Whether to add a learned offset (beta)."""
    scale: bool = True
    """Whether to multiply by a learned scale (gamma)."""
    beta_initializer: Initializer = Zeros()
    """Initializer of the offset."""
    gamma_initializer: Initializer = Ones()
    """Initializer of the scale."""
    beta_regularizer: Regularizer | None = None
    """Regularizer of the offset."""
    gamma_regularizer: Regularizer | None = None
    """Regularizer of the scale."""

    def rules(self) -> Iterator[tuple[str, str]]:  # noqa: D102 - of Section
        if not self.center:
            yield from self.idle(("beta_initializer", "beta_regularizer"), "center: false")
        if not self.scale:
            yield from self.idle(("gamma_initializer", "gamma_regularizer"), "scale: false")


class BatchNormalization(Normalizing):
    """Normalizes each channel over the batch (https://arxiv.org/abs/1502.03167).

    During evaluation it uses moving averages of the batch statistics. With several replicas it
    normalizes over the global batch.
    """

    axis: Axis = -1
    """Axis with separate statistics; -1 is the channel axis."""
    momentum: Fraction = 0.99
    """Momentum of the moving averages; use a smaller value for short trainings."""
    moving_mean_initializer: Initializer = Zeros()
    """Initializer of the moving mean."""
    moving_variance_initializer: Initializer = Ones()
    """Initializer of the moving variance."""

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
    """Normalizes each image separately over the given axes (https://arxiv.org/abs/1607.06450)."""

    axis: Axes = (-1,)
    """Axis, or list of axes, to normalize over: -1 is the channels of each pixel, [1, 2, 3] is the
    whole image."""


def _groups(groups: int) -> int:
    if groups == 0:
        raise ValueError("must be at least 1, or -1 for one group per channel, got 0")
    return groups


class GroupNormalization(Normalizing):
    """Normalizes groups of channels of each image separately (https://arxiv.org/abs/1803.08494).

    It does not depend on the batch, and so suits small batches.
    """

    groups: Annotated[int, Ge(-1), AfterValidator(_groups)] = 32
    """Number of groups, a divisor of the number of channels; -1 gives one group per channel."""
    axis: Axis = -1
    """Axis that is divided into groups; -1 is the channel axis."""
