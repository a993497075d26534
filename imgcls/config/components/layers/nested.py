"""Layers made of layers: a residual connection, and a block several times."""

from collections.abc import Iterator
from typing import Annotated, Any

from annotated_types import MinLen

from imgcls.config.components import activations
from imgcls.config.components.activations import ActivationName
from imgcls.config.components.layers.layer import Layer, flatten
from imgcls.config.components.types import Count
from imgcls.config.facts import Facts

Block = Annotated[tuple[Layer, ...], MinLen(1)]

MOST_LAYERS = 10_000  # building takes about a millisecond each, training far more


class Residual(Layer):
    """Adds what goes into its layers to what comes out of them (https://arxiv.org/abs/1512.03385).

    Where the shapes differ, what goes in passes a 1x1 convolution without bias first, with the
    stride that the layers have in all.
    """

    layers: Block
    """The layers between the two, as a list."""
    activation: ActivationName = "linear"
    """The function that the sum goes through."""

    @property
    def count(self) -> int:
        """How many layers the network gets for this one, nested ones included."""
        return 1 + sum(layer.count for layer in self.layers)

    def build(self, facts: Facts) -> Any:  # noqa: ANN401, D102 - of Layer
        from imgcls.ops import residual

        body = [layer.build(facts) for _, layer in flatten(self.layers)]
        return residual.Residual(body, activations.build(self.activation))


class Repeat(Layer):
    """Its layers several times, one after the other, each time with weights of their own."""

    layers: Block
    """The layers, as a list."""
    times: Count
    """How many times."""

    @property
    def count(self) -> int:
        """How many layers the network gets for this one, nested ones included."""
        return self.times * sum(layer.count for layer in self.layers)

    def rules(self) -> Iterator[tuple[str, str]]:  # noqa: D102 - of Section
        if self.count > MOST_LAYERS:
            yield "times", f"must give at most {MOST_LAYERS:,} layers in all, got {self.count:,}"

    def flat(self) -> list[tuple[str, Layer]]:  # noqa: D102 - of Layer
        return [(f".layers{key}", layer) for key, layer in flatten(self.layers)] * self.times

    def build(self, facts: Facts) -> Any:  # noqa: ANN401, D102 - of Layer
        import keras

        return keras.Sequential([layer.build(facts) for _, layer in self.flat()])


def innermost(
    key: str, layer: Layer, shape: tuple[int | None, ...], error: Exception
) -> tuple[str, Layer, tuple[int | None, ...], Exception]:
    """Returns the layer that an error is really about, when it arose inside a Residual.

    Args:
        key: of the layer of the network whose build or call raised the error.
        layer: that layer.
        shape: of its input.
        error: what was raised.

    Returns:
        The same four of the innermost layer: the same ones, if it holds no layers.
    """
    from imgcls.ops.residual import BodyError

    while isinstance(layer, Residual) and isinstance(error, BodyError):
        below, layer = flatten(layer.layers)[error.index]
        key, shape, error = f"{key}.layers{below}", error.shape, error.error
    return key, layer, shape, error
