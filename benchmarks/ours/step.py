"""Measures the parts of a config's training: its steps without input, its input without steps.

Training does both at the same time and cannot be faster than the slower one.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks import random_images
from benchmarks.lines import say

STEPS = 10**6  # more than there is time for
CALL_SECONDS = 0.25  # as in the training loop


def main() -> None:
    """Measures one part and prints its images per second."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("config", type=Path)
    parser.add_argument("--part", choices=("step", "input"), required=True)
    parser.add_argument("--seconds", type=float, default=10.0, help="how long to measure")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--random", type=int, help="use so many random images instead")
    parser.add_argument("--classes", type=int, default=10, help="of the random images")
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    overrides = list(options.set)
    with tempfile.TemporaryDirectory() as name:
        if options.random:
            overrides += random_images.in_place(Path(name), options.random, options.classes)
        take, precision = parts(options.config, overrides, options.part)
    say(
        images_per_second=rate(take, 1.0 if options.quick else options.seconds),
        precision=precision,
    )


def parts(config: Path, overrides: Sequence[str], part: str) -> tuple[Callable[[int], int], str]:
    """Returns a function that `rate` can measure, and the precision of the training.

    The function takes the given number of steps and returns their number of images.
    """
    from imgcls.config import reader
    from imgcls.data import dataset
    from imgcls.ops import startup

    checked = reader.read(config, overrides).config
    data = dataset.load(checked.dataset, checked.seed, lambda _: None, only=("train",))
    startup.start()
    from imgcls.data import batch_source
    from imgcls.training.prepare import prepare, targets_of

    prepared = prepare(checked, data, lambda _: None)
    precision = prepared.machine.precision
    given = (data.spec.size, checked.augmentation, checked.training.batch_size, checked.seed)
    whole = batch_source.on_host(data.splits["train"], *given, targets_of(checked, data))
    if part == "input":
        return _inputs(iter(whole.batches(range(STEPS)))), precision
    # Batches from the host even on a GPU, which would otherwise augment within the step.
    engine = replace(prepared, batch_source=whole).engine(0)
    return _steps(engine, next(engine.batches(range(STEPS)))), precision


def _inputs(batches: Any) -> Callable[[int], int]:  # noqa: ANN401  # TensorFlow has no types
    def take(steps: int) -> int:
        return sum(len(next(batches)[1]) for _ in range(steps))

    return take


def _steps(engine: Any, batch: Any) -> Callable[[int], int]:  # noqa: ANN401
    """Takes steps on the same batch; on a GPU, it is copied each time, which is the least input."""
    import tensorflow as tf

    same = iter(tf.data.Dataset.from_tensors(batch).repeat())
    images = len(batch[1])

    def take(steps: int) -> int:
        engine.advance(same, steps)
        return steps * images

    return take


def rate(take: Callable[[int], int], seconds: float) -> float:
    """Returns images per second; the steps per call grow as in the training loop."""
    take(1)  # the first call traces
    take(2)
    steps, images, began = 1, 0, time.perf_counter()
    while (now := time.perf_counter()) < began + seconds:
        images += take(steps)
        if time.perf_counter() - now < CALL_SECONDS / 2:
            steps *= 2
    return images / (now - began)


if __name__ == "__main__":
    main()
