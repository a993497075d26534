"""`imgcls predict` of one image with a network of 50 million parameters: bytes read, peak memory.

No time is measured. `imgcls train` makes the run with one step on random images, so its checkpoint
also has the optimizer's state. strace reports the bytes read from the run folder.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks import random_images
from benchmarks.lines import say

CONFIG = Path("configs/cifar10_upscaled.yaml")
SIZE, QUICK_SIZE = 224, 32  # pixels; nearly all parameters are in the Dense layer
IMAGES = 40
READING = "read,?readv,?pread64,?preadv,?preadv2,?mmap,?sendfile,?copy_file_range"

_CALL = re.compile(r"^\d+ +(\w+)\((.*)\) += (0x[0-9a-f]+|\d+)$")
_MAPPED = re.compile(r"^\w+, (\d+), ")
_UNFINISHED, _RESUMED = " <unfinished ...>", re.compile(r"^(\d+ +)<\.\.\. \w+ resumed>(.*)$")


def main() -> None:
    """Makes the run, predicts with and without strace, and prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    if shutil.which("strace") is None:
        sys.exit("strace is not there; it counts the bytes that are read")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        run = _train(folder, QUICK_SIZE if options.quick else SIZE)
        log = folder / "strace"
        traced = ("strace", "-f", "-y", "-qq", "-o", str(log), "-e", f"trace={READING}")
        _imgcls(folder, "predict", "image.png", before=traced)
        say(
            bytes_read=bytes_read(log.read_text(encoding="utf-8", errors="replace"), run),
            bytes_of_run=sum(each.stat().st_size for each in run.rglob("*") if each.is_file()),
            peak_bytes=_imgcls(folder, "predict", "image.png"),
        )


def _train(folder: Path, size: int) -> Path:
    """Trains one step and returns the run folder."""
    from PIL import Image

    random_images.write(folder / "images.npz", IMAGES)
    Image.fromarray(random_images.random_images(1)[0][0]).save(folder / "image.png")
    dataset = f"{{npz: {folder / 'images.npz'}, size: {size}, validation: none, test: none}}"
    changes = [f"dataset={dataset}", "training.epochs=1", "training.steps_per_epoch=1"]
    changes += ["training.batch_size=4", "training.best=loss", "training.precision=float32"]
    given = [each for change in changes for each in ("--set", change)]
    _imgcls(folder, "train", str(CONFIG.resolve()), *given)
    return next((folder / "runs").iterdir())


def _imgcls(folder: Path, *arguments: str, before: tuple[str, ...] = ()) -> int:
    """Runs a command and returns its peak resident memory in bytes.

    PYTHONPATH determines which imgcls runs, so that an older version can be measured, too.
    """
    with (folder / "said").open("w+", encoding="utf-8") as said:
        process = subprocess.Popen(
            [*before, sys.executable, "-m", "imgcls", *arguments],
            cwd=folder,
            stdout=said,
            stderr=said,
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            sys.exit(said.read())
    return usage.ru_maxrss * 1024


def bytes_read(log: str, folder: Path) -> int:
    """Returns the number of bytes of files in a folder that were read or mapped, from strace's log.

    Args:
        log: the output of `strace -f -y`.
        folder: the absolute path of the folder.
    """
    total = 0
    begun: dict[str, str] = {}  # unfinished calls by process
    for line in log.splitlines():
        if line.endswith(_UNFINISHED):
            begun[line.split()[0]] = line.removesuffix(_UNFINISHED)
            continue
        if resumed := _RESUMED.match(line):
            line = begun.pop(resumed[1].strip(), "") + resumed[2]  # noqa: PLW2901
        call = _CALL.match(line)
        if call is None or f"<{folder}/" not in call[2]:
            continue
        mapped = _MAPPED.match(call[2]) if call[1] == "mmap" else None
        total += int(mapped[1]) if mapped else int(call[3], 0)
    return total


if __name__ == "__main__":
    main()
