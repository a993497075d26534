"""Peak memory of training on more pixels than may be kept in memory.

Trains in this process, so that the limit can be lowered.
"""

import argparse
import os
import tempfile
from pathlib import Path

from benchmarks.lines import say
from benchmarks.random_images import random_images
from imgcls.images import buffers

CONFIG = Path(__file__).parent.parent / "configs/growth.yaml"
BUDGET = 64 * 2**20  # bytes of pixels
SIZE = 64  # pixels
CLASSES = 10


def main() -> None:
    """Trains on a folder of images and prints the peak memory of the process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--budgets", type=int, required=True, help="how large the set is")
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()

    buffers.MEMORY_BYTES = BUDGET // 100 if options.quick else BUDGET
    count = options.budgets * buffers.MEMORY_BYTES // (SIZE * SIZE * 3)
    with tempfile.TemporaryDirectory() as name:
        os.environ["XDG_CACHE_HOME"] = name  # keeps these images out of the user's cache
        _write(Path(name) / "images", count)
        from imgcls.commands.train import train
        from imgcls.ops import startup

        startup.start()
        folder = f"{{folder: {Path(name) / 'images'}, size: {SIZE}, validation: none, test: none}}"
        overrides = [f"dataset={folder}", "training.epochs=2"]
        train(CONFIG, lambda _: None, overrides=overrides, root=Path(name) / "runs")
    say(images=count)


def _write(folder: Path, count: int) -> None:
    from PIL import Image

    some, _ = random_images(100, CLASSES, SIZE)
    for number in range(count):
        picture = some[number % len(some)]
        picture[0, 0] = tuple(number.to_bytes(3, "big"))  # the cache might share equal images
        path = folder / f"class-{number % CLASSES}" / f"{number}.bmp"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(path)


if __name__ == "__main__":
    main()
