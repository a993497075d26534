"""Each test is in one lane, and the lists of slow tests are up to date."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests import lanes

ROOT = Path(__file__).parent.parent
CONFTEST = "from tests.lanes import pytest_collection_modifyitems, pytest_terminal_summary\n"
TESTS = """
import pytest

def test_plain(): pass

@pytest.mark.slow
def test_slow(): pass

@pytest.mark.timing
def test_timing(): pass

@pytest.mark.gpu
def test_gpu(): pass

@pytest.mark.parametrize("number", [1, 2])
def test_it_stands_in_a_pipe(number): pass
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Returns a function that runs pytest on tests of each lane; it returns exit code and lines."""
    folder = tmp_path_factory.mktemp("lanes")
    (folder / "conftest.py").write_text(CONFTEST, encoding="utf-8")

    def pytest_on(tests, *options):
        (folder / "test_it.py").write_text(tests, encoding="utf-8")
        command = [sys.executable, "-m", "pytest", "-c", str(ROOT / "pyproject.toml"), *options]
        done = subprocess.run(
            [*command, f"--rootdir={folder}", "-p", "no:cacheprovider", str(folder)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, (done.stdout + done.stderr).splitlines()

    return pytest_on


@pytest.fixture(scope="module")
def shown(run):
    """The output of a run in two processes, with the slowest tests."""
    code, lines = run(TESTS, "-n", "1", "--durations=10", "--durations-min=0")

    assert 0 == code, lines
    return lines


def test_the_lists_of_slow_tests_name_what_is_there():
    """
    A slow test that was renamed would silently move to the fast lane.
    """
    assert [] == lanes.missing(ROOT)


def test_each_test_is_in_one_lane(shown):
    """
    The lanes that `.ci/run` prints show which of them has become too slow.
    """
    counts = [line.partition(" tests, ")[0] for line in shown if " tests, " in line]

    assert ["fast: 1", "slow: 3", "timing: 1", "gpu: 1"] == counts


def test_the_lanes_and_the_slowest_tests_come_before_the_summary(shown):
    """
    The last line is what people and programs look at.
    """
    assert any("slowest 10 durations" in line for line in shown)
    assert "5 passed, 1 skipped" in shown[-1]


def test_what_measures_seconds_is_left_out_next_to_other_processes(shown):
    """
    It would measure the load of the machine instead.
    """
    assert any("run pytest -m timing, without -n" in line for line in shown)


def test_a_lane_can_be_run_by_its_name(run):
    """
    Developers run `pytest -m fast` between two changes.
    """
    code, lines = run(TESTS, "-m", "slow or timing")

    assert 0 == code
    assert "4 passed, 2 deselected" in lines[-1]


def test_two_lanes_are_a_mistake(run):
    """
    A test in two lanes would run twice.
    """
    twice = "import pytest\n@pytest.mark.slow\n@pytest.mark.timing\ndef test_it(): pass\n"
    code, lines = run(twice)

    assert 4 == code
    assert any("::test_it is in two lanes: slow, timing" in line for line in lines)
