"""The network: its precision, its logits, its weights in and out."""

import numpy as np
import pytest

from imgcls import model
from imgcls.config.layers import Layer
from imgcls.data.traits import Traits
from imgcls.errors import RunError

TRAITS = Traits(classes=("a", "b", "c"), size=(8, 8), stored=(8, 8), channels=1, resize="stretch")
LAYERS = [
    Layer.read(layer)
    for layer in (
        {"Conv2D": {"filters": 4, "kernel_size": 3}},
        "Flatten",
        {"Dense": {"units": "classes", "activation": "softmax"}},
    )
]
IMAGES = np.random.default_rng(0).random((5, 8, 8, 1), np.float32)


def test_bfloat16_is_computed_in_but_for_the_last_layer_and_the_weights():
    """
    Half the bytes are fast where the processor has units for them, and too few for the loss.
    """
    network = model.build(LAYERS, TRAITS, 0, precision="bfloat16")

    assert ["bfloat16", "bfloat16", "float32"] == [each.compute_dtype for each in network.layers]
    assert {"float32"} == {each.dtype for each in network.trainable_variables}
    assert "float32" == network(IMAGES).dtype
    np.testing.assert_allclose(network(IMAGES), model.build(LAYERS, TRAITS, 0)(IMAGES), atol=0.05)


def test_the_final_softmax_is_split_off():
    """
    The loss is computed from logits, which are exact where probabilities saturate.
    """
    logits = np.asarray(model.build(LAYERS, TRAITS, 0)(IMAGES))

    assert (5, 3) == logits.shape
    assert not np.allclose(1, logits.sum(axis=1))


def test_equal_seeds_give_equal_weights_and_others_do_not():
    """
    A run is repeated by its seed.
    """
    one, same, other = (
        np.asarray(model.build(LAYERS, TRAITS, seed).variables[0]) for seed in (1, 1, 2)
    )

    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_saved_weights_come_back_and_foreign_ones_are_refused():
    """
    Weights of another network, of the same number of arrays, would load silently in Keras.
    """
    network = model.build(LAYERS, TRAITS, 1)
    saved = model.arrays("model", network.variables)
    again = model.build(LAYERS, TRAITS, 2)
    model.restore("model", again.variables, saved)

    assert np.array_equal(network(IMAGES), again(IMAGES))
    narrow = [Layer.read({"Conv2D": {"filters": 3, "kernel_size": 3}}), *LAYERS[1:]]
    with pytest.raises(RunError, match="belongs to another config"):
        model.restore("model", model.build(narrow, TRAITS, 1).variables, saved)
    with pytest.raises(RunError, match="has 4 arrays"):
        model.restore("model", network.variables[:2], saved)
