"""Normalization with the moments of the training data, or with given ones."""

import keras
import numpy as np

from tests.stacks import SPEC, built

MOMENTS = SPEC.model_copy(update={"mean": (0.5, 0.25), "variance": (0.04, 0.0)})
IMAGES = np.array([[0.7, 0.25], [0.3, 0.75]], np.float32).reshape(1, 1, 2, 2)


def test_normalization_takes_mean_and_variance_of_the_training_images() -> None:
    """
    A channel that is constant in training must only be centered: dividing by 0 would blow up any
    noise.
    """
    outputs = built("Normalization", (1, 2, 2), MOMENTS)(IMAGES)

    np.testing.assert_allclose([[1.0, 0.0], [-1.0, 0.5]], outputs[0, 0], rtol=1e-6)


def test_normalization_takes_given_numbers_over_those_of_the_data() -> None:
    """
    Recipes for pretrained networks specify their own, often one for all channels.
    """
    one = built({"Normalization": {"mean": 0.5, "variance": 0.25}}, (1, 2, 2))
    each = built({"Normalization": {"mean": [0, 1], "variance": [1, 4]}}, (1, 2, 2))

    np.testing.assert_allclose([[0.4, -0.5], [-0.4, 0.5]], one(IMAGES)[0, 0], rtol=1e-6)
    np.testing.assert_allclose([[0.7, -0.375], [0.3, -0.125]], each(IMAGES)[0, 0], rtol=1e-6)


def test_normalization_computes_in_float32() -> None:
    """
    bfloat16 has a precision of 8 bits: subtracting the mean in it would erase small differences
    between pixels.
    """
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        layer = built("Normalization", (1, 2, 2), MOMENTS)
    finally:
        keras.config.set_dtype_policy("float32")

    assert layer(IMAGES).dtype.name == "float32"
