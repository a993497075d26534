"""The registry of layers, and how a list of them becomes the network's layers."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator

from imgcls.config.components import activations
from imgcls.config.components.initializers import Initializer
from imgcls.config.components.regularizers import Regularizer
from imgcls.config.language.registry import Component

if TYPE_CHECKING:
    import keras

    from imgcls.config.components.layers.building import Building, Shape

Strides = tuple[int, int]

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*")
_ILLEGAL = re.compile(r"[^A-Za-z0-9_.-]+")
_KERAS_HAS = ("name", "trainable")  # fields of every layer, handled separately


def _check_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(
            f"must be letters, digits, '.', '_' and '-' and begin with a letter, got {name!r}"
        )
    if name.startswith("layers_"):
        raise ValueError(f"must not begin with 'layers_', got {name!r}")
    return name


class Layer(Component):
    """One layer of the network, with Keras' name, fields and defaults."""

    name: Annotated[str, AfterValidator(_check_name)] | None = None
    """Unique name of the layer, used to save its weights; defaults to its place in the config."""
    trainable: bool = True
    """Whether its weights are updated in training; false freezes them in every stage, including
    those of the layers inside it."""

    def build(
        self,
        building: "Building",
        key: str,
        place: str,  # noqa: ARG002 - for composite layers
        inputs: "keras.KerasTensor",  # noqa: ARG002
    ) -> "keras.Layer":
        """Returns a new Keras layer: the one of the same name, unless a subclass overrides this.

        Args:
            building: the network under construction.
            key: the layer's key, from which its Keras name and its seeds are derived.
            place: the layer's place in the config.
            inputs: the symbolic input that it will be called with, [batch, ...].
        """
        import keras

        return getattr(keras.layers, type(self).__name__)(**self.arguments(building, key))

    def arguments(self, building: "Building", key: str) -> dict[str, Any]:
        """Returns the fields as arguments of a Keras layer, with nested components built."""
        own = {
            field: _built(field, getattr(self, field), building.seed_of(key, field), building.blank)
            for field in type(self).model_fields
            if field not in _KERAS_HAS
        }
        return {"name": keras_name(key), **own}

    def check_input(self, shape: "Shape") -> str | None:  # noqa: ARG002 - some layers need it
        """Returns what is wrong with an input of this shape, [batch, ...], if that is known."""
        return None

    @property
    def grid_strides(self) -> Strides | None:
        """The vertical and horizontal stride of the output relative to the input, in pixels.

        None if it is not the same integer for all pixels.
        """
        return (1, 1)

    def flat(self) -> list[tuple[str, "Layer"]]:
        """Returns the layers that this one becomes in the network, with keys relative to it."""
        return [("", self)]

    def inner(self) -> Sequence[tuple[str, Sequence["Layer"]]]:
        """Returns the lists of layers inside it, with keys relative to it."""
        return ()

    def nested(self) -> Iterator["Layer"]:
        """Yields the layer, and every layer inside it."""
        yield self
        for _, layers in self.inner():
            for layer in layers:
                yield from layer.nested()

    @property
    def count(self) -> int:
        """The number of layers of the network that this one becomes, including nested ones."""
        return 1 + sum(layer.count for _, layers in self.inner() for layer in layers)

    @property
    def is_softmax(self) -> bool:
        """Whether its last operation, if it is the last layer, is a softmax over the classes."""
        return getattr(self, "activation", None) == "softmax"

    def before_softmax(self) -> "Layer | None":
        """Returns a layer that `is_softmax` without the softmax; None if nothing else is left."""
        return self.model_copy(update={"activation": "linear"})

    def idle(self, fields: Iterable[str], because: str) -> Iterator[tuple[str, str]]:
        """Yields a violated rule for each field that is set but has no effect.

        A field with its default value does not count as set, so that a resolved config, which
        has every field, stays valid.
        """
        for field in fields:
            if getattr(self, field) != type(self).model_fields[field].default:
                yield field, f"no effect with {because}"


def _built(field: str, value: Any, seed: int, blank: bool) -> Any:  # noqa: ANN401
    if isinstance(value, Initializer):
        return "zeros" if blank else value.build(seed)
    if isinstance(value, Regularizer):
        return value.build()
    return activations.build(value) if field == "activation" else value


def keras_name(key: str) -> str:
    """Returns a layer's key as a valid scope name of Keras and TensorFlow.

    Brackets raise in the first `tf.function`, and break the path of every variable after that.
    """
    return _ILLEGAL.sub("_", key.replace("]", ""))


def without_softmax(layer: Layer) -> Layer | None:
    """Returns a layer without its final softmax: None if nothing is left, itself if it has none."""
    return layer.before_softmax() if layer.is_softmax else layer


def flatten(layers: Sequence[Layer]) -> list[tuple[str, Layer]]:
    """Returns the layers of the network in order, with each Repeat expanded.

    Each comes with its key relative to the list, such as `[3].Repeat[1].layers[0].Conv2D`.
    """
    return [
        (f"[{index}].{layer.identifier()}{key}", each)
        for index, layer in enumerate(layers)
        for key, each in layer.flat()
    ]


def strides_of(layers: Sequence[Layer]) -> Strides | None:
    """Returns the `grid_strides` of a list of layers; None if those of any layer are None."""
    down = across = 1
    for _, layer in flatten(layers):
        if layer.grid_strides is None:
            return None
        down, across = down * layer.grid_strides[0], across * layer.grid_strides[1]
    return down, across
