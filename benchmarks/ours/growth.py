"""Time per image for datasets of different sizes, with the same network and augmentation."""

import argparse
import tempfile
from pathlib import Path

from benchmarks import random_images
from benchmarks.lines import say
from benchmarks.ours.command import trained

CONFIG = Path(__file__).parent.parent / "configs/growth.yaml"
MEASURED, QUICK = 60_000, 2_000  # images to train on after the first epoch, at least


def main() -> None:
    """Trains on random images and prints the seconds per image."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, required=True)
    parser.add_argument("--classes", type=int, default=10)
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    images = max(options.images // 10, options.classes) if options.quick else options.images
    epochs = 1 - (-(QUICK if options.quick else MEASURED) // images)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        random_images.write(folder / "images.npz", images, options.classes)
        overrides = [f"dataset.npz={folder / 'images.npz'}", f"training.epochs={epochs}"]
        say(**trained(CONFIG, overrides, folder))


if __name__ == "__main__":
    main()
