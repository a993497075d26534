"""A network under construction: the inputs of the build, and the layers built so far."""

import hashlib
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from imgcls.config.components.layers.layer import Layer, flatten
from imgcls.config.data_spec import DataSpec
from imgcls.errors import ConfigError

if TYPE_CHECKING:
    import keras

Shape = tuple[int | None, ...]
"""The shape of a batch: None is the batch size, or an unknown dimension."""

_ROUND = re.compile(r"\.Repeat\[[0-9]+\]")


@dataclass(frozen=True)
class BuiltLayer:
    """One layer of a network, as it was built.

    Attributes:
        key: its name or, without one, its place.
        place: its place in the config, such as `layers[3].Residual.layers[0].Conv2D`; unique.
        depth: 0 for an entry of the network, 1 for a layer inside one, ...
        layer: the Keras layer; a `keras.Model` if it is made of layers.
        output: its symbolic output, [batch, ...].
        inner: how many of the layers that follow it in `Building.built` are inside it.
        frozen: whether it, or a layer around it, has `trainable: false`.
    """

    key: str
    place: str
    depth: int
    layer: "keras.Layer"
    output: "keras.KerasTensor"
    inner: int
    frozen: bool


@dataclass
class Building:
    """A network under construction.

    Attributes:
        spec: the data spec.
        seed: the seed of the initial weights, and of dropout and noise layers.
        replicas: how many devices share a batch.
        blank: whether to initialize all weights to zeros, because they will be loaded; drawing
            50 million random numbers takes three times their memory.
        built: the layers so far, each before the layers inside it.
    """

    spec: DataSpec
    seed: int
    replicas: int = 1
    blank: bool = False
    built: list[BuiltLayer] = field(default_factory=list)
    _depth: int = 0
    _frozen: bool = False

    def seed_of(self, key: str, name: str) -> int:
        """Returns the seed of one field of one layer, distinct from all others.

        Args:
            key: the layer's key.
            name: the name of its field, such as `kernel_initializer`.
        """
        text = f"{self.seed}/{key}/{name}".encode()
        return int.from_bytes(hashlib.blake2b(text, digest_size=4).digest()) & 0x7FFFFFFF

    def stack(
        self, layers: Sequence[Layer], key: str, place: str, inputs: "keras.KerasTensor"
    ) -> "keras.KerasTensor":
        """Builds layers one after the other, and returns the symbolic output of the last one.

        Args:
            layers: as the config lists them.
            key: the key of the list, to which the layers' keys are appended.
            place: the place of the list in the config.
            inputs: symbolic input, [batch, ...].

        Raises:
            ConfigError: as `add` does.
        """
        for below, layer in flatten(layers):
            inputs = self.add(layer, layer.name or f"{key}{below}", f"{place}{below}", inputs)
        return inputs

    def add(
        self, layer: Layer, key: str, place: str, inputs: "keras.KerasTensor"
    ) -> "keras.KerasTensor":
        """Builds a layer, calls it, and returns its symbolic output.

        Args:
            layer: the layer in the config.
            key: its key, see `BuiltLayer`.
            place: its place, see `BuiltLayer`.
            inputs: symbolic input, [batch, ...].

        Raises:
            ConfigError: if the layer does not fit its input, at the layer's place in the config.
        """
        at, where = len(self.built), location(place)
        if message := layer.check_input(tuple(inputs.shape)):
            raise ConfigError.at(where, message)
        with self._inside(frozen=not layer.trainable), translated(where, tuple(inputs.shape)):
            built = layer.build(self, key, place, inputs)
            outputs = built(inputs)
            frozen = self._frozen
        inner = len(self.built) - at
        self.built.insert(at, BuiltLayer(key, place, self._depth, built, outputs, inner, frozen))
        return outputs

    @contextmanager
    def _inside(self, *, frozen: bool) -> Iterator[None]:
        before = self._frozen
        self._frozen = before or frozen
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1
            self._frozen = before


def location(place: str) -> str:
    """Returns the key of a layer in the config's text, where a Repeat has no repetition number."""
    return _ROUND.sub(".Repeat", place)


@contextmanager
def translated(key: str, shape: Shape) -> Iterator[None]:
    """Turns the exceptions of Keras for a layer that does not fit its input into a ConfigError.

    Args:
        key: the layer's key in the config's text.
        shape: the shape of its input.
    """
    import tensorflow as tf

    try:
        yield
    except (tf.errors.ResourceExhaustedError, MemoryError, OverflowError) as error:
        raise ConfigError.at(key, "its weights do not fit into memory") from error
    except (ValueError, TypeError, tf.errors.InvalidArgumentError) as error:
        # Keras' messages go on for several lines about arguments that the user never wrote.
        first = (str(error).strip() or type(error).__name__).splitlines()[0]
        message = f"does not fit its input of {sides(shape)}: {first[:200]}"
        raise ConfigError.at(key, message) from error


def sides(shape: Shape) -> str:
    """Returns a shape without the batch dimension, such as `[8, 8, 3]`."""
    return f"[{', '.join('?' if side is None else str(side) for side in shape[1:])}]"


def needs_image(shape: Shape) -> str | None:
    """Returns what is wrong with an input that is not [batch, height, width, channel]."""
    if len(shape) == 4:  # noqa: PLR2004
        return None
    return f"needs [height, width, channel], got {sides(shape)}; put it before Flatten"


def covers(shape: Shape, window: Sequence[int]) -> bool:
    """Whether an image [batch, height, width, channel] is at least as large as a window."""
    return all(side is None or side >= need for side, need in zip(shape[1:3], window, strict=True))
