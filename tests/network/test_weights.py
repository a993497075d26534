"""Weights are restored into the network that they came from, and into no other."""

import numpy as np
import pytest

from imgcls.config.components.layers import Layer
from imgcls.errors import RunError
from imgcls.network import weights
from imgcls.network.network import Network, build
from imgcls.network.weights import assign, values
from tests.specs import spec_of

SPEC = spec_of(("a", "b", "c"))
IMAGES = np.random.default_rng(0).random((5, 8, 8, 1), np.float32)
KERNEL, BIAS = "layers[0].Conv2D/kernel", "layers[0].Conv2D/bias"


def network(seed: int, filters: int = 4) -> Network:
    layers = [
        {"Conv2D": {"filters": filters, "kernel_size": 3}},
        {"Dropout": {"rate": 0.5}},
        "Flatten",
        {"Dense": {"units": "classes"}},
    ]
    return build([Layer.read(layer) for layer in layers], SPEC, seed)


def test_saved_weights_come_back():
    """
    A run must predict with exactly the weights that it trained.
    """
    trained, again = network(1), network(2)
    assign(again.variables, values(trained.variables), "step-3")

    assert np.array_equal(trained.model(IMAGES), again.model(IMAGES))
    found = values(again.variables)
    assert [] == [
        name
        for name, value in values(trained.variables).items()
        if value.tobytes() != found[name].tobytes()
    ]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda saved: {k: v for k, v in saved.items() if k != KERNEL},
            f"step-3 lacks {KERNEL}; it ",
        ),
        (
            lambda _saved: {},
            f"step-3 lacks {KERNEL}, {BIAS}, layers[1].Dropout/seed_generator_state ...",
        ),
        (
            lambda saved: saved | {"stem/bias": saved[BIAS]},
            "step-3 has an unknown stem/bias; it belongs",
        ),
        (
            lambda saved: {KERNEL.upper() if k == KERNEL else k: v for k, v in saved.items()},
            f"step-3 lacks {KERNEL} and has an unknown {KERNEL.upper()}; it belongs",
        ),
        (
            lambda saved: saved | {BIAS: np.zeros(5, np.float32)},
            f"step-3 has {BIAS} as float32 (5,), the config needs float32 (4,); it belongs",
        ),
        (
            lambda saved: saved | {BIAS: np.zeros((1, 4), np.float32)},
            f"step-3 has {BIAS} as float32 (1, 4), the config needs float32 (4,)",
        ),
        (
            lambda saved: saved | {BIAS: np.zeros(4, np.float64)},
            f"step-3 has {BIAS} as float64 (4,), the config needs float32 (4,)",
        ),
    ],
    ids=["missing", "none", "unknown", "renamed", "larger", "rank", "type"],
)
def test_saved_weights_of_another_network_are_refused_by_name_and_nothing_changes(change, message):
    """
    Keras silently loads the weights of another network if their number and shapes are equal.
    """
    net = network(1)
    before = values(net.variables)

    with pytest.raises(RunError) as caught:
        assign(net.variables, change(values(network(2).variables)), "step-3")
    assert str(caught.value).startswith(message)
    assert [] == [
        name
        for name, each in values(net.variables).items()
        if not np.array_equal(each, before[name])
    ]


def test_a_network_with_fewer_filters_takes_no_weights_of_a_wider_one():
    """
    A config that was edited after its run describes another network.
    """
    with pytest.raises(RunError, match="belongs to another config"):
        assign(network(1, filters=3).variables, values(network(1).variables), "step-3")


@pytest.mark.parametrize("part", [1, 100, 1000])
def test_large_arrays_are_assigned_in_parts_and_none_is_forgotten(part, monkeypatch):
    """
    Otherwise, loading a network of 50 million parameters would take three times its memory.
    """
    monkeypatch.setattr(weights, "PART_BYTES", part)
    trained, again = network(1), network(2)
    assign(again.variables, values(trained.variables), "step-3")
    found = values(again.variables)

    assert [] == [
        name
        for name, each in values(trained.variables).items()
        if not np.array_equal(each, found[name])
    ]


def test_a_network_whose_weights_will_be_loaded_draws_none():
    """
    Drawing them would take three times their memory and delay each prediction.
    """
    layers = [Layer.read(each) for each in ("Flatten", {"Dense": {"units": "classes"}})]
    blank, drawn = (build(layers, SPEC, 0, blank=each) for each in (True, False))

    assert {0.0} == {float(np.abs(each).max()) for each in values(blank.variables).values()}
    assert 0 < np.abs(drawn.variables["layers[1].Dense/kernel"]).max()
    assign(blank.variables, values(drawn.variables), "step-3")
    assert np.array_equal(drawn.model(IMAGES), blank.model(IMAGES))
