"""The random numbers of the data pipeline: uniform, independent, given by (seed, epoch, index)."""

from collections.abc import Sequence

import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray

from imgcls.ops import random

Numbers = NDArray[np.float32]

_ALL = 2**64 - 1


def _splitmix64(key: int, number: int) -> int:
    """Returns output `number` (from 0) of the generator with this key, using Python integers."""
    bits = (key + (number + 1) * 0x9E3779B97F4A7C15) & _ALL
    return _mixed(bits)


def _mixed(bits: int) -> int:
    bits = ((bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9) & _ALL
    bits = ((bits ^ (bits >> 27)) * 0x94D049BB133111EB) & _ALL
    return bits ^ (bits >> 31)


def _reference(seed: int, epoch: int, index: list[int], count: int) -> Numbers:
    key = _splitmix64(_mixed(seed & _ALL), epoch)
    keys = [_splitmix64(key, each) for each in index]
    bits = [[_splitmix64(each, number) >> 40 for number in range(count)] for each in keys]
    return np.asarray(bits, np.float64).astype(np.float32) / np.float32(2**24)


def _uniform(seed: int, epoch: int, index: Sequence[int], count: int) -> Numbers:
    numbers: Numbers = random.uniform(
        seed, tf.constant(epoch, tf.int64), tf.constant(index, tf.int64), count
    ).numpy()
    return numbers


def test_the_reference_is_the_published_splitmix64() -> None:
    """
    A home-made hash would have no published statistics to rely on.
    """
    published = [6457827717110365317, 3203168211198807973, 9817491932198370423]

    assert published == [_splitmix64(1234567, number) for number in range(3)]


@pytest.mark.parametrize("seed", [0, 1, 12345, 2**63 + 11, -1])
@pytest.mark.parametrize("epoch", [0, 7])
def test_numbers_equal_the_reference_bit_for_bit(seed: int, epoch: int) -> None:
    """
    A run resumed on another machine or TensorFlow version must see the same images.
    """
    index = [0, 1, 2, 49_999, 2**40]

    assert np.array_equal(_reference(seed, epoch, index, 4), _uniform(seed, epoch, index, 4))


def test_a_seed_tensor_is_the_same_seed() -> None:
    """
    It must not matter whether the seed is a constant in the graph or fed to it.
    """
    args = tf.constant(3, tf.int64), tf.range(5, dtype=tf.int64), 2

    for seed in (17, -17):
        fed = random.uniform(tf.constant(seed, tf.int64), *args)
        assert np.array_equal(random.uniform(seed, *args), fed)


def test_numbers_are_the_same_in_a_pipeline_of_unknown_batch_size() -> None:
    """
    tf.data traces what eager code runs directly, and the last batch of an epoch is smaller.
    """
    index = tf.data.Dataset.range(10).batch(4)
    drawn = index.map(lambda i: random.uniform(5, tf.constant(2, tf.int64), i, 3))

    assert drawn.element_spec.shape.as_list() == [None, 3]
    assert np.array_equal(_uniform(5, 2, range(10), 3), np.concatenate(list(drawn)))


def test_more_numbers_leave_the_first_as_they_are() -> None:
    """
    An augmentation added at the end of the list must not change the others.
    """
    assert np.array_equal(_uniform(1, 2, range(9), 2), _uniform(1, 2, range(9), 7)[:, :2])


@pytest.mark.parametrize("seed", [0, 1])
def test_numbers_are_uniform(seed: int) -> None:
    """
    A rotation that prefers one side would shift every image a little.
    """
    numbers = _uniform(seed, 1, range(20_000), 5).ravel().astype(np.float64)
    counts = np.histogram(numbers, bins=100, range=(0, 1))[0]
    chi_square = ((counts - 1000) ** 2 / 1000).sum()

    assert numbers.min() >= 0
    assert numbers.max() < 1
    assert numbers.mean() == pytest.approx(1 / 2, abs=0.004)  # 4 standard errors
    assert numbers.var() == pytest.approx(1 / 12, abs=0.001)
    assert 50 < chi_square < 160  # 99 degrees of freedom: standard deviation 14


@pytest.mark.parametrize("step", ["seed", "epoch", "index", "number"])
def test_neighbours_are_not_correlated(step: str) -> None:
    """
    Image 17 must not be rotated like image 16, nor like itself in the previous epoch.
    """
    here = _uniform(3, 4, range(20_000), 4)
    there = {
        "seed": lambda: _uniform(4, 4, range(20_000), 4),
        "epoch": lambda: _uniform(3, 5, range(20_000), 4),
        "index": lambda: _uniform(3, 4, range(1, 20_001), 4),
        "number": lambda: np.roll(here, 1, axis=1),
    }[step]()
    correlation = np.corrcoef(here.ravel(), there.ravel())[0, 1]

    assert abs(correlation) < 0.015  # 4 standard errors
    assert np.mean(here == there) < 1e-4


def test_between_is_exact_where_both_ends_are_one() -> None:
    """
    A strength of zero must mean no change at all, not a tiny one.
    """
    numbers = tf.constant([0.0, 0.3, 1 - 2**-24])

    assert np.array_equal([1.0, 1.0, 1.0], random.between(numbers, 1.0, 1.0))
    assert np.allclose([-2, -0.2, 4], random.between(numbers, -2.0, 4.0))


@pytest.mark.parametrize("count", [1, 3, 8, 9, 17, 2**20 + 1])
def test_whole_numbers_stay_below_their_end(count: int) -> None:
    """
    One pixel too far would read outside the padding.
    """
    ends = tf.constant([0.0, 1 - 2**-24])

    assert np.array_equal([0, count - 1], random.whole(ends, 0, count - 1))


def test_whole_numbers_are_equally_likely() -> None:
    """
    Rounding to the nearest would draw the two ends half as often as the others.
    """
    drawn = random.whole(tf.constant(_uniform(0, 0, range(9000), 1)), -1, 1)

    assert np.allclose(3000, np.unique(drawn, return_counts=True)[1], atol=180)
