"""The command line, run in this process: for tests of its output, not of how a process ends."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from imgcls.cli import app
from imgcls.cli.output import console
from imgcls.console import Console


class Done(NamedTuple):
    """How a command ended.

    Attributes:
        code: the exit code.
        stdout: the text written there.
        stderr: likewise.
    """

    code: int
    stdout: str
    stderr: str


@pytest.fixture
def imgcls(capsys, monkeypatch) -> Callable[..., Done]:
    """Runs a command in a folder, without the 3 s in which a new process imports TensorFlow."""
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments: str, folder: Path) -> Done:
        capsys.readouterr()
        monkeypatch.chdir(folder)
        monkeypatch.setattr(sys, "argv", ["imgcls", *arguments])
        # The process's console is bound to the streams that existed when it was imported.
        monkeypatch.setattr(console, "__dict__", vars(Console()))
        with console:
            status = app._run()
        if status is not None:
            console.end(status)
        return Done(0 if status is None else status.code, *capsys.readouterr())

    return run
