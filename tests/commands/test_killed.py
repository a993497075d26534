"""Real training processes, killed at random moments: the final model is bit-identical."""

import os
import signal
import subprocess
import sys

import pytest
import yaml

from tests.commands import crowds, killing


@pytest.fixture(scope="module")
def trial(tmp_path_factory, small):
    """A training of everything that has a state, and an uninterrupted run of it."""
    config = small(training=killing.TRAINING)
    return killing.begin(tmp_path_factory.mktemp("trial"), config, seed=os.getpid())


def test_ten_sigkills_at_random_moments_change_no_bit(trial, tmp_path):
    """
    An out-of-memory kill, a power failure or an impatient cluster may only cost time.
    """
    before = trial.kills
    killing.end_often(trial, tmp_path, signal.SIGKILL, 10)

    assert 10 == trial.kills - before
    assert trial.trained > 0


def test_five_sigterms_at_random_moments_lose_nothing_and_end_in_time(trial, tmp_path):
    """
    A preempting scheduler grants half a minute, and expects the job to end by the signal.
    """
    before, trial.slowest = trial.kills, 0.0
    killing.end_often(trial, tmp_path, signal.SIGTERM, 5)

    assert 5 == trial.kills - before
    assert trial.slowest < killing.LONGEST_END


_WAITS_BEFORE_TENSORFLOW = """
import os, sys
from imgcls.__main__ import main

def wait(event, about):
    if event == "import" and about[0] == "tensorflow":
        os.write(1, b"loading")
        os.read(0, 1)

sys.addaudithook(wait)
main()
"""


def test_a_run_has_its_folder_and_its_lock_before_tensorflow_is_loaded(tmp_path, small):
    """
    A second start must fail at once, not after five seconds of imports.
    """
    config = tmp_path / "small.yaml"
    config.write_text(yaml.safe_dump(small()), encoding="utf-8")
    first = ["train", str(config), "--runs", str(tmp_path / "runs")]
    with subprocess.Popen(
        [sys.executable, "-c", _WAITS_BEFORE_TENSORFLOW, *first],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        try:
            assert process.stdout is not None
            assert b"loading" == process.stdout.read(7)
            refused = subprocess.run(
                [*crowds.IMGCLS, "train", "--resume", str(tmp_path / "runs" / "small-001")],
                check=False,
                capture_output=True,
                text=True,
            )
        finally:
            process.kill()

    assert 10 == refused.returncode
    assert f"is in use by process {process.pid} on " in refused.stderr


def test_of_sixteen_simultaneous_resumes_one_trains_and_fifteen_are_refused(tmp_path, small):
    """
    Two trainers in one folder would produce a mixture of two models.
    """
    assert [10] * 15 == crowds.resumed(crowds.endless(tmp_path, small), 16)


def test_thirty_two_simultaneous_new_runs_have_thirty_two_folders(tmp_path):
    """
    A script may start a run per seed at the same moment; none may write into another's folder.
    """
    assert 32 == crowds.created(tmp_path / "runs", 32)
