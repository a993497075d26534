"""The creation of a run is killed, or fails, at every single system call."""

import re
from pathlib import Path

import pytest

from imgcls.runs import folders, lock
from tests import traced
from tests.new_runs import create

pytestmark = traced.needs_strace
CONFIG = b"seed: 7\n"
CHILD = f"""
import os, sys
from pathlib import Path
from imgcls.runs import folders
from imgcls.errors import ResourceError

try:
    with folders.created(Path(sys.argv[1]) / "runs", "net", {CONFIG!r}) as run:
        os.utime(run.status)  # not one of the calls: the end is quiet
except ResourceError as error:
    print(error)
    sys.exit(8)
"""


def trace(place, *inject):
    place.mkdir()
    return traced.trace(CHILD, place, *inject)


@pytest.fixture(scope="module")
def calls(tmp_path_factory):
    """The system calls that create a run, in order."""
    done, calls = trace(tmp_path_factory.mktemp("whole") / "place")

    assert 0 == done.returncode, done.stderr
    return calls


def assert_next(root):
    """Asserts that all runs are resumable and a new one can be created; returns how many exist."""
    for run in folders.named(root, "net"):
        with lock.held(run.folder):
            assert CONFIG == run.config.read_bytes()
            assert "running" == folders.read_status(run)["state"]
    before = folders.named(root, "net")
    run = create(root, "net")

    assert [run, *before] == folders.named(root, "net")
    assert f"net-{len(before) + 1:03}" == run.folder.name
    return len(before)


def test_wherever_a_start_is_killed_its_run_can_go_on_or_there_is_none(tmp_path, calls):
    """
    A folder without a config was once skipped by every `--resume auto`, forever.
    """
    found = []
    for place, done in traced.sweep(trace, tmp_path, calls, "signal=KILL"):
        assert -9 == done.returncode
        found.append(assert_next(place / "runs"))

    assert sorted(found) == found
    assert {0, 1} == set(found)


def test_wherever_a_start_fails_it_says_so_and_leaves_nothing(tmp_path, calls):
    """
    A full disk must be reported at once, with no half-created run left on it.
    """
    failed = 0
    for place, done in traced.sweep(trace, tmp_path, calls, "error=ENOSPC"):
        assert "" == done.stderr
        if done.returncode:
            assert 8 == done.returncode
            assert re.search(r"/runs\S*: cannot be written, no space left", done.stdout)
            assert [] == list(place.glob("runs/*"))
            failed += 1
        assert_next(place / "runs")

    assert failed > len(calls) * 0.6


def test_a_run_is_on_the_disk_before_it_has_its_name_and_its_name_before_it_trains(calls):
    """
    A power failure loses what was not synced and may keep later writes: only order protects.
    """
    (named,) = (n for n, call in enumerate(calls) if re.search(r'rename.*/net-001"', call))
    synced = [traced.opened(call) for call in calls if " fsync(" in call]
    order = [Path(each).name.partition(".tmp-")[0] for each in synced]

    assert ["config.yaml", "run", "status.json", "run", "runs"] == order
    assert synced[-1] == traced.opened(calls[named + 1])
