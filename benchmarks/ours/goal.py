"""Measures the training time until a validation accuracy is reached, in seconds."""

import argparse
import tempfile
import time
from pathlib import Path

from benchmarks.lines import say
from imgcls.commands.train import train
from imgcls.events import EpochEnded


class _ReachedError(Exception):
    pass


def main() -> None:
    """Trains until the accuracy is reached or the config's epochs end, and prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("config", type=Path)
    parser.add_argument("--accuracy", type=float, required=True)
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    ended: list[EpochEnded] = []

    def report(event: object) -> None:
        if isinstance(event, EpochEnded):
            ended.append(event)
            if event.metrics.get("val_accuracy", 0) >= options.accuracy:
                raise _ReachedError

    began, reached = time.perf_counter(), False
    overrides = ["training.epochs=1", "dataset.subset=1600"] if options.quick else []
    with tempfile.TemporaryDirectory() as root:
        try:
            train(options.config, report, overrides=overrides, root=Path(root))
        except _ReachedError:
            reached = True
    trained = sum(float(each.metrics["train_seconds"]) for each in ended)
    say(
        seconds=trained if reached else None,
        wall_seconds=time.perf_counter() - began,
        epochs=len(ended),
        best=max(float(each.metrics.get("val_accuracy", 0)) for each in ended),
    )


if __name__ == "__main__":
    main()
