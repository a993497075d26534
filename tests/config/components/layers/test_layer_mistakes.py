"""What a layer's reader says about each kind of mistake, and what it takes."""

import pytest
import yaml
from pydantic import ValidationError

from imgcls.config.components.layers import Layer
from imgcls.config.language.registry import dotted


def read(text: str) -> Layer:
    return Layer.read(yaml.load(text, Loader=yaml.BaseLoader))


MISTAKES = [
    (
        "Conv2D: {filters: 8, kernel_size: 3, strides: 2, dilation_rate: [1, 2]}",
        "Conv2D.dilation_rate: must be 1 where strides are above 1; use one of the two",
    ),
    (
        "DepthwiseConv2D: {kernel_size: 3, strides: 2, dilation_rate: 2}",
        "DepthwiseConv2D.dilation_rate: must be 1 where strides are above 1; use one of the two",
    ),
    (
        "SeparableConv2D: {filters: 8, kernel_size: 3, strides: [1, 2]}",
        "SeparableConv2D.strides: must be the same down and to the right, got [1, 2]",
    ),
    (
        "Conv2D: {filters: 30, kernel_size: 3, groups: 4}",
        "Conv2D.groups: must divide filters (30), got 4",
    ),
    (
        "Conv2D: {filters: 8, kernel_size: 3, use_bias: false, bias_initializer: ones}",
        "Conv2D.bias_initializer: no effect with use_bias: false",
    ),
    (
        "Dense: {units: 8, use_bias: false, bias_regularizer: l2}",
        "Dense.bias_regularizer: no effect with use_bias: false",
    ),
    ("Dense: {units: 0}", "Dense.units: must be a whole number from 1 on, or classes, got 0"),
    (
        "Dense: {units: klasses}",
        "Dense.units: must be a whole number from 1 on, or classes, got 'klasses'",
    ),
    ("Dense: {units: 1.5}", "Dense.units: must be a whole number from 1 on, or classes, got 1.5"),
    ("Dropout: {rate: 1.5}", "Dropout.rate: must be between 0 and 1, got 1.5"),
    (
        "BatchNormalization: {scale: false, gamma_regularizer: l1}",
        "BatchNormalization.gamma_regularizer: no effect with scale: false",
    ),
    (
        "GroupNormalization: {center: false, beta_initializer: ones}",
        "GroupNormalization.beta_initializer: no effect with center: false",
    ),
    (
        "GroupNormalization: {groups: 0}",
        "GroupNormalization.groups: must be at least 1, or -1 for a group a channel, got 0",
    ),
    ("GroupNormalization: {groups: -2}", "GroupNormalization.groups: must be at least -1, got -2"),
    (
        "BatchNormalization: {axis: 0}",
        "BatchNormalization.axis: must not be 0, the images of a batch; the channels are -1",
    ),
    (
        "LayerNormalization: {axis: [1, -1]}",
        "LayerNormalization.axis: must be different axes, all positive or all negative",
    ),
    ("Softmax: {axis: []}", "Softmax.axis: must be a list of at least 1, got a list of 0"),
    (
        "UpSampling2D: {interpolation: cubic}",
        "bilinear, bicubic, lanczos3, lanczos5, got 'cubic'; did you mean bicubic?",
    ),
    (
        "Activation: {activation: rellu}",
        "did you mean relu",
    ),
    (
        "Rescaling: {scale: 0.00392}",
        "Rescaling.scale: images are in 0..1 here already; leave this layer out",
    ),
    (
        "Rescaling: {scale: 0.007843, offset: -1}",
        "Rescaling.scale: images are in 0..1 here already; write 2 for a range of -1..1",
    ),
    (
        "Normalization: {mean: 0.5}",
        "Normalization.mean: no effect without variance; give both or none",
    ),
    (
        "Normalization: {variance: 0.5}",
        "Normalization.variance: no effect without mean; give both or none",
    ),
    (
        "Normalization: {mean: [0.5, 0.5], variance: 0.1}",
        "Normalization.variance: must have as many numbers as mean, got 1 for 2 of mean",
    ),
    ("Residual: {layers: []}", "Residual.layers: must be a list of at least 1, got a list of 0"),
    (
        "Residual: {layers: [ReLU, {Dropout: {rate: 2}}]}",
        "Residual.layers[1].Dropout.rate: must be between 0 and 1, got 2",
    ),
    (
        "Repeat: {times: 200, layers: [{Repeat: {times: 200, layers: [ReLU]}}]}",
        "Repeat.times: must give at most 10,000 layers in all, got 40,000",
    ),
    ("ZeroPadding2D: {padding: -1}", "must be at least 0, got -1"),
    ("PReLU: {shared_axes: 4}", "must be at most 3, got 4"),
]


@pytest.mark.parametrize(("text", "message"), MISTAKES)
def test_a_mistake_has_its_place_and_says_what_to_do(text: str, message: str) -> None:
    """
    The user mends the config from this line alone.
    """
    with pytest.raises(ValidationError) as raised:
        read(text)
    said = [f"{dotted(error['loc'])}: {error['msg']}" for error in raised.value.errors()]

    assert message in said[0]


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
    Keras takes both, and what is kept of a run has one form.
    """
    assert read(full) == read(short)


def test_what_a_default_says_is_no_mistake_where_it_has_no_effect() -> None:
    """
    A resolved config holds every field, and must be read again.
    """
    layer = read("Conv2D: {filters: 8, kernel_size: 3, use_bias: false}")

    assert layer == Layer.read(layer.model_dump())
