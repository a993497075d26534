"""How long a call takes, its result waited for."""

import statistics
import time
from collections.abc import Callable
from typing import Any

Run = Callable[[], Any]


def seconds(run: Run) -> float:
    """Returns the seconds of a call that returns tensors."""
    import tensorflow as tf

    began = time.perf_counter()
    tf.nest.map_structure(_wait, run())
    return time.perf_counter() - began


def ratio(slow: Run, quick: Run, times: int) -> float:
    """Returns how many times as long the first takes: the median of alternate runs."""
    taken = [(seconds(slow), seconds(quick)) for _ in range(times + 1)][1:]  # the first traces
    return statistics.median(one / other for one, other in taken)


def _wait(value: Any) -> None:  # noqa: ANN401  # TensorFlow has no types
    value.numpy()  # on a CPU, a view
