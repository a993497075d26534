"""Reports that there is not enough memory."""

from collections.abc import Iterator
from contextlib import contextmanager

import tensorflow as tf

from imgcls.errors import ResourceError


@contextmanager
def enough_memory(where: str) -> Iterator[None]:
    """Turns TensorFlow's error of a full memory into ours.

    Args:
        where: as a clause, such as `in a training step`.

    Raises:
        ResourceError: if memory does not suffice.
    """
    try:
        yield
    except (tf.errors.ResourceExhaustedError, MemoryError) as error:
        hint = "a smaller training.batch_size, dataset.size or network needs less"
        raise ResourceError(f"out of memory {where}", hint=hint) from error
