"""The family of layers, and a list of them as the network sees it."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from imgcls.config.components import activations
from imgcls.config.components.initializers import Initializer
from imgcls.config.components.regularizers import Regularizer
from imgcls.config.facts import Facts
from imgcls.config.language.registry import Component

if TYPE_CHECKING:
    import keras


class Layer(Component):
    """One layer of the network, with Keras' name, fields and defaults."""

    def build(self, facts: Facts) -> "keras.Layer":  # noqa: ARG002 - some layers need it
        """Returns a new Keras layer: the one of the same name, unless a class does otherwise."""
        import keras

        return getattr(keras.layers, type(self).__name__)(**self.arguments())

    def arguments(self) -> dict[str, Any]:
        """Returns the fields as arguments of a Keras layer, what is nested in them built."""
        return {field: _built(field, getattr(self, field)) for field in type(self).model_fields}

    def flat(self) -> list[tuple[str, "Layer"]]:
        """Returns the layers that the network gets for this one, each with its key below here."""
        return [("", self)]

    def nested(self) -> Iterator["Layer"]:
        """Yields the layer, and every layer inside it."""
        yield self
        for layer in getattr(self, "layers", ()):
            yield from layer.nested()

    @property
    def count(self) -> int:
        """How many layers the network gets for this one, nested ones included."""
        return 1

    @property
    def is_softmax(self) -> bool:
        """Whether its last act is a softmax over the classes, were it the last layer."""
        return getattr(self, "activation", None) == "softmax"

    def before_softmax(self) -> "Layer | None":
        """Returns what a layer that `is_softmax` does before it; None where that is nothing."""
        return self.model_copy(update={"activation": "linear"})

    def idle(self, fields: Iterable[str], because: str) -> Iterator[tuple[str, str]]:
        """Yields the broken rule of each field that asks for something but has no effect.

        A default asks for nothing: a resolved config, which has every field, stays right.
        """
        for field in fields:
            if getattr(self, field) != type(self).model_fields[field].default:
                yield field, f"no effect with {because}"


def _built(field: str, value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, Initializer | Regularizer):
        return value.build()
    return activations.build(value) if field == "activation" else value


def without_softmax(layer: Layer) -> Layer | None:
    """Returns a layer less its final softmax: None if that is all, itself if it has none."""
    return layer.before_softmax() if layer.is_softmax else layer


def flatten(layers: Sequence[Layer]) -> list[tuple[str, Layer]]:
    """Returns the layers as the network has them, one after the other: Repeat is written out.

    Each comes with its dotted key relative to the list, such as `[3].Repeat.layers[0].Conv2D`;
    layers of one Repeat share theirs.
    """
    return [
        (f"[{index}].{layer.identifier()}{key}", each)
        for index, layer in enumerate(layers)
        for key, each in layer.flat()
    ]
