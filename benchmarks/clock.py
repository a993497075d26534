"""Measures the time of calls that return tensors, including the wait for the results."""

import statistics
import time
from collections.abc import Callable
from typing import Any

Run = Callable[[], Any]


def seconds(run: Run) -> float:
    """Returns the time of a call that returns tensors, in seconds."""
    import tensorflow as tf

    began = time.perf_counter()
    tf.nest.map_structure(_wait, run())
    return time.perf_counter() - began


def ratio(slow: Run, quick: Run, times: int) -> float:
    """Returns the median, over alternating runs, of the first time divided by the second."""
    taken = [(seconds(slow), seconds(quick)) for _ in range(times + 1)][1:]  # the first run traces
    return statistics.median(one / other for one, other in taken)


def _wait(value: Any) -> None:  # noqa: ANN401  # TensorFlow has no types
    value.numpy()  # on a CPU, this is a view
