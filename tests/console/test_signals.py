"""Signals outside training, on a terminal and off it, as a shell sends them."""

import os
import pty
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

PROGRAM = """
import os, time
from imgcls.cli import app as cli
from imgcls.console import signals
from imgcls.events import Validating, Warned
signals.install(cli.console)
cli.console.report(Warned("odd"))
cli.console.report(Validating(1, 9))
time.sleep(0.3)
os.write(1, b"ready\\n")
time.sleep(60)
"""


def started(before=None, within=(), program=PROGRAM, **streams):
    return subprocess.Popen(
        [*within, sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=before,  # noqa: PLW1509  # a shell does just this, and there are no threads here
        **streams,
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_process_by_itself_after_the_last_line(number):
    """
    A loop of a shell stops only if its child was ended by the signal, not if it exits with 130.
    """
    process = started(stderr=subprocess.PIPE)
    assert process.stdout.readline() == "ready\n"
    process.send_signal(number)
    _, said = process.communicate(timeout=30)

    assert -number == process.returncode
    name = number.name.removeprefix("SIG")
    last = f"imgcls: exit={128 + number} error={name} warnings=1"
    assert ["warning: odd", last] == said.splitlines()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_a_signal_that_was_ignored_at_the_start_stays_ignored(number):
    """
    `nohup` and `&` in a script mean it.
    """
    process = started(lambda: signal.signal(number, signal.SIG_IGN), stderr=subprocess.PIPE)
    assert process.stdout.readline() == "ready\n"
    process.send_signal(number)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.3)
    process.terminate()
    process.communicate(timeout=30)

    assert -signal.SIGTERM == process.returncode


def test_ctrl_c_under_a_progress_bar_gives_the_cursor_back():
    """
    A terminal without a cursor is a terminal that looks broken.
    """
    ours, theirs = pty.openpty()
    process = started(stderr=theirs)
    os.close(theirs)
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    shown = b""
    try:
        while part := os.read(ours, 65536):
            shown += part
    except OSError:  # a terminal that its last user has left
        pass
    os.close(ours)

    assert -signal.SIGINT == process.returncode
    assert shown.count(b"\x1b[?25l") == 1
    assert shown.rstrip().endswith(b"\x1b[?25h")
    assert b"imgcls: exit" not in shown


DEAF = """
import hashlib, os
from imgcls.cli import app as cli
from imgcls.console import signals
signals.install(cli.console)
os.write(1, b"ready\\n")
hashlib.pbkdf2_hmac("sha256", b"", b"", 10**9)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_library_that_never_returns_to_python_does_not_keep_a_command_alive(number):
    """
    Short of memory, TensorFlow may try again for minutes, and ignore two signals.
    """
    process = started(stderr=subprocess.PIPE, program=DEAF)
    assert process.stdout.readline() == "ready\n"
    began = time.monotonic()
    process.send_signal(number)
    _, said = process.communicate(timeout=20)

    assert -number == process.returncode
    assert time.monotonic() - began < 10
    assert said.splitlines()[-1].startswith(f"imgcls: exit={128 + number}")


TRAINING = """
import os, time
from imgcls.training.signals import handling
with handling() as stop:
    os.write(1, b"ready\\n")
    while not stop:
        time.sleep(0.01)
    os.write(1, b"handling\\n")
    time.sleep(60)
"""

CONTAINER = ("unshare", "-p", "-f", "--kill-child")


def contained():
    """Whether a process may be the first one of a namespace of its own, as in a container."""
    if not shutil.which("unshare"):
        return False
    return subprocess.run([*CONTAINER, "true"], capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(not contained(), reason="needs unshare, and the right to make a namespace")
@pytest.mark.parametrize("program", [PROGRAM, TRAINING])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_first_process_of_a_container_ends_too(program, number):
    """
    The kernel gives it no default actions: what is not handled there is lost, and so are we.
    """
    outer = started(within=CONTAINER, program=program, stderr=subprocess.PIPE)
    assert outer.stdout.readline() == "ready\n"
    inner = int(Path(f"/proc/{outer.pid}/task/{outer.pid}/children").read_text())
    os.kill(inner, number)
    if program == TRAINING:
        assert outer.stdout.readline() == "handling\n"
        os.kill(inner, number)
    outer.communicate(timeout=30)

    assert 128 + number == outer.returncode
