"""`python -m benchmarks.kernel_gradients`: gradients of 3x3 kernels, TensorFlow's and Winograd's.

Measures each alone, in float32, over batches of square images, and prints a table for
docs/experiments.md.
"""

import argparse
from collections.abc import Sequence
from typing import Any

from benchmarks import clock

SHAPES = (
    *((32, 64, 64), (16, 64, 64), (8, 64, 64), (4, 64, 64)),
    *((16, 64, 128), (8, 128, 128), (5, 128, 128), (4, 256, 256), (2, 512, 512)),
    *((14, 48, 48), (28, 32, 64), (14, 32, 64), (14, 32, 128), (8, 32, 64)),
)
"""(height and width of the images, channels, filters)."""
BATCHES = (64, 256)
TIMES = 9


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures all shapes and prints the table."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.kernel_gradients", description=__doc__
    )
    parser.parse_args(arguments)
    from imgcls.ops import startup

    startup.start()
    print(
        "| images | channels, filters | " + " | ".join(f"{each} images" for each in BATCHES) + " |"
    )
    print("|---|---|" + "---|" * len(BATCHES))
    for side, channels, filters in SHAPES:
        ratios = [_ratio((batch, side, side, channels), filters) for batch in BATCHES]
        shown = " | ".join(f"{ratio:.2f}" for ratio in ratios)
        print(f"| {side}x{side} | {channels}, {filters} | {shown} |", flush=True)


def _ratio(shape: tuple[int, ...], filters: int) -> float:
    """Returns the time of TensorFlow's implementation divided by that of Winograd's."""
    import tensorflow as tf

    from imgcls.ops import winograd

    images = tf.nn.relu(tf.random.normal(shape))
    gradients = tf.random.normal([*shape[:3], filters])

    def plain() -> Any:  # noqa: ANN401  # TensorFlow has no types
        return tf.raw_ops.Conv2DBackpropFilter(
            input=images,
            filter_sizes=[3, 3, shape[3], filters],
            out_backprop=gradients,
            strides=[1, 1, 1, 1],
            padding="SAME",
        )

    def by_tiles() -> Any:  # noqa: ANN401
        return winograd.kernel_gradient(images, gradients, "same")

    slow, quick = (tf.function(each, autograph=False) for each in (plain, by_tiles))
    return clock.ratio(slow, quick, TIMES)


if __name__ == "__main__":
    main()
