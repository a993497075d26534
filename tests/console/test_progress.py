"""How far the work is, on a terminal and off it."""

import io
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from dataclasses import replace
from fcntl import ioctl

import pytest

from imgcls.console import Console
from imgcls.events import Downloading, EpochEnded, Noted, Progressed, Scanning, Validating


def progressed(step, left=80.2):
    return Progressed(1, 10, step, 1704, 1.23456, 0.55, 3400.4, left)


def shown_at(capsys, *timed):
    """Returns what is written on stderr for events at these seconds."""
    now = 0.0
    with Console(clock=lambda: now) as console:
        for now, event in timed:  # noqa: B007  # the clock reads it
            console.report(event)
    out, err = capsys.readouterr()
    assert out == ""
    return err.splitlines()


def test_within_an_epoch_a_line_comes_every_30_seconds(capsys):
    """
    A log of a night's training is read in the morning: it must be neither empty nor endless.
    """
    every_second = [(second, progressed(second)) for second in range(1, 71)]

    rest = "loss 1.2346  accuracy 0.5500  3,400 images/s  1 min 20 s left"
    expected = [f"epoch 1/10  step {step}/1,704  {rest}" for step in (30, 60)]
    assert expected == shown_at(capsys, *every_second)


def test_every_other_line_puts_the_next_one_off(capsys):
    """
    Epochs of 20 seconds need no lines between theirs.
    """
    epoch = EpochEnded(1, 10, {}, best=False)
    times = [(20, epoch), (40, progressed(1)), (45, epoch), (74, progressed(2)), (75, Noted("x"))]

    assert ["epoch 1/10", "epoch 1/10", "x"] == shown_at(capsys, *times)


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (Scanning(1000, 50000), "reading images 1,000/50,000"),
        (Validating(2500, 5000), "evaluating images 2,500/5,000"),
        (
            progressed(2, left=float("nan")),
            "epoch 1/10  step 2/1,704  loss 1.2346  accuracy 0.5500  3,400 images/s",
        ),
    ],
    ids=["scanning", "validating", "time left unknown"],
)
def test_scanning_and_validation_are_shown_too(capsys, event, line):
    """
    Reading a hundred thousand photographs takes minutes in which nothing else is said.
    """
    assert [line] == shown_at(capsys, (31, event))


def test_a_download_is_announced_and_shown(capsys):
    """
    Nobody's line is used for 163 MiB without a word of what, from where and to where.
    """
    start = Downloading("cifar10", "https://a.org/c.tar.gz", "/home/u\n/c.npz", 0, 170_498_071)
    later = [replace(start, done=done) for done in (2**18, 2**25)]

    assert [
        "downloading cifar10, 162.6 MiB, from https://a.org/c.tar.gz to /home/u\\n/c.npz",
        "downloading cifar10  MiB 32/163",
    ] == shown_at(capsys, (1, start), (2, later[0]), (32, later[1]))


PROGRAM = """
from imgcls.console import Console
from imgcls.errors import RunError
from imgcls.events import EpochEnded, Progressed, Warned
from imgcls.training.summary import CheckResult, DataSummary
data = DataSummary(("cat",), {"train": (1,)}, (8, 8), (8, 8), 1)
with Console() as console:
    for step in range(1, 4):
        console.report(Progressed(1, 2, step, 1704, 1.23456, 0.55, 3400.4, 80.2))
    console.report(EpochEnded(1, 2, {"loss": 1.0}, best=True))
    console.report(Warned("odd [red]name[/red]"))
    console.result("the result")
    console.error(RunError("wrong"))
    console.check(CheckResult("a.yaml", data, (), 1.0, 1.0, 1.0, 1.0, 1))
"""


def on_terminal(columns, **environment):
    """Returns what a terminal of this width gets from the program, stdout and stderr together."""
    ours, theirs = pty.openpty()
    ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    unset = {"NO_COLOR", "COLUMNS", "LINES", "COLORTERM", "FORCE_COLOR"}
    settings = {name: value for name, value in os.environ.items() if name not in unset}
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**settings, "TERM": "xterm-256color", **environment},
    ) as process:
        os.close(theirs)
        text = io.BytesIO()
        try:
            while part := os.read(ours, 65536):
                text.write(part)
        except OSError:  # how Linux says that the other end was closed
            pass
    os.close(ours)
    assert process.returncode == 0
    return text.getvalue().decode().replace("\r\n", "\n")


def test_a_terminal_has_a_bar_that_leaves_no_trace():
    """
    The bar tells all there is to know, in 80 columns; what stays are the lines.
    """
    text = on_terminal(80)

    plain = re.sub(r"\x1b\[[0-9;]*m", "", text)
    assert re.search(r"epoch 1/2  step 3/1,704 ━+", plain)
    assert "\nloss 1.2346  accuracy 0.5500  3,400 images/s  1 min 20 s left" in plain
    assert "\x1b[?25l" in text, "the cursor is hidden"
    assert "\x1b[2Kthe result\n\x1b[1;31merror\x1b[0m: wrong\n" in text, (
        "the bar is wiped before the result"
    )
    assert text.count("\x1b[?25h") == 1, "the cursor is back"
    assert "\x1b[1mclass" in text, "the tables' headings are bold"
    assert "\x1b[33mwarning\x1b[0m: odd [red]name[/red]" in text


def test_without_colour_the_bar_still_moves():
    """
    NO_COLOR asks for no colour, not for no progress.
    """
    text = on_terminal(80, NO_COLOR="1")

    assert not re.search(r"\x1b\[[0-9;]*m", text)
    assert "\x1b[2K" in text


def test_in_20_columns_the_bar_is_cut_and_lines_are_not():
    """
    A phone's terminal shows where it stands; an error is whole in any.
    """
    text = re.sub(r"\x1b\[[0-9;]*m", "", on_terminal(20))

    assert "\nloss 1.2346  accura…" in text
    assert "warning: odd [red]name[/red]\n" in text


def test_a_dumb_terminal_gets_plain_lines():
    """
    Emacs' shell and serial lines print escape codes as they are.
    """
    expected = (
        "epoch 1/2  loss 1.0000  best\nwarning: odd [red]name[/red]\nthe result\nerror: wrong\n"
    )

    assert on_terminal(80, TERM="dumb").startswith(expected)
