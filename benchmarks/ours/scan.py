"""Reads a folder of many small images: seconds and resident memory per path."""

import argparse
import os
import tempfile
import time
from pathlib import Path

from benchmarks.lines import peak_bytes, say

CLASSES = 10
SIZE = 8  # pixels; 192 bytes are kept per image, besides its path
FIRST = 100  # files to read first, so that imports and startup are not counted


def main() -> None:
    """Writes a folder, reads it, and prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, required=True)
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    files = options.files // 100 if options.quick else options.files
    with tempfile.TemporaryDirectory() as name:
        os.environ["XDG_CACHE_HOME"] = name  # keeps these images out of the user's cache
        _write(Path(name) / "first", FIRST)
        _write(Path(name) / "many", files)
        _read(Path(name) / "first")
        before, began = _resident_bytes(), time.perf_counter()
        told = _read(Path(name) / "many")
        say(
            bytes_per_path=(peak_bytes() - before) / files,
            seconds_per_path=(time.perf_counter() - began) / files,
            progress_reports=told,
        )


def _write(folder: Path, files: int) -> None:
    from PIL import Image

    for number in range(CLASSES):
        (folder / f"class-{number}").mkdir(parents=True)
    for number in range(files):
        path = folder / f"class-{number % CLASSES}" / f"picture-{number:07}.png"
        # All different, because the cache might share equal images.
        Image.new("RGB", (SIZE, SIZE), tuple(number.to_bytes(3, "big"))).save(path)


def _resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def _read(folder: Path) -> int:
    """Reads all images and returns the number of events reported."""
    from imgcls.config import reader
    from imgcls.data import dataset

    config = folder.parent / "scan.yaml"
    config.write_text(
        f"dataset: {{folder: {folder}, size: {SIZE}, validation: none, test: none}}\n"
        "layers: [Flatten, Dense: {units: classes}]\noptimizer: Adam\n"
        "loss: categorical_crossentropy\n",
        encoding="utf-8",
    )
    events: list[object] = []
    checked = reader.read(config).config
    dataset.load(checked.dataset, checked.seed, events.append)
    return len(events)


if __name__ == "__main__":
    main()
