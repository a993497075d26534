"""A learning rate schedule that can be lowered while it is followed."""

from typing import Any

import keras
import tensorflow as tf


class ScaledSchedule(keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]  # untyped
    """Another schedule, times a factor.

    Args:
        schedule: the other one.

    Attributes:
        factor: a float32 variable, 1 at first.
    """

    def __init__(self, schedule: Any) -> None:  # noqa: ANN401
        self.schedule = schedule
        self.factor = tf.Variable(
            1.0, trainable=False, aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA
        )

    def __call__(self, step: Any) -> Any:  # noqa: ANN401  # Keras' tensors have no type
        """Returns the float32 learning rate of a step, counted from 0."""
        return self.schedule(step) * self.factor
