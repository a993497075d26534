"""TensorFlow's out-of-memory error, translated into a clear message."""

import pytest
import tensorflow as tf

from imgcls.errors import ResourceError
from imgcls.ops.memory import enough_memory


def test_a_step_that_memory_does_not_hold_is_told_with_what_to_do():
    """
    A page about allocators and op names does not tell the user that a smaller batch would fit.
    """
    with (
        pytest.raises(ResourceError, match=r"^out of memory in a training step$") as caught,
        enough_memory("in a training step"),
    ):
        tf.zeros((2**25, 2**25))  # four pebibytes

    assert "training.batch_size" in str(caught.value.hint)
