"""Many processes that do the same thing at the same moment."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from imgcls.runs import folders

IMGCLS = [sys.executable, "-m", "imgcls"]

CREATE = """
import os, sys
from pathlib import Path
from imgcls.runs import folders

crowd = int(sys.argv[2])
for _ in range(crowd):
    if not os.fork():
        sys.stdin.read()  # until all are there
        with folders.created(Path(sys.argv[1]), "net", b""):
            os._exit(0)
print("ready", flush=True)
sys.exit(any(os.wait()[1] for _ in range(crowd)))
"""


def endless(folder: Path, small: Callable[..., dict[str, Any]]) -> Path:
    """Returns a run that would train for hours; it was killed before it loaded TensorFlow."""
    config = folder / "long.yaml"
    config.write_text(yaml.safe_dump(small(training={"epochs": 100_000})), encoding="utf-8")
    process = subprocess.Popen(
        [*IMGCLS, "train", str(config), "--runs", str(folder / "runs")],
        stderr=subprocess.PIPE,
        text=True,
    )
    run = folders.Run(folder / "runs" / "long-001")
    while not run.config.exists():
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.002)
    process.kill()
    process.communicate()
    return run.folder


def resumed(run: Path, crowd: int) -> list[int]:
    """Resumes a run in many processes; returns the exit codes of those that end by themselves."""
    command = [*IMGCLS, "train", "--resume", str(run)]
    started = [
        subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(crowd)
    ]
    try:
        deadline = time.monotonic() + 240
        while sum(each.poll() is not None for each in started) < crowd - 1:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        return sorted(each.returncode for each in started if each.poll() is not None)
    finally:
        for each in started:
            each.kill()
            each.wait()


def created(root: Path, crowd: int) -> int:
    """Creates new runs in many processes at once; returns the number of folders."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(Path(folders.__file__).parents[2]),
        "OPENBLAS_NUM_THREADS": "1",  # otherwise its threads make a fork warn
    }
    with subprocess.Popen(
        [sys.executable, "-B", "-c", CREATE, str(root), str(crowd)],
        env=environment,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.communicate()
    assert process.returncode == 0
    return len(list(root.iterdir()))
