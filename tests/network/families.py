"""Networks from the literature, written as configs."""

from typing import Any

Layers = list[Any]


def conv(filters: int, size: int = 1, **options: Any) -> dict[str, Any]:
    """Returns a convolution without bias, as used before a normalization."""
    fields = {"filters": filters, "kernel_size": size, "use_bias": False, "padding": "same"}
    return {"Conv2D": fields | options}


def residual(layers: Layers, **options: Any) -> dict[str, Any]:
    """Returns a residual connection that ends with ReLU."""
    return {"Residual": {"layers": layers, "activation": "relu"} | options}


def branches(*each: Layers, **options: Any) -> dict[str, Any]:
    """Returns branches; an empty one is the input."""
    return {"Branches": {"branches": list(each)} | options}


def top(classes: int) -> Layers:
    """Returns the usual last layers."""
    return ["GlobalAveragePooling2D", {"Dense": {"units": classes, "activation": "softmax"}}]


STEM: Layers = [
    conv(64, 7, strides=2),
    "BatchNormalization",
    "ReLU",
    {"MaxPooling2D": {"pool_size": 3, "strides": 2, "padding": "same"}},
]
"""The first layers of the ResNets for ImageNet."""


def resnet18() -> Layers:
    """https://arxiv.org/abs/1512.03385, table 1, with normalized projections."""
    layers = list(STEM)
    for filters in (64, 128, 256, 512):
        for first in (True, False):
            strides = 2 if first and filters > 64 else 1
            body = [
                conv(filters, 3, strides=strides),
                *("BatchNormalization", "ReLU", conv(filters, 3), "BatchNormalization"),
            ]
            projected = strides > 1
            shortcut = [conv(filters, strides=2), "BatchNormalization"] if projected else []
            layers.append(residual(body, shortcut=shortcut))
    return [*layers, *top(1000)]


def bottlenecks(width: int, groups: int = 1, excitation: int | None = None) -> Layers:
    """Returns ResNet-50 or a variant: bottlenecks of `width` channels, doubled at each stage."""
    layers = list(STEM)
    for stage, blocks in enumerate((3, 4, 6, 3)):
        inner, outer = width * 2**stage, 256 * 2**stage
        for block in range(blocks):
            strides = 2 if stage and not block else 1
            body: Layers = [
                *(conv(inner), "BatchNormalization", "ReLU"),
                conv(inner, 3, strides=strides, groups=groups),
                *("BatchNormalization", "ReLU", conv(outer), "BatchNormalization"),
            ]
            if excitation:
                body.append(squeeze_and_excitation(outer, excitation))
            shortcut = [] if block else [conv(outer, strides=strides), "BatchNormalization"]
            layers.append(residual(body, shortcut=shortcut))
    return [*layers, *top(1000)]


def squeeze_and_excitation(channels: int, reduction: int) -> dict[str, Any]:
    """https://arxiv.org/abs/1709.01507: one factor per channel."""
    squeezed = {"filters": channels // reduction, "kernel_size": 1, "activation": "relu"}
    excited = {"filters": channels, "kernel_size": 1, "activation": "sigmoid"}
    squeeze = [{"GlobalAveragePooling2D": {"keepdims": True}}]
    return branches([], [*squeeze, {"Conv2D": squeezed}, {"Conv2D": excited}], merge="multiply")


def wide_resnet(blocks: int, width: int) -> Layers:
    """https://arxiv.org/abs/1605.07146 for CIFAR-10, with pre-activation."""
    layers: Layers = [conv(16, 3)]
    for stage in range(3):
        filters, strides = 16 * width * 2**stage, 2 if stage else 1
        body = [conv(filters, 3, strides=strides), "BatchNormalization", "ReLU", conv(filters, 3)]
        activated = ["BatchNormalization", "ReLU"]
        shortcut = [conv(filters, strides=strides)]
        plain = {"activation": "linear"}
        layers += [*activated, residual(body, shortcut=shortcut, **plain)]
        same = [*activated, conv(filters, 3), "BatchNormalization", "ReLU", conv(filters, 3)]
        layers.append({"Repeat": {"times": blocks - 1, "layers": [residual(same, **plain)]}})
    return [*layers, "BatchNormalization", "ReLU", *top(10)]


def densenet121() -> Layers:
    """https://arxiv.org/abs/1608.06993, DenseNet-BC with growth rate 32, as in Keras."""
    normalized = [{"BatchNormalization": {"epsilon": 1.001e-5}}, "ReLU"]
    grow = [*normalized, conv(128), *normalized, conv(32, 3)]
    layers: Layers = [
        {"ZeroPadding2D": {"padding": 3}},
        conv(64, 7, strides=2, padding="valid"),
        *normalized,
        {"ZeroPadding2D": {"padding": 1}},
        {"MaxPooling2D": {"pool_size": 3, "strides": 2}},
    ]
    channels = 64
    for blocks in (6, 12, 24, 16):
        layers.append({"Repeat": {"times": blocks, "layers": [branches([], grow)]}})
        channels += 32 * blocks
        if blocks != 16:
            channels //= 2
            layers += [*normalized, conv(channels), {"AveragePooling2D": {"pool_size": 2}}]
    return [*layers, *normalized, *top(1000)]


def inception_v3() -> Layers:
    """https://arxiv.org/abs/1512.00567, as in Keras."""

    def unit(filters: int, size: Any = 1, **options: Any) -> Layers:
        normalization = {"BatchNormalization": {"scale": False}}
        return [conv(filters, size, **options), normalization, "ReLU"]

    def pool(kind: str = "AveragePooling2D", strides: int = 1, padding: str = "same") -> Any:
        return {kind: {"pool_size": 3, "strides": strides, "padding": padding}}

    valid: dict[str, Any] = {"padding": "valid"}
    halved = pool("MaxPooling2D", 2, "valid")
    layers: Layers = [
        *(*unit(32, 3, strides=2, **valid), *unit(32, 3, **valid), *unit(64, 3), halved),
        *(*unit(80, 1, **valid), *unit(192, 3, **valid), halved),
    ]
    for filters in (32, 64, 64):
        layers.append(
            branches(
                unit(64),
                [*unit(48), *unit(64, 5)],
                [*unit(64), *unit(96, 3), *unit(96, 3)],
                [pool(), *unit(filters)],
            )
        )
    stepped = {"strides": 2, "padding": "valid"}
    double = [*unit(64), *unit(96, 3), *unit(96, 3, **stepped)]
    layers.append(branches(unit(384, 3, **stepped), double, [halved]))
    for filters in (128, 160, 160, 192):
        wide, tall = [1, 7], [7, 1]
        long = [*unit(filters, tall), *unit(filters, wide), *unit(filters, tall), *unit(192, wide)]
        layers.append(
            branches(
                unit(192),
                [*unit(filters), *unit(filters, wide), *unit(192, tall)],
                [*unit(filters), *long],
                [pool(), *unit(192)],
            )
        )
    seven = [*unit(192), *unit(192, [1, 7]), *unit(192, [7, 1]), *unit(192, 3, **stepped)]
    layers.append(branches([*unit(192), *unit(320, 3, **stepped)], seven, [halved]))
    for _ in range(2):
        both = branches(unit(384, [1, 3]), unit(384, [3, 1]))
        layers.append(
            branches(
                unit(320),
                [*unit(384), both],
                [*unit(448), *unit(384, 3), both],
                [pool(), *unit(192)],
            )
        )
    return [*layers, *top(1000)]
