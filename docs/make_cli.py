"""Writes docs/cli.md from the commands themselves: `python docs/make_cli.py > docs/cli.md`."""

import sys

import typer
from typer.core import TyperArgument, TyperOption

from imgcls.cli import help as command_help
from imgcls.cli.app import app
from imgcls.errors import ImgclsError

HEAD = """\
# The command line

<!-- generated: python docs/make_cli.py > docs/cli.md -->

`imgcls --help` and `imgcls COMMAND --help` show this page's options; `imgcls --version` shows the version.
In a usage line, `[...]` may be left out and `A|B` is one or the other.
"""  # noqa: E501  # a sentence a line

EXIT_CODES = """\
## Exit codes

Unless stderr is a terminal, its last line reports how the command ended, for programs:

```
imgcls: exit=6 error=RUN run=runs/cifar10-001 resume="imgcls train --resume runs/cifar10-001"
```

| field | value |
|---|---|
| `exit` | the exit code |
| `error` | the name of the exit code, as below |
| `run` | the run folder |
| `resume` | the shell command that resumes the run |
| `warnings` | the number of warnings |

Fields that do not apply are omitted; a value that is not a single plain word is a JSON string.
There is no such line after `--help` and `--version`, after the reader of the results has gone away (`| head`), and after SIGKILL.

| code | name | meaning |
|---|---|---|
"""  # noqa: E501

OTHERS = (
    (0, "", "Success."),
    (1, "BUG", "A bug in imgcls; please report it with its traceback."),
    (129, "HUP", "Ended by SIGHUP, for example because the terminal was closed."),
    (130, "INT", "Ended by SIGINT (Ctrl-C)."),
    (137, "KILL", "Killed, for example because the system ran out of memory."),
    (141, "PIPE", "The reader of the results went away."),
    (143, "TERM", "Ended by SIGTERM."),
)

RETRY = """
A signal really ends the process; the shell reports 128 plus the number of the signal.
After 129, 130 and 143 a training has saved a checkpoint, unless a second signal cut it short; `imgcls train CONFIG --resume auto` resumes it, also after 137.
Code 10 goes away when the other process ends; any other code recurs until its cause is fixed.
"""  # noqa: E501

NOTES = {
    "evaluate": """
An assertion consists of a metric, one of `>=`, `>`, `<=`, `<` and `=`, and a number: `--assert 'accuracy>=0.97'`.
The metrics are accuracy, top_5_accuracy, macro_f1, balanced_accuracy, loss and images, and, for a single class, precision, recall, f1 and support: `--assert 'recall[cat]>0.9'`.
Assertions are validated against the run before anything is computed; one about an undefined metric does not hold.
With `--json`, the object also has `assertions`, a list of `{"assertion": ..., "value": ..., "holds": ...}`.
""",  # noqa: E501
    "predict": """
Results are written in the order of the arguments, one line per image.
An image that cannot be read is reported on stderr and, with `--json` and `--csv`, also has a line of its own.
Of a folder, files whose names are not those of images are skipped and counted.
Names in LIST are files and folders, relative to the current folder; LIST is read incrementally and may have any length.
An image on stdin is called `-` and may have at most 64 MiB.
""",  # noqa: E501
}


def page() -> str:
    """Returns the page."""
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]  # it is a group
    sections = (_section(name, command) for name, command in commands.items())
    return "\n".join([HEAD, *sections, EXIT_CODES + _codes() + RETRY])


def _section(name: str, command: command_help.Command) -> str:
    usage = " ".join(["imgcls", name, *command.collect_usage_pieces(None)])
    kinds = (TyperArgument, TyperOption)
    rows = "".join(_row(each) for each in command.params if isinstance(each, kinds))
    table = f"\n| | |\n|---|---|\n{rows}" if rows else ""
    return f"## imgcls {name}\n\n```\n{usage}\n```\n\n{command.help}\n{table}{NOTES.get(name, '')}"


def _row(parameter: TyperArgument | TyperOption) -> str:
    name = command_help.name(parameter).replace("|", "\\|")
    return f"| `{name}` | {command_help.description(parameter)} |\n"


def _codes() -> str:
    kinds = ImgclsError.__subclasses__()
    raised = [(it.exit_code, it.name(), str(it.__doc__).splitlines()[0]) for it in kinds]
    return "".join(f"| {' | '.join(map(str, row))} |\n" for row in sorted([*OTHERS, *raised]))


if __name__ == "__main__":
    sys.stdout.write(page())
