"""Training processes, killed and preempted hundreds of times, and started in crowds."""

import signal

import pytest

from tests.commands import crowds, killing

pytestmark = pytest.mark.endurance


@pytest.mark.parametrize(
    ("number", "times"), [(signal.SIGKILL, 300), (signal.SIGTERM, 100)], ids=["kill", "term"]
)
def test_processes_that_are_ended_at_random_moments_change_no_bit(
    number, times, tmp_path, small, amount, figure
):
    """
    Ten kills would miss a moment that is hit once in a hundred.
    """
    trial = killing.begin(tmp_path, small(training=killing.TRAINING), seed=number)
    total = amount(times)
    runs = killing.end_often(trial, tmp_path, number, total)

    assert total == trial.kills
    assert number == signal.SIGKILL or trial.slowest < killing.LONGEST_END
    figure(
        f"{signal.Signals(number).name} at random moments: {trial.kills}, {trial.trained} of them "
        f"in the training, the others in the start; {runs} runs, 0 differences from the one in "
        f"one go; slowest end {trial.slowest:.1f} s"
    )


def test_crowds_of_resumes_and_of_new_runs(tmp_path, small, amount, figure):
    """
    A race condition that strikes once in a hundred starts will strike on the day it matters.
    """
    times = amount(20)
    run = crowds.endless(tmp_path, small)
    for _ in range(times):
        assert [10] * 15 == crowds.resumed(run, 16)
    for number in range(times):
        root = tmp_path / f"runs-{number}"
        assert 32 == crowds.created(root, 32)
    figure(f"crowds: {times} times 16 resumes, 1 trains and 15 exit 10; {times} times 32 new runs")
