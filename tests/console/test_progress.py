"""Progress output, with and without a terminal."""

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

from imgcls.console import Console
from imgcls.events import Downloading, Noted, Progressed, Scanning, Validating


def progressed(step, left=80.2):
    return Progressed(1, 10, step, 1704, 1.23456, 0.55, 3400.4, left)


def shown_at(capsys, *timed):
    """Returns the lines on stderr for events at these seconds."""
    now = 0.0
    with Console(clock=lambda: now) as console:
        for now, event in timed:  # noqa: B007  # the clock reads it
            console.report(event)
    out, err = capsys.readouterr()
    assert out == ""
    return err.splitlines()


def test_within_an_epoch_a_line_comes_every_30_seconds(capsys):
    """
    The log of a night's training is read in the morning; it must be neither empty nor endless.
    """
    every_second = [(second, progressed(second)) for second in range(1, 71)]

    lines = shown_at(capsys, *every_second)

    assert ["30", "60"] == re.findall(r" (\d+)/1,704", "".join(lines))


def test_every_other_line_puts_the_next_one_off(capsys):
    """
    Epochs of 20 seconds need no progress lines in between.
    """
    note = Noted("x")
    times = [(20, note), (40, progressed(1)), (45, note), (74, progressed(2)), (75, note)]

    assert ["x", "x", "x"] == shown_at(capsys, *times)


def test_every_long_work_shows_its_progress(capsys, snapshot):
    """
    Reading a hundred thousand photos takes minutes, in which nothing else is shown.
    """
    download = Downloading("cifar10", "https://a.org/c.tar.gz", "/home/u\n/c.npz", 0, 170_498_071)
    ticks = (
        progressed(2),
        progressed(3, left=float("nan")),
        Scanning(1000, 50000),
        Validating(2500, 5000),
        replace(download, done=2**25),
    )

    lines = shown_at(capsys, *((31 * (1 + number), each) for number, each in enumerate(ticks)))

    assert len(ticks) == len(lines)
    snapshot("ticks", "".join(f"{line}\n" for line in lines))


def test_a_download_is_announced_at_once(capsys, snapshot):
    """
    Users must know what is downloaded, from where and to where, before it takes 163 MiB.
    """
    start = Downloading("cifar10", "https://a.org/c.tar.gz", "/home/u\n/c.npz", 0, 170_498_071)

    lines = shown_at(capsys, (1, start), (2, replace(start, done=2**18)))

    assert 1 == len(lines)
    snapshot("download", f"{lines[0]}\n")


PROGRAM = """
from imgcls.config.data_spec import DataSpec
from imgcls.console import Console
from imgcls.errors import RunError
from imgcls.events import EpochEnded, Progressed, Warned
from imgcls.training.summary import CheckResult, DataSummary
spec = DataSpec(
    classes=("cat", "dog"), size=(8, 8), stored=(8, 8), channels=1, resize="stretch"
)
data = DataSummary(spec, {"train": (1, 1)})
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
    """Returns everything that a terminal of this width receives from the program."""
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
        except OSError:  # how Linux reports that the other end was closed
            pass
    os.close(ours)
    assert process.returncode == 0
    return text.getvalue().decode().replace("\r\n", "\n")


def test_a_terminal_has_a_bar_that_leaves_no_trace():
    """
    The bar must show everything in 80 columns and then vanish; only the lines remain.
    """
    text = on_terminal(80)

    plain = re.sub(r"\x1b\[[0-9;]*m", "", text)
    assert re.search(r"\b3/1,704 ━+", plain)
    assert re.search(r"\n.*1\.2346 .*3,400 .*1 min 20 s", plain)
    assert "\x1b[?25l" in text, "the cursor is hidden"
    assert "\x1b[2Kthe result\n\x1b[1;31merror\x1b[0m: wrong\n" in text, (
        "the bar is wiped before the result"
    )
    assert text.count("\x1b[?25h") == 1, "the cursor is back"
    assert "\x1b[1mclass" in text, "the tables' headings are bold"
    assert "\x1b[33mwarning\x1b[0m: odd [red]name[/red]" in text


def test_without_colour_the_bar_still_moves():
    """
    NO_COLOR asks for no colors, not for no progress.
    """
    text = on_terminal(80, NO_COLOR="1")

    assert not re.search(r"\x1b\[[0-9;]*m", text)
    assert "\x1b[2K" in text


def test_in_20_columns_the_bar_is_cut_and_lines_are_not():
    """
    A narrow terminal may cut off the bar, but warnings and errors must be shown in full.
    """
    text = re.sub(r"\x1b\[[0-9;]*m", "", on_terminal(20))

    assert re.search(r"\n.*1\.2346.*…", text)
    assert "warning: odd [red]name[/red]\n" in text


def test_a_dumb_terminal_gets_plain_lines(snapshot):
    """
    Emacs' shell and serial consoles print escape codes literally.
    """
    snapshot("dumb-terminal", on_terminal(80, TERM="dumb"))
