"""Writes docs/cli.md from the commands themselves: `python docs/make_cli.py > docs/cli.md`."""

import sys
from typing import Any

import typer

from imgcls.cli import app

CODES = """\
## Exit codes

| code | meaning |
|---|---|
| 0 | done |
| 1 | a fault of imgcls itself; please report it |
| 2 | the command line is wrong |
| 3 | results were written, but some inputs were refused; each is named |
| 4 | the config is missing or wrong |
| 5 | the data is missing or wrong |
| 6 | a run or a checkpoint is missing, damaged, or does not fit |
| 7 | the loss is not finite any more |
| 8 | memory, disk, permissions, or a device |
| 10 | the run is in use by another process |
| 130, 143 | ended by Ctrl-C or SIGTERM; the checkpoint is saved |
"""


def page() -> str:
    """Returns the page."""
    head = "# The command line\n\n<!-- generated: python docs/make_cli.py > docs/cli.md -->\n"
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]  # it is a group
    return "\n".join([head, *(_section(*each) for each in commands.items()), CODES])


def _section(name: str, command: Any) -> str:  # noqa: ANN401  # Typer's own kind of click command
    usage = "".join(
        f" {each.metavar}" if each.required else f" [{each.metavar}]"
        for each in command.params
        if not _is_option(each)
    )
    usage += "..." if any(each.nargs < 0 for each in command.params) else ""
    rows = "\n".join(map(_row, command.params))
    table = f"\n| | |\n|---|---|\n{rows}\n" if rows else ""
    return f"## imgcls {name}\n\n`imgcls {name}{usage}`: {command.help}\n{table}"


def _is_option(parameter: Any) -> bool:  # noqa: ANN401
    return str(parameter.opts[0]).startswith("--")


def _row(parameter: Any) -> str:  # noqa: ANN401
    name = " ".join(parameter.opts) if _is_option(parameter) else ""
    value = (parameter.metavar or "").replace("|", "\\|")
    default = getattr(parameter.default, "value", parameter.default)
    shown = f" Default: {default}." if default else ""
    return f"| `{f'{name} {value}'.strip()}` | {parameter.help}{shown} |"


if __name__ == "__main__":
    sys.stdout.write(page())
