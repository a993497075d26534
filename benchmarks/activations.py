"""`python -m benchmarks.activations`: each activation alone, as Keras has it and compiled.

Forward and backward over numbers as a convolution's output has them, in both precisions; prints a
table for docs/experiments.md.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any, get_args

SHAPE = (64, 16, 16, 128)
TIMES = 15
PRECISIONS = ("float32", "bfloat16")


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.activations", description=__doc__)
    parser.parse_args(arguments)
    from imgcls.ops import startup

    startup.start()
    import keras

    from imgcls.config.activations import CHAINS, ActivationName
    from imgcls.ops.elementwise import compiled

    print("| activation | compiled here | float32 | bfloat16 |")
    print("|---|---|---|---|")
    for name in get_args(ActivationName):
        if name in {"linear", "softmax"}:
            continue
        plain = keras.activations.get(name)
        ratios = [_ratio(plain, compiled(plain), precision) for precision in PRECISIONS]
        here = "yes" if name in CHAINS else "no"
        print(f"| {name} | {here} | {ratios[0]:.2f} | {ratios[1]:.2f} |", flush=True)


def _ratio(plain: Callable[[Any], Any], fast: Callable[[Any], Any], precision: str) -> float:
    """Returns how many times as long the plain function takes: the median of alternate runs."""
    import tensorflow as tf

    inputs = tf.cast(tf.random.normal(SHAPE), precision)
    both = [_step(function, inputs) for function in (plain, fast)]
    taken = [[_seconds(step) for step in both] for _ in range(TIMES + 1)][1:]
    return statistics.median(slow / quick for slow, quick in taken)


def _step(function: Callable[[Any], Any], inputs: Any) -> Callable[[], Any]:  # noqa: ANN401
    import tensorflow as tf

    def run() -> Any:  # noqa: ANN401  # TensorFlow has no types
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            outputs = function(inputs)
        return outputs, tape.gradient(outputs, inputs, inputs)

    compiled: Callable[[], Any] = tf.function(run, autograph=False)
    return compiled


def _seconds(step: Callable[[], Any]) -> float:
    began = time.perf_counter()
    _, gradient = step()
    gradient.numpy()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
