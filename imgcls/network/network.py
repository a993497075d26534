"""Builds a keras.Sequential that returns logits from checked layers and a data spec."""

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import keras
import tensorflow as tf

from imgcls.config.components.layers import Layer
from imgcls.config.components.layers.building import Building, BuiltLayer, Shape, location, sides
from imgcls.config.components.layers.layer import flatten, without_softmax
from imgcls.config.data_spec import DataSpec
from imgcls.config.stack import RIGHT
from imgcls.errors import ConfigError

POLICIES = {"float32": "float32", "bfloat16": "mixed_bfloat16", "float16": "mixed_float16"}


@dataclass(frozen=True)
class Network:
    """A network with all its layers and named variables.

    Attributes:
        model: maps images, float32 [batch, height, width, channel] in 0..1, to logits, float32
            [batch, class]; has one Keras layer per entry of the config's list.
        layers: every layer, each before the layers inside it.
        variables: all variables, named by the key of their layer and their own name, such as
            `layers[3].Residual.layers[0].Conv2D/kernel`. Unlike those of Keras, these names do not
            depend on what else the process has built.
    """

    model: keras.Sequential
    layers: tuple[BuiltLayer, ...]
    variables: dict[str, keras.Variable]

    def regularization_loss(self) -> tf.Tensor:
        """Returns the regularization loss, float32, including that of frozen weights.

        Keras leaves out frozen weights, so the loss would jump between stages.
        """
        each = [
            variable.regularizer(variable)
            for variable in self.variables.values()
            if variable.regularizer is not None
        ]
        return tf.add_n(each) if each else tf.constant(0.0)

    @property
    def is_regularized(self) -> bool:
        """Whether any weight has a regularizer."""
        return any(each.regularizer is not None for each in self.variables.values())


def build(
    layers: Sequence[Layer],
    spec: DataSpec,
    seed: int,
    *,
    precision: str = "float32",
    replicas: int = 1,
    blank: bool = False,
) -> Network:
    """Returns the network of a config.

    A final softmax is left out: the loss is computed from the logits, which is accurate where
    probabilities saturate, and `softmax` is applied to the logits for predictions. The last layer
    always computes in float32.

    Args:
        layers: the stack of layers in the config.
        spec: the data spec.
        seed: the seed of the initial weights, and of dropout and noise layers.
        precision: float32, or bfloat16 or float16 with float32 weights.
        replicas: the number of devices that share a batch.
        blank: whether to initialize all weights to zeros, because they will be loaded.

    Raises:
        ConfigError: if a layer does not fit its input, at the layer's place.
    """
    stack = flatten(layers)
    *body, (last_key, last) = stack
    head = without_softmax(last)
    stack = body if head is None else [*body, (last_key, head)]
    building = Building(spec, seed, replicas, blank)
    inputs = outputs = keras.Input((*spec.size, spec.channels))
    with _deep_recursion(sum(layer.count for layer in layers)):
        for number, (below, layer) in enumerate(stack, start=1):
            place = f"layers{below}"
            with _policy(POLICIES[precision] if number < len(stack) else "float32"):
                outputs = building.add(layer, layer.name or place, place, outputs)
        _check_output(location(f"layers{last_key}"), tuple(outputs.shape), len(spec.classes))
        entries = [each.layer for each in building.built if each.depth == 0]
        model = keras.Sequential([inputs, *entries])
    _check_keys(building.built)
    return Network(model, tuple(building.built), _named(building.built, model))


def _check_keys(built: Sequence[BuiltLayer]) -> None:
    counts = Counter(each.key for each in built)
    for each in built:
        if counts[each.key] > 1 and each.key != each.place:
            key = f"{location(each.place)}.name"
            raise ConfigError.at(key, f"must be unique; another layer is {each.key!r}, too")


def _named(built: Sequence[BuiltLayer], model: keras.Sequential) -> dict[str, keras.Variable]:
    named = {
        f"{each.key}/{variable.name}": variable
        for each in built
        if not isinstance(each.layer, keras.Model)
        for variable in each.layer.variables
    }
    own = {id(variable) for variable in model.variables}
    assert {id(variable) for variable in named.values()} == own, "each variable has one name"
    return named


def shapes_only(
    layers: Sequence[Layer], spec: DataSpec, *, precision: str = "float32", replicas: int = 1
) -> Network:
    """Returns the network as `build` does, but without values: only shapes, no memory for weights.

    It cannot be called. This takes a third of the time of `build`.

    Raises:
        ConfigError: as `build` does.
    """
    try:
        with keras.StatelessScope(initialize_variables=False):
            return build(layers, spec, 0, precision=precision, replicas=replicas)
    finally:
        # Otherwise the end of the next such scope, in Keras' own code, would initialize them.
        keras.utils.clear_session(free_memory=False)


@contextmanager
def _deep_recursion(layers: int) -> Iterator[None]:
    """Raises the recursion limit: Keras traverses a network of this many layers recursively."""
    usual = sys.getrecursionlimit()
    sys.setrecursionlimit(usual + 8 * layers)
    try:
        yield
    finally:
        sys.setrecursionlimit(usual)


@contextmanager
def _policy(name: str) -> Iterator[None]:
    usual = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(usual)


def _check_output(key: str, shape: Shape, classes: int) -> None:
    if len(shape) != 2:  # noqa: PLR2004  # [batch, class]
        raise ConfigError.at(
            key,
            f"gives {sides(shape)} per image, must be one number per class; "
            "put Flatten or GlobalAveragePooling2D before it",
        )
    if shape[1] != classes:
        raise ConfigError.at(
            key, f"gives {shape[1]} numbers per image, but the data has {classes} classes; {RIGHT}"
        )
