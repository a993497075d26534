"""Signals save and stop training, or save and continue it; ignored signals stay ignored."""

import contextlib
import os
import signal
import subprocess
import sys

import numpy as np
import pytest
import yaml

from imgcls.commands.train import train
from imgcls.events import Progressed, Saved
from imgcls.runs import checkpoints
from imgcls.training.signals import ENDING, SAVING, handling


@pytest.fixture
def config(tmp_path, small):
    path = tmp_path / "small.yaml"
    path.write_text(yaml.safe_dump(small()), encoding="utf-8")
    return path


def test_sigusr1_saves_in_the_middle_of_an_epoch_and_training_goes_on(write_config, tmp_path):
    """
    Slurm can send it ninety seconds before the end of a job, so that the work done by then is safe.
    """
    config = write_config(training={"epochs": 2, "batch_size": 8, "report_steps": 50})
    events: list[object] = []

    def report(event):
        events.append(event)
        inside = isinstance(event, Progressed) and event.epoch == 2 and event.step < event.steps
        if inside and SAVING not in events:
            events.append(SAVING)
            os.kill(os.getpid(), SAVING)

    trained = train(config, report, root=tmp_path)
    saved = [event.step for event in events if isinstance(event, Saved)]

    assert "finished" == trained.status
    assert 3 == len(saved)
    assert saved[0] < saved[1] < saved[2] == 2 * saved[0]
    assert Saved(saved[1]) == events[events.index(SAVING) + 1]


@pytest.mark.parametrize("number", ENDING)
def test_each_ending_signal_ends_with_a_checkpoint_of_the_last_step(number, config, tmp_path):
    """
    Ctrl-C, a scheduler's SIGTERM and a closed terminal's SIGHUP must cost at most one step.
    """
    last: list[int] = []

    def report(event):
        if isinstance(event, Progressed) and event.step > 5:
            last.append(event.step)
            os.kill(os.getpid(), number)

    trained = train(config, report, root=tmp_path)

    assert ("interrupted", number) == (trained.status, trained.signal)
    assert [trained.step] == last
    assert trained.step == checkpoints.steps(trained.run / "checkpoints")[-1]


@pytest.mark.parametrize("number", ENDING)
def test_a_signal_before_the_first_step_leaves_no_run_behind(number, config, tmp_path):
    """
    There is nothing to save yet, and a scheduler that checks the cause must still see the signal.
    """
    reported: list[object] = []

    def report(event):
        if not reported:
            reported.append(event)
            os.kill(os.getpid(), number)

    with pytest.raises(KeyboardInterrupt) as ended:
        train(config, report, root=tmp_path / "runs")

    assert (number,) == ended.value.args
    assert [] == list((tmp_path / "runs").iterdir())


def test_a_signal_that_an_import_makes_another_exception_of_still_ends_the_work():
    """
    Libraries turn any exception in their imports into an ImportError, which would look like a bug.
    """

    def work():
        try:
            os.kill(os.getpid(), signal.SIGTERM)
        except KeyboardInterrupt as error:
            raise ImportError("cannot load") from error

    with pytest.raises(KeyboardInterrupt) as ended, handling() as stop:
        stop.interrupt(work)

    assert (signal.SIGTERM,) == ended.value.args


def test_a_signal_that_a_library_swallows_still_ends_the_work():
    """
    For example, an exception in a garbage collector callback is lost.
    """

    def work():
        with contextlib.suppress(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt), handling() as stop:
        stop.interrupt(work)


def test_sigusr1_before_there_is_anything_to_save_ends_nothing():
    """
    The scheduler's clock starts with the job, however long the data take to load.
    """
    with handling() as stop:
        stop.interrupt(lambda: signal.raise_signal(SAVING))
        assert not stop
        assert stop.wants_save()


def test_a_signal_that_was_ignored_stays_ignored():
    """
    `nohup imgcls train` must outlive its terminal.
    """
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with handling() as stop:
            os.kill(os.getpid(), signal.SIGHUP)
            assert not stop
        assert signal.SIG_IGN == signal.getsignal(signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)


def test_afterwards_signals_mean_what_they_meant_before():
    """
    Programs that call `train` from Python must keep their own handlers.
    """
    before = [signal.getsignal(number) for number in (*ENDING, SAVING)]
    with handling():
        assert before != [signal.getsignal(number) for number in (*ENDING, SAVING)]

    assert before == [signal.getsignal(number) for number in (*ENDING, SAVING)]


def resumed(program, *arguments):
    return subprocess.Popen(
        [sys.executable, "-c", program, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


SAVES = """
import hashlib, os, sys, time
from pathlib import Path
from imgcls import files
from imgcls.training.signals import handling
with handling() as stop:
    os.write(1, b"ready\\n")
    while not stop:
        time.sleep(0.01)
    with files.draft_folder(Path(sys.argv[1]) / "step-2"):
        os.write(1, b"saving\\n")
        hashlib.pbkdf2_hmac("sha256", b"", b"", 10**9)  # no handler of Python's runs
"""


@pytest.mark.parametrize("second", ENDING)
def test_a_second_signal_ends_even_a_save_at_once_and_the_last_checkpoint_stays(second, tmp_path):
    """
    Users who press Ctrl-C again do not want to wait.
    """
    checkpoints.save(tmp_path, 1, {"model": {"a": np.zeros(3)}}, {})
    process = resumed(SAVES, tmp_path)
    try:
        assert process.stdout.readline() == b"ready\n"
        process.send_signal(signal.SIGINT)
        assert process.stdout.readline() == b"saving\n"
        process.send_signal(second)
        _, said = process.communicate(timeout=2)
    finally:
        process.kill()
    newest, problems = checkpoints.newest(tmp_path, checkpoints.Checkpoint.verify)

    assert -second == process.returncode
    assert b"Stopping after this step; press Ctrl-C again to quit immediately." in said
    assert newest is not None
    assert (1, []) == (newest.step, problems)


SLEEPS = """
import os
from imgcls.training.signals import handling
with handling() as stop:
    os.write(1, b"ready\\n")
    os.read(0, 1)
    os.write(1, b"awake" if not stop else b"stopped")
"""


def test_a_training_that_was_put_to_sleep_goes_on():
    """
    Ctrl-Z and `fg`, a closed laptop or a scheduler that suspends the job must not end a run.
    """
    process = resumed(SLEEPS)
    assert process.stdout.readline() == b"ready\n"
    process.send_signal(signal.SIGSTOP)
    assert os.WIFSTOPPED(os.waitpid(process.pid, os.WUNTRACED)[1])
    process.send_signal(signal.SIGCONT)

    assert (b"awake", b"") == process.communicate(b"x", timeout=30)
    assert 0 == process.returncode
