"""Initializers of the weights of layers. To add one, add a class."""

import inspect
from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from imgcls.config.components.types import NotNegative, Positive
from imgcls.config.language.registry import Component

if TYPE_CHECKING:
    import keras


class Initializer(Component):
    """Initial values of weights."""

    def build(self, seed: int) -> "keras.Initializer":
        """Returns the Keras initializer of the same name.

        Args:
            seed: random seed; ignored by initializers that draw nothing. Each layer and field has
                its own, so adding or freezing a layer leaves the initial weights of others as is.
        """
        import keras

        kind = getattr(keras.initializers, type(self).__name__)
        arguments = self.model_dump()[self.identifier()]
        if "seed" in inspect.signature(kind).parameters:
            arguments["seed"] = seed
        return kind(**arguments)


class Zeros(Initializer):
    """Initializes all weights to 0."""

    _aliases = ("zero",)


class Ones(Initializer):
    """Initializes all weights to 1."""

    _aliases = ("one",)


class Constant(Initializer):
    """Initializes all weights to the same number."""

    value: float = 0.0
    """The value of all weights."""


class RandomNormal(Initializer):
    """Normal distribution."""

    _aliases = ("normal",)

    mean: float = 0.0
    """Mean of the distribution."""
    stddev: NotNegative = 0.05
    """Standard deviation of the distribution."""


class RandomUniform(Initializer):
    """Uniform distribution between two numbers."""

    _aliases = ("uniform",)

    minval: float = -0.05
    """Lower bound."""
    maxval: float = 0.05
    """Upper bound; greater than `minval`."""

    def rules(self) -> Iterator[tuple[str, str]]:  # noqa: D102 - of Section
        if self.maxval <= self.minval:
            yield "maxval", f"must be above minval ({self.minval:g}), got {self.maxval:g}"


class TruncatedNormal(Initializer):
    """Truncated normal distribution: values beyond two standard deviations are redrawn."""

    mean: float = 0.0
    """Mean of the distribution, before truncation."""
    stddev: NotNegative = 0.05
    """Standard deviation of the distribution, before truncation."""


class VarianceScaling(Initializer):
    """Random values with a variance scaled by the number of inputs or outputs.

    The Glorot, He and LeCun initializers are special cases of it.
    """

    scale: Positive = 1.0
    """Scaling factor: the variance is `scale` divided by the number that `mode` selects."""
    mode: Literal["fan_in", "fan_out", "fan_avg"] = "fan_in"
    """Divisor of the variance: number of inputs (`fan_in`), outputs (`fan_out`), or their mean."""
    distribution: Literal["truncated_normal", "untruncated_normal", "normal", "uniform"] = (
        "truncated_normal"
    )
    """Distribution of the weights; `normal` means `truncated_normal`, as in Keras."""


class Orthogonal(Initializer):
    """Random orthogonal matrix, which preserves norms (https://arxiv.org/abs/1312.6120).

    For kernels, not for biases.
    """

    _aliases = ("OrthogonalInitializer",)

    gain: float = 1.0
    """Factor that multiplies the matrix."""


class GlorotNormal(Initializer):
    """Glorot normal: variance 2 / (inputs + outputs) (Glorot 2010)."""


class GlorotUniform(Initializer):
    """Glorot uniform: variance 2 / (inputs + outputs) (Glorot 2010). Keras' default for kernels."""


class HeNormal(Initializer):
    """He normal: variance 2 / inputs, for ReLU (He 2015, https://arxiv.org/abs/1502.01852)."""


class HeUniform(Initializer):
    """He uniform: variance 2 / inputs, for ReLU (He 2015, https://arxiv.org/abs/1502.01852)."""


class LecunNormal(Initializer):
    """LeCun normal: variance 1 / inputs, for SELU (Klambauer 2017)."""


class LecunUniform(Initializer):
    """LeCun uniform: variance 1 / inputs (LeCun 1998)."""
