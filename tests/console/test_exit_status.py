"""The last line on stderr."""

import json
import re
import shlex
from pathlib import Path

import pytest

from imgcls.console import ExitStatus
from imgcls.errors import ImgclsError, RunError
from imgcls.events import Noted, Warned
from imgcls.images.decode import BadImageError

RUN = Path("runs/cifar10-001")


def read(line):
    """Parses the line as documented on the page of the command line."""
    name, _, rest = line.partition(" ")
    assert name == "imgcls:"
    fields = re.findall(r'(\w+)=("(?:[^"\\]|\\.)*"|\S+)(?: |$)', rest)
    return {key: json.loads(value) if value[0] == '"' else value for key, value in fields}


STATUSES = (
    ExitStatus(),
    ExitStatus(run=RUN),
    ExitStatus.of(RunError, RUN, "imgcls train --resume runs/cifar10-001"),
    ExitStatus.by(15, RUN),
    ExitStatus.of(ImgclsError),
    ExitStatus.of(BadImageError),
)


def test_it_has_what_applies_and_nothing_else(snapshot):
    """
    Scheduler scripts parse this line, so its field names must never change.
    """
    lines = [status.line() for status in STATUSES]

    assert [str(status.code) for status in STATUSES] == [read(line)["exit"] for line in lines]
    snapshot("lines", "".join(f"{line}\n" for line in lines))


def test_warnings_are_counted():
    """
    A script should not take exit code 0 with three warnings for a clean success.
    """
    assert "imgcls: exit=0 warnings=3" == ExitStatus().line(3)


@pytest.mark.parametrize(
    "name",
    [
        "my runs/a",
        "a=b",
        'say "cheese"',
        "it's",
        "a\nimgcls: exit=0",
        "\x1b[31m",
        "ü",
        "\udcff",
        "",
    ],
)
def test_any_name_of_a_folder_is_read_back_as_it_is(name):
    """
    A folder name with a line break must neither forge a line nor break the parser.
    """
    resume = f"imgcls train --resume {shlex.quote(name)}"
    line = ExitStatus(6, "RUN", Path(name), resume).line(1)

    assert line.isascii()
    assert line.isprintable()
    expected = {"exit": "6", "error": "RUN", "run": str(Path(name)), "resume": resume}
    assert {**expected, "warnings": "1"} == read(line)
    assert [name] == shlex.split(read(line)["resume"])[3:]


def test_it_comes_last_with_the_warnings_that_were_reported(shown):
    """
    A script should only have to look at the last line of a log (`tail -1`).
    """

    def use(console):
        console.report(Warned("odd"))
        console.report(Noted("all is well"))
        console.end(ExitStatus(run=RUN))

    out, err = shown(use)

    assert out == []
    assert ["warning: odd", "all is well"] == err[:-1]
    assert "imgcls: exit=0 run=runs/cifar10-001 warnings=1" == err[-1]
