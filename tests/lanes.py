"""The lanes of the suite: which tests are in each, and how many seconds they took.

A test that has no lane mark, and is in neither of the lists, is fast.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

LANES = ("fast", "slow", "timing", "gpu", "endurance")

SLOW_FILES = (
    "tests/cli/test_endings.py",
    "tests/commands/test_averages.py",
    "tests/commands/test_killed.py",
    "tests/commands/test_resume.py",
    "tests/commands/test_resume_changes.py",
    "tests/commands/test_stages.py",
    "tests/config/test_valid.py",
    "tests/images/test_mutated.py",
    "tests/network/test_families.py",
    "tests/ops/test_step_memory.py",
    "tests/runs/test_checkpoints_killed.py",
    "tests/runs/test_folders_killed.py",
    "tests/training/test_replicas.py",
)
"""Their tests kill processes, start the program many times or with TensorFlow, or take over 4 s."""

SLOW_TESTS = (
    "test_a_few_steps_on_mnist_learn_to_read_digits",
    "test_a_kill_at_any_moment_leaves_no_wrong_entry",
    "test_a_shipped_config_takes_a_step",
    "test_any_stack_of_layers_is_a_network_or_a_mistake_with_its_key",
    "test_it_learns_what_float32_learns_and_goes_on_bit_for_bit",
    "test_it_stands_in_a_pipe",
)
"""Single tests of that kind, in files of fast ones."""

_LANE = "lane"  # the property's name in a report


@pytest.hookimpl(tryfirst=True)  # before `-m` looks at the marks
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Marks each test with its lane, and skips `timing` tests next to other processes."""
    alone = not hasattr(config, "workerinput")  # pytest-xdist's
    for item in items:
        lane = _lane(item)
        item.add_marker(lane)
        item.user_properties.append((_LANE, lane))
        if lane == "timing" and not alone:
            reason = "asserts on seconds: run pytest -m timing, without -n"
            item.add_marker(pytest.mark.skip(reason=reason))


def _lane(item: pytest.Item) -> str:
    file, name = item.nodeid.partition("::")[0], getattr(item, "originalname", item.name)
    marked = [lane for lane in LANES if item.get_closest_marker(lane)]
    if len(marked) > 1:
        raise pytest.UsageError(f"{item.nodeid} is in two lanes: {', '.join(marked)}")
    if marked:
        return marked[0]
    return "slow" if file in SLOW_FILES or name in SLOW_TESTS else "fast"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """With `--durations`, writes the number of tests and the seconds of each lane."""
    if terminalreporter.config.getoption("durations") is None:
        return
    reports = [
        each
        for found in terminalreporter.stats.values()
        for each in found
        if isinstance(each, pytest.TestReport)
    ]
    terminalreporter.section("lanes")
    for line in _lines(reports):
        terminalreporter.write_line(line)


def _lines(reports: Sequence[pytest.TestReport]) -> Iterator[str]:
    for lane in LANES:
        own = [each for each in reports if (_LANE, lane) in each.user_properties]
        if own:
            tests, seconds = len({each.nodeid for each in own}), sum(each.duration for each in own)
            yield f"{lane}: {tests} tests, {seconds:.1f} s summed over the processes"


def missing(root: Path) -> list[str]:
    """Returns the entries of the lists that do not exist."""
    text = "".join(file.read_text(encoding="utf-8") for file in root.glob("tests/**/test_*.py"))
    files = [file for file in SLOW_FILES if not (root / file).is_file()]
    return files + [name for name in SLOW_TESTS if f"def {name}(" not in text]
