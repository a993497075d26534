"""Runs `imgcls train` on a config: images per second of the training phase, and peak memory."""

import argparse
import tempfile
from pathlib import Path

from benchmarks import random_images
from benchmarks.lines import say
from benchmarks.ours.command import trained

QUICK = ("training.epochs=2", "training.steps_per_epoch=3", "dataset.subset=1600")


def main() -> None:
    """Trains and prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("config", type=Path)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--random", type=int, help="train on so many random images instead")
    parser.add_argument("--classes", type=int, default=10, help="of the random images")
    parser.add_argument("--activation", default="relu", help="in place of relu, wherever that is")
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        config = folder / options.config.name
        text = options.config.read_text(encoding="utf-8")
        config.write_text(text.replace("relu", options.activation), encoding="utf-8")
        overrides = list(options.set)
        if options.random:
            count = 1600 if options.quick else options.random
            overrides += random_images.in_place(folder, count, options.classes)
        say(**trained(config, overrides + list(QUICK if options.quick else ()), folder))


if __name__ == "__main__":
    main()
