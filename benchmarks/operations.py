"""`python -m benchmarks.operations [CONFIG]`: a step of a plain network, operation by operation.

Each operation is run alone in float32, in the shapes of the config's network, and compared with the
peak performance of this processor: the arithmetic speed of a large matrix product, and the memory
bandwidth of a sum over an array larger than any cache. Only the layers that the networks of the
tutorials use are supported.
"""

import argparse
import shlex
import statistics
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks import clock, machine, page, results, step_operations

MATRIX = 2048  # rows and columns; 17 GFLOP per product
ARRAY = 2**26  # elements of 4 bytes
SECONDS = 0.5  # the minimum time for measuring each operation
FEWEST = 5  # the minimum number of runs of each operation


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures all operations, stores the result and writes the page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.operations", description=__doc__)
    parser.add_argument("config", type=Path, nargs="?", default=Path("configs/cifar10.yaml"))
    parser.add_argument("--quick", action="store_true", help="run each once, nothing kept")
    given = sys.argv[1:] if arguments is None else arguments
    options = parser.parse_args(given)
    here = machine.look()
    seconds = 0.0 if options.quick else SECONDS
    from imgcls.ops import startup

    startup.start()
    peaks = _peaks(seconds)
    idle = _seconds(_nothing(), seconds)
    rows = []
    for each in step_operations.operations(options.config):
        rows.append(_row(each, seconds, peaks))
        print(rows[-1], flush=True)
    result = results.new(shlex.join(["python", "-m", "benchmarks.operations", *given]), here)
    result["operations"] = {
        "config": str(options.config),
        "peaks": peaks,
        "idle_seconds": idle,
        "rows": rows,
    }
    if not options.quick:
        results.save(result)
        page.PAGE.write_text(page.render(results.load()), encoding="utf-8")


def _row(
    operation: step_operations.Operation, seconds: float, peaks: dict[str, float]
) -> dict[str, Any]:
    took = _seconds(operation.run, seconds)
    if operation.less is not None:
        took -= _seconds(operation.less, seconds)
    floor = max(
        operation.operations / peaks["operations_per_second"],
        operation.bytes / peaks["bytes_per_second"],
    )
    return {
        "name": operation.name,
        "operations": operation.operations,
        "bytes": operation.bytes,
        "seconds": took,
        "floor_seconds": floor,
    }


def _peaks(seconds: float) -> dict[str, float]:
    import tensorflow as tf

    matrix = tf.random.normal([MATRIX, MATRIX])
    array = tf.random.normal([ARRAY])
    product = tf.function(lambda: tf.linalg.matmul(matrix, matrix), autograph=False)
    total = tf.function(lambda: tf.reduce_sum(array), autograph=False)
    return {
        "operations_per_second": 2 * MATRIX**3 / _seconds(product, seconds),
        "bytes_per_second": 4 * ARRAY / _seconds(total, seconds),
    }


def _nothing() -> Callable[[], Any]:
    import tensorflow as tf

    zero = tf.zeros([])
    idle: Callable[[], Any] = tf.function(lambda: tf.identity(zero), autograph=False)
    return idle


def _seconds(run: Callable[[], Any], at_least: float) -> float:
    """Returns the median time of a call, including the wait for its result, in seconds."""
    clock.seconds(run)  # the first call traces
    taken: list[float] = []
    while sum(taken) < at_least or len(taken) < FEWEST:
        taken.append(clock.seconds(run))
    return statistics.median(taken)


if __name__ == "__main__":
    main()
