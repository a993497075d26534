"""The network: its precision, its logits, its names, and which layers it may end with."""

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from imgcls.config.components.layers import Layer
from imgcls.errors import ConfigError
from imgcls.network.network import Network, build, shapes_only
from imgcls.network.weights import values
from tests.specs import spec_of

SPEC = spec_of(("a", "b", "c"))
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
    bfloat16 is fast on processors that support it, but not precise enough for the loss.
    """
    network = build(LAYERS, SPEC, 0, precision="bfloat16")
    logits = network.model(IMAGES)

    assert ["bfloat16", "bfloat16", "float32"] == [
        each.layer.compute_dtype for each in network.layers
    ]
    assert {"float32"} == {each.dtype for each in network.model.trainable_variables}
    assert "float32" == logits.dtype
    np.testing.assert_allclose(logits, build(LAYERS, SPEC, 0).model(IMAGES), atol=0.05)


def test_weights_that_no_computer_counts_are_told_in_our_words():
    """
    TensorFlow's message about 2 ** 63 numbers would name an op that the user never wrote.
    """
    spec = spec_of(SPEC.classes, size=(60_000, 60_000))
    layers = [Layer.read(each) for each in ("Flatten", {"Dense": {"units": 2 * 10**9}})]

    with pytest.raises(ConfigError, match=r"^layers\[1\].Dense: its weights do not fit into mem"):
        build([*layers, LAYERS[-1]], spec, 0)


def test_the_final_softmax_is_split_off():
    """
    The loss is computed from logits, which are exact where probabilities saturate.
    """
    logits = np.asarray(build(LAYERS, SPEC, 0).model(IMAGES))

    assert (5, 3) == logits.shape
    assert not np.allclose(1, logits.sum(axis=1))


def test_equal_seeds_give_equal_weights_and_others_do_not():
    """
    Users repeat a run by its seed.
    """
    one, same, other = (
        np.asarray(build(LAYERS, SPEC, seed).model.variables[0]) for seed in (1, 1, 2)
    )

    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def stack(*layers: Any) -> list[Layer]:
    return [Layer.read(layer) for layer in layers]


CONVOLUTION = {"Conv2D": {"filters": 2, "kernel_size": 3, "padding": "same"}}
ENDS: dict[str, list[Any]] = {
    "BatchNormalization": ["Flatten", {"Dense": {"units": 3}}, "BatchNormalization"],
    "Dropout": ["Flatten", {"Dense": {"units": 3}}, {"Dropout": {"rate": 0.5}}],
    "Residual": [
        "Flatten",
        {"Dense": {"units": 3}},
        {"Residual": {"layers": [{"Dense": {"units": 3}}]}},
    ],
    "a projection": ["Flatten", {"Residual": {"layers": [{"Dense": {"units": 3}}]}}],
    "Branches": [
        "Flatten",
        {"Branches": {"branches": [[{"Dense": {"units": 1}}], [{"Dense": {"units": 2}}]]}},
    ],
    "GlobalAveragePooling2D": [
        {"Conv2D": {"filters": 3, "kernel_size": 1}},
        "GlobalAveragePooling2D",
    ],
    "a softmax of a Residual": [
        "Flatten",
        {"Residual": {"layers": [{"Dense": {"units": 3}}], "activation": "softmax"}},
    ],
    "a softmax alone": ["Flatten", {"Dense": {"units": 3}}, "Softmax"],
    "Repeat": ["Flatten", {"Repeat": {"times": 2, "layers": [{"Dense": {"units": 3}}]}}],
}


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("end", ENDS)
def test_a_last_layer_of_any_kind_gives_the_logits(end, precision):
    """
    Published networks also end with pooling or sums; only the shape of the output matters.
    """
    network = build(stack(*ENDS[end]), SPEC, 0, precision=precision)
    logits = network.model(IMAGES)

    assert ((5, 3), "float32") == (logits.shape, logits.dtype)
    assert not np.allclose(1, np.sum(logits, axis=1))


def test_a_last_layer_that_does_not_give_a_number_per_class_is_a_mistake_with_its_key():
    """
    Keras would broadcast the output, or fail in the middle of a step.
    """
    with pytest.raises(
        ConfigError, match=r"^layers\[1\].Dense: gives 4 numbers per image, but the "
    ):
        build(stack("Flatten", {"Dense": {"units": 4}}), SPEC, 0)
    with pytest.raises(
        ConfigError, match=r"^layers\[0\].Conv2D: gives \[8, 8, 2\] per image, must"
    ):
        build(stack(CONVOLUTION), SPEC, 0)


LAYERS_AFTER: list[Any] = ["Flatten", {"Dense": {"units": 3}}]
DROPOUT = {"Dropout": {"rate": 0.1}}
NAMED: list[Any] = [
    {"Conv2D": {"filters": 2, "kernel_size": 3, "name": "stem"}},
    {"Residual": {"layers": [CONVOLUTION, "BatchNormalization"]}},
    {"Residual": {"layers": [{"Conv2D": {"filters": 4, "kernel_size": 1, "name": "narrow"}}]}},
    {
        "Repeat": {
            "times": 2,
            "layers": [
                {"Residual": {"layers": [{"Conv2D": {"filters": 5, "kernel_size": 1}}, DROPOUT]}}
            ],
        }
    },
    {"Branches": {"branches": [[], [DROPOUT, "PReLU"]]}},
    "Flatten",
    {"Dense": {"units": "classes", "name": "classifier", "use_bias": False}},
]


def test_a_variable_is_named_by_its_layers_place_or_name():
    """
    Checkpoints are read by these names, and users freeze and inspect layers by them.
    """
    inside, last = "layers[3].Repeat[0].layers[0].Residual", "layers[4].Branches.branches[1]"
    network = build(stack(*NAMED), SPEC, 0)

    assert {
        "stem/kernel",
        "stem/bias",
        "layers[1].Residual.layers[0].Conv2D/kernel",
        "layers[1].Residual.layers[0].Conv2D/bias",
        "layers[1].Residual.layers[1].BatchNormalization/gamma",
        "layers[1].Residual.layers[1].BatchNormalization/beta",
        "layers[1].Residual.layers[1].BatchNormalization/moving_mean",
        "layers[1].Residual.layers[1].BatchNormalization/moving_variance",
        "narrow/kernel",
        "narrow/bias",
        "layers[2].Residual.shortcut/kernel",
        "classifier/kernel",
        f"{last}[0].Dropout/seed_generator_state",
        f"{last}[1].PReLU/alpha",
    } < set(network.variables)
    rounds = [key for key in network.variables if key.startswith("layers[3]")]
    # Only the first round has a projection, because the shapes in the second one are equal.
    assert 4 + 3 == len(rounds)
    assert f"{inside}.shortcut/kernel" in rounds
    assert f"{inside.replace('[0]', '[1]', 1)}.layers[0].Conv2D/bias" in rounds
    assert f"{inside}.layers[1].Dropout/seed_generator_state" in rounds
    assert {id(each) for each in network.model.variables} == {
        id(each) for each in network.variables.values()
    }


def test_names_do_not_depend_on_what_was_built_before():
    """
    Keras numbers layers per process: a prediction would not find the weights that training saved.
    """
    first = list(build(stack(*NAMED), SPEC, 0).variables)
    build(LAYERS, SPEC, 0)

    assert first == list(build(stack(*NAMED), SPEC, 1).variables)
    assert first == list(shapes_only(stack(*NAMED), SPEC).variables)


def same(one: Network, other: Network, *keys: str) -> list[bool]:
    return [np.array_equal(one.variables[key], other.variables[key]) for key in keys]


def test_a_layers_start_depends_on_the_seed_its_key_and_the_field_alone():
    """
    Adding a layer at the end must not change the initial weights of the others, or the two networks
    could not be compared.
    """
    dense = {"Dense": {"units": 3, "bias_initializer": "RandomNormal"}}
    normal = {"Dense": {"units": 3, "kernel_initializer": "RandomNormal"}}
    flat = stack("Flatten", dense, dense)
    one = build(flat, SPEC, 4)
    longer = build([*flat, *stack("ReLU", dense)], SPEC, 4)
    changed = build(stack("Flatten", normal, dense), SPEC, 4)
    moved = build(stack("Flatten", "ReLU", dense, dense), SPEC, 4)
    kernel, bias = "layers[1].Dense/kernel", "layers[1].Dense/bias"

    assert [True] * 4 == same(
        one, longer, kernel, bias, "layers[2].Dense/kernel", "layers[2].Dense/bias"
    )
    assert [False, True] == same(one, changed, kernel, "layers[2].Dense/kernel")
    assert [False] * 2 == same(one, build(flat, SPEC, 5), kernel, bias)
    assert not np.array_equal(one.variables[kernel], moved.variables["layers[2].Dense/kernel"])
    random = {"gamma_initializer": "RandomNormal", "beta_initializer": "RandomNormal"}
    scaled = build(stack({"BatchNormalization": random}, *LAYERS_AFTER), SPEC, 0).variables
    gamma, beta = (scaled[f"layers[0].BatchNormalization/{each}"] for each in ("gamma", "beta"))
    assert not np.array_equal(gamma, beta)


def test_a_name_keeps_the_start_of_a_layer_that_moves():
    """
    Users can then compare a layer before and after another one is inserted in front of it.
    """
    head = {"Dense": {"units": "classes", "name": "head"}}
    one, other = (
        build(stack(*before, head), SPEC, 0) for before in (["Flatten"], ["Flatten", "ReLU"])
    )

    assert [True] == same(one, other, "head/kernel")


def test_the_rounds_of_a_repeat_start_differently():
    """
    Consecutive layers with equal weights would learn less than they cost.
    """
    repeated = {"Repeat": {"times": 2, "layers": [CONVOLUTION]}}
    found = build(stack(CONVOLUTION, repeated, "Flatten", LAYERS[-1].model_dump()), SPEC, 0)
    first, second = (
        found.variables[f"layers[1].Repeat[{number}].layers[0].Conv2D/kernel"] for number in (0, 1)
    )

    assert not np.array_equal(first, second)


def test_equal_seeds_give_equal_weights_everywhere():
    """
    A single unseeded random choice would make every run different.
    """
    one, same_one = (values(build(stack(*NAMED), SPEC, 3).variables) for _ in range(2))

    assert [] == [key for key in one if not np.array_equal(one[key], same_one[key])]


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_the_shapes_are_those_of_the_network_without_its_values(precision):
    """
    The memory for training is estimated from these shapes before any is allocated.
    """
    drawn = shapes_only(stack(*NAMED), SPEC, precision=precision)
    made = build(stack(*NAMED), SPEC, 0, precision=precision)

    assert [(each.key, each.depth, each.inner, each.output.shape) for each in made.layers] == [
        (each.key, each.depth, each.inner, each.output.shape) for each in drawn.layers
    ]
    assert {key: (each.shape, each.dtype) for key, each in made.variables.items()} == {
        key: (each.shape, each.dtype) for key, each in drawn.variables.items()
    }
    assert {None} == {each._value for each in drawn.variables.values()}


def test_regularizers_are_counted_of_frozen_layers_too():
    """
    Otherwise the loss would jump when a later stage unfreezes the layers.
    """
    penalty = {"L2": {"l2": 0.5}}
    network = build(
        stack("Flatten", {"Dense": {"units": 3, "kernel_regularizer": penalty}}), SPEC, 0
    )
    kernel = np.asarray(network.variables["layers[1].Dense/kernel"])
    network.layers[1].layer.trainable = False

    assert network.is_regularized
    assert float(network.regularization_loss()) == pytest.approx(0.5 * np.sum(kernel**2))
    assert not build(LAYERS, SPEC, 0).is_regularized
    assert 0.0 == float(build(LAYERS, SPEC, 0).regularization_loss())


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
    Layers that do not fit together must be reported with their key, never with a Keras traceback.
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
            network = build(layers, SPEC, 0)
        except ConfigError as error:
            seen["refused"] += 1
            keys.extend(mistake.key for mistake in error.mistakes)
            return
        seen["built"] += 1

        assert (5, 3) == network.model(IMAGES).shape
        assert len(network.variables) == len(network.model.variables)

    check()

    assert min(seen.values()) > 15, seen
    assert [] == [key for key in keys if not key.startswith("layers[")]
