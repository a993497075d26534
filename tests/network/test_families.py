"""Networks from the literature: their parameter counts, and the same outputs as in Keras."""

import re
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

from imgcls.config.components.layers import Layer
from imgcls.config.data_spec import DataSpec
from imgcls.network import network as networks
from imgcls.network.network import Network
from tests.network import families
from tests.network.families import Layers

RNG = np.random.default_rng(0)


def spec(size: int, classes: int) -> DataSpec:
    names = tuple(map(str, range(classes)))
    both = (size, size)
    return DataSpec(classes=names, size=both, stored=both, channels=3, resize="stretch")


def read(layers: Layers) -> list[Layer]:
    return [Layer.read(layer) for layer in layers]


def trained(network: Network) -> int:
    return sum(int(np.prod(each.shape)) for each in network.model.trainable_variables)


COUNTS = {
    # from torchvision and the papers' own code, which count trainable parameters
    "ResNet-18": (families.resnet18, 224, 1000, 11_689_512),
    "ResNeXt-50 (32x4d)": (lambda: families.bottlenecks(128, groups=32), 224, 1000, 25_028_904),
    "SE-ResNet-50": (lambda: families.bottlenecks(64, excitation=16), 224, 1000, 28_088_024),
    "Wide ResNet-28-10": (lambda: families.wide_resnet(4, 10), 32, 10, 36_479_194),
    # from Keras' documentation (8,062,504 and 23,851,784), less the moving statistics
    "DenseNet-121": (families.densenet121, 224, 1000, 7_978_856),
    "Inception v3": (families.inception_v3, 299, 1000, 23_817_352),
}


@pytest.mark.parametrize("name", COUNTS)
def test_a_published_network_has_as_many_parameters_as_its_paper_says(name: str) -> None:
    """
    Users who write down a published network want exactly that network.
    """
    layers, size, classes, parameters = COUNTS[name]

    assert parameters == trained(networks.shapes_only(read(layers()), spec(size, classes)))


def created(model: keras.Model) -> list[Any]:
    """Returns the layers with weights, by kind and in the order in which Keras' code makes them."""

    def order(layer: keras.Layer) -> tuple[str, int]:
        number = re.search(r"_(\d+)$", layer.name)
        return type(layer).__name__, int(number[1]) if number else -1

    return sorted((each for each in model.layers if each.weights), key=order)


def ours(network: Network) -> list[Any]:
    """Returns the same layers of one of our networks; the sort is stable."""
    leaves = [each.layer for each in network.layers if not each.inner and each.layer.weights]
    return sorted(leaves, key=lambda layer: type(layer).__name__)


def copied(network: Network, layers: list[Any]) -> None:
    """Fills Keras' layers with random weights, and copies these to our network."""
    mine = ours(network)
    assert [type(layer).__name__ for layer in layers] == [type(layer).__name__ for layer in mine]
    for theirs, own in zip(layers, mine, strict=True):
        weights = [
            RNG.normal(0, 0.05, each.shape) + ("variance" in each.name or "gamma" in each.name)
            for each in theirs.weights
        ]
        theirs.set_weights(weights)
        own.set_weights(weights)


def assert_equal_outputs(network: Network, model: keras.Model, images: Any) -> None:
    probabilities = keras.ops.softmax(network.model(images, training=False))

    np.testing.assert_allclose(model(images, training=False), probabilities, rtol=1e-3, atol=1e-6)


def test_inception_v3_is_that_of_keras() -> None:
    """
    Branches within branches must be merged in the order in which they are written.
    """
    keras.utils.clear_session()  # restarts the numbers in the names of layers
    model = keras.applications.InceptionV3(weights=None, input_shape=(75, 75, 3))
    network = networks.build(read(families.inception_v3()), spec(75, 1000), 0)
    copied(network, created(model))

    assert_equal_outputs(network, model, RNG.random((2, 75, 75, 3), np.float32))


def test_densenet_121_is_that_of_keras() -> None:
    """
    An empty branch must pass on the input, to which each layer adds its channels.
    """
    model = keras.applications.DenseNet121(weights=None, input_shape=(32, 32, 3))
    layers = [each for each in model.layers if each.weights]  # in the order of the network
    network = networks.build(read(families.densenet121()), spec(32, 1000), 0)
    copied(network, sorted(layers, key=lambda layer: type(layer).__name__))

    assert_equal_outputs(network, model, RNG.random((2, 32, 32, 3), np.float32))


class Reference:
    """Builds with Keras' functional API, and records the layers with weights in order."""

    def __init__(self) -> None:
        self.layers: list[Any] = []

    def __call__(self, layer: keras.Layer, x: Any) -> Any:
        """Calls a layer."""
        outputs = layer(x)
        self.layers += [layer] if layer.weights else []
        return outputs

    def conv(self, x: Any, filters: int, size: int = 1, **options: Any) -> Any:
        """Adds a convolution without bias."""
        layer = keras.layers.Conv2D(filters, size, use_bias=False, padding="same", **options)
        return self(layer, x)

    def normalized(self, x: Any, *, activated: bool = True) -> Any:
        """Adds a normalization, followed by ReLU if `activated`."""
        x = self(keras.layers.BatchNormalization(), x)
        return keras.layers.ReLU()(x) if activated else x

    def stem(self, x: Any) -> Any:
        """Adds the first layers of the ResNets."""
        x = self.normalized(self.conv(x, 64, 7, strides=2))
        return keras.layers.MaxPooling2D(3, 2, padding="same")(x)

    def top(self, inputs: Any, x: Any, classes: int) -> keras.Model:
        """Adds the last layers, and returns the model."""
        x = keras.layers.GlobalAveragePooling2D()(x)
        return keras.Model(inputs, self(keras.layers.Dense(classes, activation="softmax"), x))


def resnet18(make: Reference) -> keras.Model:
    inputs = keras.Input((64, 64, 3))
    x = make.stem(inputs)
    for filters in (64, 128, 256, 512):
        for first in (True, False):
            strides = 2 if first and filters > 64 else 1
            body = make.normalized(make.conv(x, filters, 3, strides=strides))
            body = make.normalized(make.conv(body, filters, 3), activated=False)
            if strides > 1:
                x = make.normalized(make.conv(x, filters, strides=2), activated=False)
            x = keras.layers.ReLU()(x + body)
    return make.top(inputs, x, 1000)


def bottlenecks(
    make: Reference, width: int, groups: int = 1, excitation: int | None = None
) -> keras.Model:
    inputs = keras.Input((64, 64, 3))
    x = make.stem(inputs)
    for stage, blocks in enumerate((3, 4, 6, 3)):
        inner, outer = width * 2**stage, 256 * 2**stage
        for block in range(blocks):
            strides = 2 if stage and not block else 1
            body = make.normalized(make.conv(x, inner))
            body = make.normalized(make.conv(body, inner, 3, strides=strides, groups=groups))
            body = make.normalized(make.conv(body, outer), activated=False)
            if excitation:
                factors = keras.layers.GlobalAveragePooling2D(keepdims=True)(body)
                small = outer // excitation
                factors = make(keras.layers.Conv2D(small, 1, activation="relu"), factors)
                factors = make(keras.layers.Conv2D(outer, 1, activation="sigmoid"), factors)
                body = body * factors
            if not block:
                x = make.normalized(make.conv(x, outer, strides=strides), activated=False)
            x = keras.layers.ReLU()(x + body)
    return make.top(inputs, x, 1000)


def wide_resnet(make: Reference, blocks: int, width: int) -> keras.Model:
    inputs = keras.Input((32, 32, 3))
    x = make.conv(inputs, 16, 3)
    for stage in range(3):
        filters, strides = 16 * width * 2**stage, 2 if stage else 1
        for block in range(blocks):
            activated = make.normalized(x)
            body = make.conv(activated, filters, 3, strides=1 if block else strides)
            body = make.conv(make.normalized(body), filters, 3)
            x = body + (x if block else make.conv(activated, filters, strides=strides))
    return make.top(inputs, make.normalized(x), 10)


WRITTEN: dict[str, tuple[Layers, Callable[[Reference], keras.Model], int, int]] = {
    "ResNet-18": (families.resnet18(), resnet18, 64, 1000),
    "ResNeXt-50": (
        families.bottlenecks(128, groups=32),
        lambda make: bottlenecks(make, 128, groups=32),
        64,
        1000,
    ),
    "SE-ResNet-50": (
        families.bottlenecks(64, excitation=16),
        lambda make: bottlenecks(make, 64, excitation=16),
        64,
        1000,
    ),
    "Wide ResNet-16-2": (
        families.wide_resnet(2, 2),
        lambda make: wide_resnet(make, 2, 2),
        32,
        10,
    ),
}


@pytest.mark.parametrize("name", WRITTEN)
def test_a_published_network_computes_what_its_keras_code_computes(name: str) -> None:
    """
    With equal weights, outputs differ if anything is merged, strided or normalized in the wrong
    place.
    """
    layers, written, size, classes = WRITTEN[name]
    make = Reference()
    model = written(make)
    network = networks.build(read(layers), spec(size, classes), 0)
    copied(network, sorted(make.layers, key=lambda layer: type(layer).__name__))

    assert_equal_outputs(network, model, RNG.random((2, size, size, 3), np.float32))
