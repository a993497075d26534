"""A linear warm-up in front of any learning rate schedule."""

from typing import Any

import keras
from keras import ops


class Warmup(keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]  # untyped
    """Rises linearly to a rate, then follows another schedule from that one's step 0 on.

    What `keras.optimizers.schedules.CosineDecay` does by itself (arXiv 1706.02677), for every
    schedule.

    Args:
        after: the schedule that follows; its step 0 is this one's step `steps`.
        start: the rate at step 0.
        target: the rate that step `steps` would have.
        steps: of the warm-up, at least 1.
    """

    def __init__(self, after: Any, *, start: float, target: float, steps: int) -> None:  # noqa: ANN401
        assert steps > 0, "a warm-up of no steps is no warm-up"
        self.after = after
        self.start = start
        self.target = target
        self.steps = steps

    def __call__(self, step: Any) -> Any:  # noqa: ANN401  # Keras' tensors have no type
        """Returns the float32 learning rate of a step, counted from 0."""
        step = ops.convert_to_tensor(step)
        share = ops.cast(step, "float32") / self.steps
        rising = self.start + (self.target - self.start) * share
        # Both branches are computed: below 0 a power or a root would be nan.
        following = self.after(ops.maximum(step - self.steps, 0))
        return ops.where(step < self.steps, rising, following)
