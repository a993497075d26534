"""Fifty thousand damaged images in separate processes: no crash, no hang, no half image."""

import json
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

pytestmark = pytest.mark.endurance

CHUNK = 500
FIRST = 1000  # smaller numbers are used by the suite


def test_no_damaged_picture_crashes_hangs_or_is_half_used(tmp_path, amount, figure):
    """
    A crash in a decoder written in C ends its process: only another process can detect it.
    """
    total = amount(50_000)

    def run(first: int) -> Counter[str]:
        count = min(CHUNK, FIRST + total - first)
        folder = tmp_path / str(first)
        folder.mkdir()
        done = subprocess.run(
            [sys.executable, "-m", "tests.images.mutated", str(first), str(count), folder],
            cwd=Path(__file__).parents[2],
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )
        assert 0 == done.returncode, f"{first} to {first + count}: {done.stderr[-2000:]}"
        return Counter(json.loads(done.stdout))

    seen: Counter[str] = Counter()
    slowest = 0
    with ThreadPoolExecutor(2) as pool:
        for found in pool.map(run, range(FIRST, FIRST + total, CHUNK)):
            slowest = max(slowest, found.pop("slowest, ms"))
            seen += found

    assert total == seen.total()
    figure(
        f"damaged pictures: {total:,} of 7 formats, {seen['refused']:,} refused by path, "
        f"{seen['used']:,} used alike by training and prediction, 0 crashes, slowest {slowest} ms"
    )
