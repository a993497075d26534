"""The warmup before a learning rate schedule, op by op."""

import keras
import numpy as np
import tensorflow as tf

from imgcls.ops.warmup import Warmup


def test_it_rises_and_hands_over_at_its_last_step_inside_a_loop_of_a_graph():
    """
    The training loop computes the rate inside `tf.range`, where the step is an int64 tensor.
    """
    after = keras.optimizers.schedules.ExponentialDecay(1.0, 4, 0.5, staircase=True)
    warmup = Warmup(after, start=0.2, target=1.0, steps=4)

    @tf.function
    def loop():
        seen = tf.TensorArray(tf.float32, size=13)
        for step in tf.range(tf.constant(13, tf.int64)):
            seen = seen.write(tf.cast(step, tf.int32), warmup(step))
        return seen.stack()

    expected = [0.2, 0.4, 0.6, 0.8, 1, 1, 1, 1, 0.5, 0.5, 0.5, 0.5, 0.25]

    assert np.allclose(expected, loop().numpy(), rtol=1e-6)


def test_what_follows_is_never_asked_about_a_step_before_its_first():
    """
    The square root of a negative number is NaN, and NaN times anything would reach the weights.
    """
    asked = []

    class After(keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]  # untyped
        def __call__(self, step):
            asked.append(int(step))
            return tf.sqrt(tf.cast(step, tf.float32)) + 1

    warmup = Warmup(After(), start=0.0, target=0.9, steps=3)
    rates = [float(warmup(step)) for step in range(5)]

    assert [0, 0, 0, 0, 1] == asked
    assert np.allclose([0, 0.3, 0.6, 1, 2], rates)
