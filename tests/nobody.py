"""Python as the user nobody, who may not write and has none of root's permissions."""

import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def run(code: str, *arguments: object) -> "subprocess.CompletedProcess[str]":
    """Runs a program as nobody, with this package importable."""
    command = ["setpriv", "--reuid=65534", "--clear-groups", sys.executable, "-B", "-c", code]
    return subprocess.run(
        [*command, *map(str, arguments)], cwd=ROOT, capture_output=True, text=True, check=False
    )


@cache
def can_run() -> bool:
    """Returns whether that works: it needs root, and files that everybody may read."""
    if not shutil.which("setpriv") or os.geteuid() != 0:
        return False
    return run("import imgcls.config.reader, imgcls.images.load").returncode == 0


needed = pytest.mark.skipif(not can_run(), reason="needs root, and files that nobody may read")
