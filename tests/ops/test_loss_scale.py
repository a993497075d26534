"""In float16, loss scaling keeps small gradients from vanishing and large ones from doing harm."""

import numpy as np
import pytest
import tensorflow as tf

from imgcls.ops import loss_scale
from imgcls.ops.loss_scale import LossScale


def step(scale: LossScale, weight: tf.Variable, slope: float) -> None:
    """Takes one gradient descent step with learning rate 1 and a gradient in float16."""

    @tf.function  # type: ignore[untyped-decorator]
    def run() -> None:
        with tf.GradientTape() as tape:
            loss = scale.scaled(tf.cast(tf.cast(weight, tf.float16), tf.float32) * slope)
        gradients = scale.unscaled([tape.gradient(loss, weight)])
        scale.update(gradients, lambda found: weight.assign_sub(found[0]))

    run()


def test_a_gradient_too_small_for_float16_arrives():
    """
    Half of a network's gradients may be below 6e-8; without scaling, it would stop learning.
    """
    weight = tf.Variable(0.0)
    step(LossScale(), weight, 1e-8)

    np.testing.assert_allclose(weight.numpy(), -1e-8, rtol=1e-3)


def test_a_step_that_overflows_is_left_out_and_the_next_one_is_not():
    """
    A single infinite gradient would turn every weight into NaN.
    """
    weight, scale = tf.Variable(1.0), LossScale()
    step(scale, weight, 3.0)  # 3 * 2^15 is more than 65,504

    assert weight.numpy() == 1.0
    assert [2.0**14, 0.0] == [each.numpy() for each in scale.variables]
    step(scale, weight, 3.0)
    assert weight.numpy() == -2.0
    assert [2.0**14, 1.0] == [each.numpy() for each in scale.variables]


def test_the_factor_grows_again_and_never_falls_below_1(monkeypatch: pytest.MonkeyPatch):
    """
    One bad batch must not cost the small gradients for the rest of training.
    """
    monkeypatch.setattr(loss_scale, "GROWTH_STEPS", 3)
    weight, scale = tf.Variable(1.0), LossScale()
    for _ in range(7):
        step(scale, weight, 1e-6)

    assert [2.0**17, 1.0] == [each.numpy() for each in scale.variables]
    scale.variables[0].assign(1.0)
    step(scale, weight, 1e6)
    assert [1.0, 0.0] == [each.numpy() for each in scale.variables]
