"""What the long runs share: how much of them is run, and the figures that they end with.

    pytest -m endurance tests/endurance

IMGCLS_ENDURANCE=0.01 runs a hundredth of each, to try them out.
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
    """Keeps a line of figures for the end of the run; they go to docs/dependability.md."""
    return _figures.append


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Writes the figures."""
    if _figures:
        terminalreporter.section("figures")
        for line in _figures:
            terminalreporter.write_line(line)
