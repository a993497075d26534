"""Work in threads: order, errors and Ctrl-C."""

import itertools
import os
import signal
import threading
import time

import pytest

from imgcls.images.threads import in_threads


@pytest.mark.parametrize("moment", [0, 5])
def test_ctrl_c_waits_only_for_the_jobs_that_are_being_done(moment):
    """
    A damaged disk may take a minute per file; jobs that have not started must never start.
    """
    begun = []

    def slow(at: int) -> None:
        begun.append(at)
        if at == moment:
            os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.05)

    with pytest.raises(KeyboardInterrupt):
        list(in_threads(slow, 10_000))
    assert len(begun) <= moment + 2 * (os.cpu_count() or 1) + 2


def test_the_work_is_spread_over_threads():
    """
    Pillow releases the GIL; a single thread would leave the other cores idle.
    """
    names = set()
    list(in_threads(lambda _: names.add(threading.current_thread().name), 64))

    assert threading.current_thread().name not in names


def test_results_come_in_order_and_the_first_error_is_raised_in_its_turn():
    """
    Labels are matched to pixels by position; a thread that runs ahead must not mix them up.
    """

    def job(at: int) -> int:
        time.sleep(0.002 * (at % 3))
        if at in (40, 41):
            raise ValueError(at)
        return at * at

    seen: list[int] = []
    with pytest.raises(ValueError, match="40"):
        seen.extend(in_threads(job, 100))

    assert [at * at for at in range(40)] == seen
    assert [] == list(in_threads(job, 0))


@pytest.mark.timing
def test_ctrl_c_in_the_middle_of_a_hand_over_is_a_keyboard_interrupt_and_nothing_else():
    """
    Inside a lock written in Python, Ctrl-C becomes a RuntimeError or leaves the lock held.
    """
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    try:
        for trial in range(1500):
            with pytest.raises(KeyboardInterrupt):
                _hand_over_until_interrupted(after=1e-4 + 2e-6 * trial)
    finally:
        signal.signal(signal.SIGALRM, before)


def _hand_over_until_interrupted(after: float) -> None:
    signal.setitimer(signal.ITIMER_REAL, after)
    for _ in itertools.count():
        list(in_threads(int, 20))
