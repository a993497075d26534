"""Averages of the weights after any number of updates, compared with exact values."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from imgcls.config.components.averages import EMA, SWA, Average
from imgcls.config.components.layers import Layer
from imgcls.network.network import Network, build
from imgcls.training.averaging import Averaging
from tests.specs import spec_of

KERNEL = "layers[1].Dense/kernel"
UPDATES = 200


def network(*, fill: float | None = None) -> Network:
    layers = ["Flatten", {"Dense": {"units": "classes"}}, "BatchNormalization"]
    found = build([Layer.read(each) for each in layers], spec_of(("a", "b", "c"), (2, 2)), 0)
    if fill is not None:
        found.variables[KERNEL].assign(np.full((4, 3), fill, np.float32))
    return found


def averaged(average: Average, values: list[np.ndarray]) -> np.ndarray:
    """Returns the average of a kernel that takes these values in turn."""
    net = network()
    averaging = Averaging(average, net)
    for value in values:
        net.variables[KERNEL].assign(value)
        averaging.update()
    assert len(values) == averaging.count
    return np.asarray(averaging.variables[KERNEL])


def walk() -> list[np.ndarray]:
    """Returns the values of a kernel over the steps of a training run."""
    steps = np.random.default_rng(0).normal(0, 0.1, (UPDATES, 4, 3))
    return list((1 + np.cumsum(steps, axis=0)).astype(np.float32))


@pytest.mark.parametrize("decay", [0.2, 0.9, 0.999, 0.99999])
@pytest.mark.parametrize("updates", [1, 2, 3, 10, UPDATES])
def test_the_exponential_average_is_corrected_for_its_start(decay, updates):
    """
    Without the correction, the initial weights would remain in the average for thousands of steps.
    """
    values = walk()[:updates]
    shares = (1 - decay) * decay ** np.arange(updates - 1, -1, -1, dtype=np.float64)
    expected = np.tensordot(shares, np.array(values, np.float64), 1) / (1 - decay**updates)

    np.testing.assert_allclose(expected, averaged(EMA(decay=decay), values), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("average", [EMA(decay=0.9), EMA(decay=0.99999), SWA()], ids=repr)
def test_the_first_update_copies_the_weights_exactly(average):
    """
    The average may be evaluated after a single step, and must be a usable network by then.
    """
    first = walk()[0]

    assert np.array_equal(first, averaged(average, [first]))


@pytest.mark.parametrize("decay", [0.9, 0.999])
def test_weights_that_stand_still_are_their_own_average(decay):
    """
    If rounding went the same way at every step, frozen weights would drift over a long training
    run.
    """
    net = network(fill=0.1)
    averaging = Averaging(EMA(decay=decay), net)

    @tf.function(autograph=False)  # type: ignore[untyped-decorator]
    def many() -> None:
        def one(number: tf.Tensor) -> tuple[tf.Tensor]:
            averaging.update()
            return (number + 1,)

        tf.while_loop(lambda number: number < 20_000, one, (0,))

    many()

    assert 20_000 == averaging.count
    assert np.array_equal(np.full((4, 3), 0.1, np.float32), averaging.variables[KERNEL])


@pytest.mark.parametrize("updates", [1, 2, 7, UPDATES])
def test_stochastic_weight_averaging_is_the_plain_mean(updates):
    """
    Every epoch must count equally.
    """
    values = walk()[:updates]
    expected = np.mean(np.array(values, np.float64), axis=0)

    np.testing.assert_allclose(expected, averaged(SWA(), values), rtol=1e-6, atol=1e-6)


def test_when_an_average_is_updated():
    """
    An EMA updated once per epoch would be another method under the same name.
    """
    assert ("step", 1) == (EMA().every, EMA().first_epoch)
    assert ("epoch", 1) == (SWA().every, SWA().first_epoch)
    assert 4 == SWA(start_epoch=3).first_epoch


def test_an_average_goes_on_from_its_count():
    """
    A resumed run must end with the same average as an uninterrupted one.
    """
    values = walk()[:9]
    net = network()
    averaging = Averaging(EMA(decay=0.8), net)
    for value in values[:4]:
        net.variables[KERNEL].assign(value)
        averaging.update()
    again = Averaging(EMA(decay=0.8), net)
    again.count = averaging.count
    for name, variable in averaging.variables.items():
        again.variables[name].assign(variable)
    for value in values[4:]:
        net.variables[KERNEL].assign(value)
        again.update()

    assert np.array_equal(averaged(EMA(decay=0.8), values), again.variables[KERNEL])


def test_statistics_of_normalizations_are_no_part_of_the_average_until_they_are_copied():
    """
    The mean of two networks' batch statistics does not describe any network.
    """
    net = network()
    averaging = Averaging(SWA(), net)
    mean = net.variables["layers[2].BatchNormalization/moving_mean"]
    mean.assign([1.0, 2.0, 3.0])
    averaging.update()
    kept = averaging.variables["layers[2].BatchNormalization/moving_mean"]

    assert [0.0, 0.0, 0.0] == kept.numpy().tolist()
    averaging.copy_statistics()
    assert [1.0, 2.0, 3.0] == kept.numpy().tolist()


def test_swapping_twice_changes_nothing():
    """
    Evaluating the averaged weights must not affect training.
    """
    net = network()
    averaging = Averaging(SWA(), net)
    for value in walk()[:3]:
        net.variables[KERNEL].assign(value)
        averaging.update()
    weight, mean = (
        np.asarray(each[KERNEL]).copy() for each in (net.variables, averaging.variables)
    )

    averaging.swap()
    assert np.array_equal(mean, net.variables[KERNEL])
    averaging.swap()
    assert np.array_equal(weight, net.variables[KERNEL])
    assert np.array_equal(mean, averaging.variables[KERNEL])


def test_every_weight_has_an_average_and_a_seed_has_none():
    """
    Predictions would use the last step's value of any variable that was left out.
    """
    layers = ["Flatten", {"Dropout": {"rate": 0.5}}, {"Dense": {"units": "classes"}}]
    net = build([Layer.read(each) for each in layers], spec_of(("a", "b"), (2, 2)), 0)
    averaging = Averaging(EMA(), net)

    assert {"layers[2].Dense/kernel", "layers[2].Dense/bias"} == set(averaging.variables)
    assert "layers[1].Dropout/seed_generator_state" in net.variables
    assert isinstance(net.variables["layers[2].Dense/kernel"], keras.Variable)
