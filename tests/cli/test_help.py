"""What `--help` shows."""

import re
from pathlib import Path

import pytest
import typer

from imgcls.cli.app import COMMANDS, app

MODULES = Path(__file__).parents[2] / "imgcls" / "commands"
COMMAND = typer.main.get_command(app).commands  # type: ignore[attr-defined]  # it is a group


def test_every_command_has_its_module_in_commands():
    """
    Whoever adds a command finds what to write next to what is there.
    """
    names = {path.stem for path in MODULES.glob("*.py") if not path.stem.startswith("_")}

    assert set(COMMANDS) == names
    assert list(COMMANDS) == list(COMMAND)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_explained_and_no_help_shows_a_type_of_python(name):
    """
    `IMAGE <list[str]>` is what the program is made of, not what to type.
    """
    command = COMMAND[name]
    shown = command.get_help(typer.Context(command, info_name=name))

    assert [] == [each.name for each in command.params if not each.help]
    assert not re.search(r"<|\bNone\b|\blist\[|\bstr\b|\bpath\b", shown)
    assert re.match(r"[A-Z]\w+ ", command.help)
    assert command.help.endswith(".")
