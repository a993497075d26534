"""Whatever a config contains, the answer is a message with a place, never a traceback."""

from collections import Counter

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from tests.config import malformed

quiet = settings(
    max_examples=200,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],  # shrinking a case would take minutes
)


@pytest.mark.parametrize("way", malformed.WAYS, ids=lambda way: way.__name__)
def test_a_malformed_config_is_refused_by_messages_with_the_right_places(way, tmp_path):
    """
    Nobody can foresee everything that people, editors and disks do to a file, so the reader has to
    survive two thousand random mistakes.
    """
    seen: Counter[str] = Counter()
    file = tmp_path / "case.yaml"

    @quiet
    @given(malformed.cases(ways=[way]))
    def check(case):
        seen[malformed.outcome(case, file)] += 1

    check()

    assert seen.total() >= 150, seen
    assert seen["refused"] > seen["accepted"] / 2, seen
