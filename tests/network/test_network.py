"""The network: its precision, its logits, its weights in and out."""

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from imgcls.config.components.layers import Layer
from imgcls.data.traits import Traits
from imgcls.errors import ConfigError, RunError
from imgcls.network import model

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


def test_weights_that_no_computer_counts_are_told_in_our_words():
    """
    TensorFlow's words for 2 ** 63 numbers are about an op that the user never wrote.
    """
    traits = Traits(**TRAITS.model_dump() | {"size": (60_000, 60_000)})
    layers = [Layer.read(each) for each in ("Flatten", {"Dense": {"units": 2 * 10**9}})]

    with pytest.raises(ConfigError, match=r"^layers\[1\].Dense: its weights do not fit into mem"):
        model.build([*layers, LAYERS[-1]], traits, 0)


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


SIDE = st.integers(1, 5)
WINDOW = {
    "kernel_size": SIDE,
    "strides": st.integers(1, 3),
    "padding": st.sampled_from(["valid", "same"]),
}
PLAIN = st.one_of(
    st.sampled_from(["Flatten", "GlobalAveragePooling2D", "BatchNormalization", "ReLU"]),
    st.fixed_dictionaries({"filters": SIDE, **WINDOW}).map(lambda it: {"Conv2D": it}),
    st.fixed_dictionaries(WINDOW).map(lambda it: {"DepthwiseConv2D": it}),
    st.builds(lambda side: {"MaxPooling2D": {"pool_size": side}}, SIDE),
    st.builds(lambda side: {"AveragePooling2D": {"pool_size": side}}, SIDE),
    st.builds(lambda side: {"ZeroPadding2D": {"padding": side}}, SIDE),
    st.builds(lambda units: {"Dense": {"units": units}}, SIDE),
)
STACKS = st.lists(
    PLAIN | st.lists(PLAIN, min_size=1, max_size=2).map(lambda it: {"Residual": {"layers": it}}),
    max_size=4,
)


def test_any_stack_of_layers_is_a_network_or_a_mistake_with_its_key():
    """
    What does not fit together must be said by its place, and never as a traceback of Keras.
    """
    seen = {"built": 0, "refused": 0}
    keys: list[str] = []

    @settings(
        max_examples=100, deadline=None, derandomize=True, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(STACKS, st.booleans())
    def check(stack, flat):
        end = ["Flatten"] if flat else []
        layers = [*map(Layer.read, [*stack, *end]), LAYERS[-1]]
        try:
            network = model.build(layers, TRAITS, 0)
        except ConfigError as error:
            seen["refused"] += 1
            keys.extend(mistake.key for mistake in error.mistakes)
            return
        seen["built"] += 1

        assert (5, 3) == network(IMAGES).shape

    check()

    assert min(seen.values()) > 15, seen
    assert [] == [key for key in keys if not key.startswith("layers[")]
