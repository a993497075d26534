"""Initializers: what a layer's weights are before the first step. To add one, add a class."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from imgcls.config.components.types import NotNegative, Positive
from imgcls.config.language.registry import Component

if TYPE_CHECKING:
    import keras


class Initializer(Component):
    """The values of weights before the first step."""

    def build(self) -> "keras.Initializer":
        """Returns a Keras initializer of the same name, with a seed of its own.

        The seed is drawn from Keras' global one, so two layers never start with the same weights,
        and a run with the same `seed` starts with the same ones.
        """
        import keras

        return getattr(keras.initializers, type(self).__name__)(**self.model_dump()[self.identifier()])


class Zeros(Initializer):
    """Every weight is 0."""

    _aliases = ("zero",)


class Ones(Initializer):
    """Every weight is 1."""

    _aliases = ("one",)


class Constant(Initializer):
    """Every weight is the same number."""

    value: float = 0.0
    """That number."""


class RandomNormal(Initializer):
    """Drawn from a normal distribution."""

    _aliases = ("normal",)

    mean: float = 0.0
    """The mean of the distribution."""
    stddev: NotNegative = 0.05
    """Its standard deviation."""


class RandomUniform(Initializer):
    """Drawn from between two numbers, each value as likely as any other."""

    _aliases = ("uniform",)

    minval: float = -0.05
    """The lowest value."""
    maxval: float = 0.05
    """The highest value; above `minval`."""

    def rules(self) -> Iterator[tuple[str, str]]:  # noqa: D102 - of Section
        if self.maxval <= self.minval:
            yield "maxval", f"must be above minval ({self.minval:g}), got {self.maxval:g}"


class TruncatedNormal(Initializer):
    """Drawn from a normal distribution; what is more than two deviations off is drawn again."""

    mean: float = 0.0
    """The mean of the distribution."""
    stddev: NotNegative = 0.05
    """Its standard deviation, before the tails are cut."""


class VarianceScaling(Initializer):
    """Random, with a variance that fits the number of inputs or outputs.

    The Glorot, He and Lecun initializers are special cases of it.
    """

    scale: Positive = 1.0
    """The variance is this, divided by the number that `mode` says."""
    mode: Literal["fan_in", "fan_out", "fan_avg"] = "fan_in"
    """Divides by the inputs of a unit (`fan_in`), its outputs (`fan_out`), or their mean."""
    distribution: Literal["truncated_normal", "untruncated_normal", "normal", "uniform"] = (
        "truncated_normal"
    )
    """What the weights are drawn from; `normal` is `truncated_normal`, as in Keras."""


class Orthogonal(Initializer):
    """A random orthogonal matrix, which keeps lengths (https://arxiv.org/abs/1312.6120).

    For kernels, not for biases.
    """

    _aliases = ("OrthogonalInitializer",)

    gain: float = 1.0
    """A factor on the matrix."""


class GlorotNormal(Initializer):
    """Normal with variance 2 / (inputs + outputs) (Glorot 2010)."""


class GlorotUniform(Initializer):
    """Uniform with variance 2 / (inputs + outputs) (Glorot 2010): Keras' default for kernels."""


class HeNormal(Initializer):
    """Normal with variance 2 / inputs: made for ReLU (He 2015, https://arxiv.org/abs/1502.01852)."""


class HeUniform(Initializer):
    """Uniform with variance 2 / inputs: made for ReLU (He 2015, https://arxiv.org/abs/1502.01852)."""


class LecunNormal(Initializer):
    """Normal with variance 1 / inputs: made for SELU (Klambauer 2017)."""


class LecunUniform(Initializer):
    """Uniform with variance 1 / inputs (LeCun 1998)."""
