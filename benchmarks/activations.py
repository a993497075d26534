"""`python -m benchmarks.activations`: each activation alone, as in Keras and compiled.

Measures the forward and backward passes over an array like the output of a convolution, in both
precisions, and prints a table for docs/experiments.md.
"""

import argparse
from collections.abc import Callable, Sequence
from typing import Any, get_args

from benchmarks import clock

SHAPE = (64, 16, 16, 128)
TIMES = 15
PRECISIONS = ("float32", "bfloat16")


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures all activations and prints the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.activations", description=__doc__)
    parser.parse_args(arguments)
    from imgcls.ops import startup

    startup.start()
    import keras

    from imgcls.config.components.activations import CHAINS, ActivationName
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
    """Returns the time of the plain function divided by that of the fast one."""
    import tensorflow as tf

    inputs = tf.cast(tf.random.normal(SHAPE), precision)
    return clock.ratio(_step(plain, inputs), _step(fast, inputs), TIMES)


def _step(function: Callable[[Any], Any], inputs: Any) -> Callable[[], Any]:  # noqa: ANN401
    import tensorflow as tf

    def run() -> Any:  # noqa: ANN401  # TensorFlow has no types
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            outputs = function(inputs)
        return outputs, tape.gradient(outputs, inputs, inputs)

    compiled: Callable[[], Any] = tf.function(run, autograph=False)
    return compiled


if __name__ == "__main__":
    main()
