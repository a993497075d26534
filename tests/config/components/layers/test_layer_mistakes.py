"""What the reader reports about each kind of mistake in a layer, and the forms it accepts."""

from collections.abc import Callable

import pytest
import yaml
from pydantic import ValidationError

from imgcls.config.components.layers import Layer
from imgcls.config.language.registry import dotted


def read(text: str) -> Layer:
    return Layer.read(yaml.load(text, Loader=yaml.BaseLoader))


MISTAKES = [
    "Conv2D: {filters: 8, kernel_size: 3, strides: 2, dilation_rate: [1, 2]}",
    "DepthwiseConv2D: {kernel_size: 3, strides: 2, dilation_rate: 2}",
    "SeparableConv2D: {filters: 8, kernel_size: 3, strides: [1, 2]}",
    "Conv2D: {filters: 30, kernel_size: 3, groups: 4}",
    "Conv2D: {filters: 8, kernel_size: 3, use_bias: false, bias_initializer: ones}",
    "Dense: {units: 8, use_bias: false, bias_regularizer: l2}",
    "Dense: {units: 0}",
    "Dense: {units: klasses}",
    "Dense: {units: 1.5}",
    "Dropout: {rate: 1.5}",
    "BatchNormalization: {scale: false, gamma_regularizer: l1}",
    "GroupNormalization: {center: false, beta_initializer: ones}",
    "GroupNormalization: {groups: 0}",
    "GroupNormalization: {groups: -2}",
    "BatchNormalization: {axis: 0}",
    "LayerNormalization: {axis: [1, -1]}",
    "Softmax: {axis: []}",
    "UpSampling2D: {interpolation: cubic}",
    "Activation: {activation: rellu}",
    "Rescaling: {scale: 0.00392}",
    "Rescaling: {scale: 0.007843, offset: -1}",
    "Normalization: {mean: 0.5}",
    "Normalization: {variance: 0.5}",
    "Normalization: {mean: [0.5, 0.5], variance: 0.1}",
    "Residual: {layers: []}",
    "Residual: {layers: [ReLU, {Dropout: {rate: 2}}]}",
    "Repeat: {times: 200, layers: [{Repeat: {times: 200, layers: [ReLU]}}]}",
    "ZeroPadding2D: {padding: -1}",
    "PReLU: {shared_axes: 4}",
]


@pytest.mark.parametrize("text", MISTAKES)
def test_a_mistake_has_its_place_and_says_what_to_do(
    text: str, recorded: Callable[[str, list[str]], None]
) -> None:
    """
    Users must be able to fix the config from this line alone.
    """
    with pytest.raises(ValidationError) as raised:
        read(text)
    recorded(text, [f"{dotted(error['loc'])}: {error['msg']}" for error in raised.value.errors()])


SHORT_FORMS = [
    ("Conv2D: {filters: 8, kernel_size: 3}", "conv2d: {filters: 8, kernel_size: [3, 3]}"),
    ("ZeroPadding2D: {padding: 2}", "ZeroPadding2D: {padding: [[2, 2], [2, 2]]}"),
    ("Cropping2D: {cropping: [1, 2]}", "Cropping2D: {cropping: [[1, 1], [2, 2]]}"),
    ("Cropping2D: {cropping: [[0, 1], 2]}", "Cropping2D: {cropping: [[0, 1], [2, 2]]}"),
    ("LayerNormalization: {axis: 1}", "LayerNormalization: {axis: [1]}"),
    ("Normalization: {mean: 0, variance: 1}", "Normalization: {mean: [0], variance: [1]}"),
    ("PReLU: {shared_axes: 1}", "PReLU: {shared_axes: [1]}"),
    (
        "Dense: {units: 8}",
        "dense: {units: 8, activation: linear, kernel_initializer: glorot_uniform}",
    ),
]


@pytest.mark.parametrize(("short", "full"), SHORT_FORMS)
def test_a_short_form_means_the_full_one(short: str, full: str) -> None:
    """
    Keras accepts both forms, and a resolved config always has the full one.
    """
    assert read(full) == read(short)


def test_what_a_default_says_is_no_mistake_where_it_has_no_effect() -> None:
    """
    A resolved config contains every field, and must be readable again.
    """
    layer = read("Conv2D: {filters: 8, kernel_size: 3, use_bias: false}")

    assert layer == Layer.read(layer.model_dump())
