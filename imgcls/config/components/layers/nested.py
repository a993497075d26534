"""Layers made of layers: residual connections, parallel branches and repeated blocks."""

from collections.abc import Iterator, Sequence
from math import prod
from typing import TYPE_CHECKING, Annotated, Literal

from annotated_types import MinLen

from imgcls.config.components import activations
from imgcls.config.components.activations import ActivationName
from imgcls.config.components.layers.building import Building, Shape, location, sides
from imgcls.config.components.layers.layer import Layer, Strides, flatten, keras_name, strides_of
from imgcls.config.components.types import Count
from imgcls.errors import ConfigError

if TYPE_CHECKING:
    import keras

Block = Annotated[tuple[Layer, ...], MinLen(1)]

MOST_LAYERS = 10_000  # building takes about a millisecond per layer, training far more
IMAGE_RANK = 4  # [batch, height, width, channel]


class Composite(Layer, abstract=True):
    """A layer made of layers: a functional `keras.Model` that serves as one layer."""

    def build(  # noqa: D102 - of Layer
        self, building: Building, key: str, place: str, inputs: "keras.KerasTensor"
    ) -> "keras.Layer":
        import keras

        # Keras' default, float32, would cast inputs and outputs under mixed precision.
        dtype = keras.config.dtype_policy().compute_dtype
        own = keras.Input(tuple(inputs.shape[1:]), dtype=dtype)
        outputs = self.connect(building, key, place, own)
        return keras.Model(own, outputs, name=keras_name(key))

    def connect(
        self, building: Building, key: str, place: str, inputs: "keras.KerasTensor"
    ) -> "keras.KerasTensor":
        """Returns the symbolic output for a symbolic input; the arguments are those of `build`."""
        raise NotImplementedError


class Residual(Composite):
    """Adds its input to the output of its layers (https://arxiv.org/abs/1512.03385)."""

    layers: Block
    """List of the layers between input and sum."""
    shortcut: tuple[Layer, ...] | None = None
    """List of the layers that are applied to the input before it is added; [] adds it unchanged. If
    omitted, the input is added unchanged if the shapes are equal, and otherwise projected by a 1x1
    convolution without bias that has the strides of `layers`."""
    activation: ActivationName = "linear"
    """Activation function applied to the sum."""

    def inner(self) -> Sequence[tuple[str, Sequence[Layer]]]:  # noqa: D102 - of Layer
        return (("layers", self.layers), ("shortcut", self.shortcut or ()))

    @property
    def grid_strides(self) -> Strides | None:  # noqa: D102 - of Layer
        return strides_of(self.layers)

    def connect(  # noqa: D102 - of Composite
        self, building: Building, key: str, place: str, inputs: "keras.KerasTensor"
    ) -> "keras.KerasTensor":
        import keras

        outputs = building.stack(self.layers, f"{key}.layers", f"{place}.layers", inputs)
        if self.shortcut is not None:
            within = f"{key}.shortcut", f"{place}.shortcut"
            skipped = building.stack(self.shortcut, *within, inputs)
        elif inputs.shape == outputs.shape:
            skipped = inputs
        else:
            shapes = tuple(inputs.shape), tuple(outputs.shape)
            projection = self._projection(*shapes, location(place))
            skipped = building.add(projection, f"{key}.shortcut", f"{place}.shortcut", inputs)
        if skipped.shape != outputs.shape:
            what = "input" if skipped is inputs else "shortcut"
            raise ConfigError.at(
                location(place),
                f"adds {what} {sides(skipped.shape)} to {sides(outputs.shape)}; "
                "they must have the same shape",
            )
        total = keras.layers.Add(name=keras_name(f"{key}.add"))([skipped, outputs])
        if self.activation == "linear":
            return total
        activation = activations.build(self.activation)
        return keras.layers.Activation(activation, name=keras_name(f"{key}.activation"))(total)

    def _projection(self, before: Shape, after: Shape, location: str) -> Layer:
        """Returns the layer that projects the input to the shape of the layers' output.

        Raises:
            ConfigError: if no 1x1 convolution with the layers' strides gives that shape.
        """
        from imgcls.config.components.layers.convolutions import Conv2D
        from imgcls.config.components.layers.dense import Dense

        changed = f"its layers turn {sides(before)} into {sides(after)}"
        if len(before) == len(after) == 2:  # noqa: PLR2004 - [batch, number]
            return Dense(units=int(after[-1] or 0), use_bias=False)
        strides = strides_of(self.layers)
        if strides is None or len(before) != IMAGE_RANK or len(after) != IMAGE_RANK:
            message = f"{changed}, for which no projection is known; write shortcut: [...]"
            raise ConfigError.at(location, message)
        height, width = (
            -(-int(side or 0) // stride) for side, stride in zip(before[1:3], strides, strict=True)
        )
        if (height, width) != after[1:3]:
            raise ConfigError.at(
                location,
                f"{changed}, but a 1x1 convolution with their strides gives "
                f"{sides((None, height, width, after[-1]))}; "
                "write padding: same inside, or shortcut: [...]",
            )
        return Conv2D(
            filters=int(after[-1] or 0), kernel_size=(1, 1), strides=strides, use_bias=False
        )


class Branches(Composite):
    """Passes its input through several lists of layers and merges their outputs.

    An empty list passes the input through unchanged. DenseNet concatenates the output of its layers
    with their input, and Inception concatenates the outputs of several convolutions;
    squeeze-and-excitation multiplies an image by one number per channel.
    """

    branches: Annotated[tuple[tuple[Layer, ...], ...], MinLen(2)]
    """The lists of layers."""
    merge: Literal["concatenate", "add", "multiply", "average", "maximum"] = "concatenate"
    """How the outputs are merged. `concatenate` joins channels and needs equal height and width;
    the others need equal shapes, but `multiply` also multiplies an image by [1, 1, channel]."""

    def inner(self) -> Sequence[tuple[str, Sequence[Layer]]]:  # noqa: D102 - of Layer
        return [(f"branches[{number}]", each) for number, each in enumerate(self.branches)]

    @property
    def grid_strides(self) -> Strides | None:  # noqa: D102 - of Layer
        each = {strides_of(branch) for branch in self.branches}
        return each.pop() if len(each) == 1 else None

    def connect(  # noqa: D102 - of Composite
        self, building: Building, key: str, place: str, inputs: "keras.KerasTensor"
    ) -> "keras.KerasTensor":
        import keras

        outputs = [
            building.stack(layers, f"{key}.{below}", f"{place}.{below}", inputs)
            for below, layers in self.inner()
        ]
        shapes = [tuple(each.shape) for each in outputs]
        if not self._merges(shapes):
            raise ConfigError.at(
                location(place),
                f"cannot {self.merge} {' and '.join(map(sides, shapes))}; {self._remedy(shapes)}",
            )
        merge = getattr(keras.layers, self.merge.capitalize())
        return merge(name=keras_name(f"{key}.{self.merge}"))(outputs)

    def _merges(self, shapes: Sequence[Shape]) -> bool:
        """Whether shapes can be merged; Keras' layers would silently broadcast."""
        if self.merge == "concatenate":
            return len({shape[:-1] for shape in shapes}) == 1
        if self.merge == "multiply":
            image = max(shapes, key=len_of_image)
            scales = {image, (*image[:1], *(1 for _ in image[1:-1]), image[-1])}
            return set(shapes) <= scales
        return len(set(shapes)) == 1

    def _remedy(self, shapes: Sequence[Shape]) -> str:
        if len({len(shape) for shape in shapes}) > 1:
            return "GlobalAveragePooling2D: {keepdims: true} keeps an image of one pixel"
        if self.merge == "concatenate":
            return "heights and widths must be equal; write padding: same inside"
        return "their shapes must be equal"


def len_of_image(shape: Shape) -> tuple[int, int]:
    """Orders shapes by rank, then by number of pixels."""
    return len(shape), prod(side or 0 for side in shape[1:-1])


class Repeat(Layer):
    """Applies its layers several times in sequence, each time with separate weights."""

    layers: Block
    """List of the layers."""
    times: Count
    """Number of repetitions."""

    def inner(self) -> Sequence[tuple[str, Sequence[Layer]]]:  # noqa: D102 - of Layer
        return (("layers", self.layers),)

    @property
    def count(self) -> int:
        """The number of layers of the network that this one becomes, including nested ones."""
        return self.times * (super().count - 1)

    def rules(self) -> Iterator[tuple[str, str]]:  # noqa: D102 - of Section
        if self.count > MOST_LAYERS:
            yield "times", f"must give at most {MOST_LAYERS:,} layers in all, got {self.count:,}"
        if self.name is not None:
            yield "name", "no effect: each of its layers is a layer of the network"
        elif self.times > 1 and any(each.name for layer in self.layers for each in layer.nested()):
            yield "layers", "must have no names, since each copy would have the same"

    def flat(self) -> list[tuple[str, Layer]]:  # noqa: D102 - of Layer
        frozen = {} if self.trainable else {"trainable": False}
        return [
            (f"[{round_}].layers{key}", layer.model_copy(update=frozen))
            for round_ in range(self.times)
            for key, layer in flatten(self.layers)
        ]
