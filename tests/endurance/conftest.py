"""Shared by the long runs: how many trials they run, and the figures that they report.

    pytest -m endurance tests/endurance

IMGCLS_ENDURANCE=0.01 runs a hundredth of each, for a quick check.
"""

import os
from collections.abc import Callable

import pytest

_figures: list[str] = []


@pytest.fixture
def amount() -> Callable[[int], int]:
    """Scales a number of trials by $IMGCLS_ENDURANCE."""
    share = float(os.environ.get("IMGCLS_ENDURANCE", "1"))
    return lambda whole: max(1, round(whole * share))


@pytest.fixture
def figure() -> Callable[[str], None]:
    """Collects a line for the end of the run; the lines belong in docs/dependability.md."""
    return _figures.append


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Writes the collected lines."""
    if _figures:
        terminalreporter.section("figures")
        for line in _figures:
            terminalreporter.write_line(line)
