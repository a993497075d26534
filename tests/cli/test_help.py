"""What `--help` shows."""

import re
from pathlib import Path

import pytest
import typer

from imgcls.cli.app import COMMANDS, app

MODULES = Path(__file__).parents[2] / "imgcls" / "commands"
GROUP = typer.main.get_command(app)
COMMAND = GROUP.commands  # type: ignore[attr-defined]


def test_every_command_has_its_module_in_commands():
    """
    Contributors who add a command can find the existing ones and follow their example.
    """
    names = {path.stem for path in MODULES.glob("*.py") if not path.stem.startswith("_")}

    assert set(COMMANDS) == names
    assert list(COMMANDS) == list(COMMAND)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_explained_and_no_help_shows_a_type_of_python(name):
    """
    `IMAGE <list[str]>` would show how the program is built, not what to type.
    """
    command = COMMAND[name]

    assert [] == [each.name for each in command.params if not each.help]
    assert not re.search(r"<|\bNone\b|\blist\[|\bstr\b|\bpath\b", shown(command, name))
    assert re.match(r"[A-Z]\w+ ", command.help)
    assert command.help.endswith(".")


def test_the_help(snapshot, monkeypatch):
    """
    It is the first page that most users read.
    """
    monkeypatch.setenv("COLUMNS", "80")

    snapshot("help", shown(GROUP, "imgcls"))
    for name in COMMANDS:
        snapshot(f"help-{name}", shown(COMMAND[name], f"imgcls {name}"))


def shown(command, name):
    """Returns the help of a command in 80 columns."""
    return command.get_help(typer.Context(command, info_name=name)) + "\n"
