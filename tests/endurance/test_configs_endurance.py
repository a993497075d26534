"""Two hundred thousand malformed configs: each gives a message with its position."""

import statistics
import time
from collections import Counter

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.config import malformed

pytestmark = pytest.mark.endurance

CHUNK = 2000  # Hypothesis remembers what it has tried: running in chunks keeps that small


def test_no_malformed_config_is_a_traceback(tmp_path, amount, figure):
    """
    Two hundred thousand cases may reveal what two thousand do not.
    """
    file = tmp_path / "case.yaml"
    total = amount(200_000)
    seen: Counter[str] = Counter()
    seconds: list[float] = []

    def check(case):
        began = time.process_time()
        seen[malformed.outcome(case, file)] += 1
        seconds.append(time.process_time() - began)

    for chunk in range(-(-total // CHUNK)):
        limits = settings(
            max_examples=min(CHUNK, total - chunk * CHUNK),
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate],
        )
        seed(chunk)(limits(given(malformed.cases())(check)))()

    assert seen["refused"] > seen["accepted"]
    median, slowest = statistics.median(seconds) * 1e3, max(seconds)
    figure(
        f"malformed configs: {seen.total():,}, {seen['refused']:,} refused with their places, "
        f"{seen['accepted']:,} still right, 0 tracebacks; {median:.1f} ms of a processor each "
        f"(median), the slowest {slowest:.1f} s"
    )
