"""Random numbers that are a function of (seed, epoch, index): no state, no order of calls.

TensorFlow's stateless ops take one seed a call, and mapping them over the images of a batch costs
20 to 40 microseconds an image; a hash in uint64 ops serves the whole batch at once.
"""

import tensorflow as tf

_WEYL = 0x9E3779B97F4A7C15  # 2^64 / golden ratio, the step of splitmix64
_FIRST = 0xBF58476D1CE4E5B9
_SECOND = 0x94D049BB133111EB
_BITS = 24  # what a float32 below 1 holds exactly


def uniform(seed: int | tf.Tensor, epoch: tf.Tensor, index: tf.Tensor, count: int) -> tf.Tensor:
    """Returns `count` uniform numbers in [0, 1) for each image.

    Number n of an image depends on (seed, epoch, index, n) alone: neither on the batch that the
    image is in nor on `count`. Each level draws the keys of the next one from the splitmix64
    generator: the seed those of the epochs, an epoch those of the images, an image its numbers
    (https://doi.org/10.1145/2714064.2660195).

    Args:
        seed: any whole number, counted modulo 2^64.
        epoch: int64 scalar.
        index: int64 [batch], which image each one is.
        count: how many numbers an image needs.

    Returns:
        float32 [batch, count], multiples of 2^-24.
    """
    key = tf.constant(seed % 2**64, tf.uint64) if isinstance(seed, int) else _unsigned(seed)
    key = _nth(_mix(key), _unsigned(epoch))
    keys = _nth(key, _unsigned(index))[:, tf.newaxis]  # [batch, 1]
    bits = _nth(keys, tf.range(count, dtype=tf.int64)[tf.newaxis])  # [batch, count]
    bits = tf.bitwise.right_shift(bits, tf.constant(64 - _BITS, tf.uint64))
    return tf.cast(bits, tf.float32) * 2.0**-_BITS


def between(numbers: tf.Tensor, low: float, high: float) -> tf.Tensor:
    """Returns uniform numbers in [0, 1) stretched to low..high; exactly `low` where both are it."""
    return low + (high - low) * numbers


def whole(numbers: tf.Tensor, low: int, high: tf.Tensor | int) -> tf.Tensor:
    """Returns uniform numbers in [0, 1) as whole numbers low..high, both included, as float32."""
    count = tf.cast(high - low + 1, tf.float32)
    # Below `count` for all counts to 2^24: (1 - 2^-24) * count never rounds up to it.
    return low + tf.floor(count * numbers)


def _nth(key: tf.Tensor, number: tf.Tensor) -> tf.Tensor:
    """Returns output `number` (from 0) of the splitmix64 generators with these keys."""
    number = _unsigned(number) + tf.constant(1, tf.uint64)
    return _mix(key + number * tf.constant(_WEYL, tf.uint64))


def _mix(bits: tf.Tensor) -> tf.Tensor:
    """Returns splitmix64's finaliser of uint64 values: every input bit flips half the others."""
    bits = _fold(bits, 30) * tf.constant(_FIRST, tf.uint64)
    bits = _fold(bits, 27) * tf.constant(_SECOND, tf.uint64)
    return _fold(bits, 31)


def _fold(bits: tf.Tensor, shift: int) -> tf.Tensor:
    return tf.bitwise.bitwise_xor(bits, tf.bitwise.right_shift(bits, tf.constant(shift, tf.uint64)))


def _unsigned(number: tf.Tensor) -> tf.Tensor:
    return tf.cast(number, tf.uint64)
