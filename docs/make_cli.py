"""Writes docs/cli.md from the commands themselves: `python docs/make_cli.py > docs/cli.md`."""

import sys
from typing import Any

import typer

from imgcls.cli.app import app
from imgcls.errors import ImgclsError

ENDS = """\
## How it ends

Where stderr is no terminal, its last line says how the command ended, for programs:

```
imgcls: exit=6 error=RUN run=runs/cifar10-001 resume="imgcls train --resume runs/cifar10-001"
```

`exit` is the exit code and `error` its name below; `run` is the run's folder, `resume` the shell command that goes on with it, and `warnings` how many there were.
What does not apply is left out; a value that is more than one plain word is a JSON string.
Help, `--version`, and a command whose reader went away (`| head`) end without it, as does a process that is killed.

| code | name | meaning |
|---|---|---|
"""  # noqa: E501  # a sentence a line

OTHERS = (
    (0, "", "Done."),
    (1, "BUG", "A fault of imgcls itself; please report it, with its traceback."),
    (129, "HUP", "Ended by SIGHUP, as when a terminal is closed."),
    (130, "INT", "Ended by Ctrl-C."),
    (137, "KILL", "Killed, or out of the system's memory; the system says so, not imgcls."),
    (141, "PIPE", "The reader of the results went away."),
    (143, "TERM", "Ended by SIGTERM."),
)

RETRY = """
A process that a signal ended is seen as such by its parent; a shell makes 128 and the number of it.
After 129, 130 and 143 a training has saved its checkpoint: `train CONFIG --resume auto` goes on with it, after 137 too.
10 is over when the other process is; any other code comes again until somebody mends the cause.
"""  # noqa: E501

NOTES = {
    "evaluate": """
An assertion is a figure, `>=`, `>`, `<=`, `<` or `=`, and a number: `--assert 'accuracy>=0.97'`.
The figures are accuracy, top_5_accuracy, loss and images, and of one class precision, recall, f1 and support: `--assert 'recall[cat]>0.9'`.
All are checked against the run before anything is computed; one that is undefined is missed.
With `--json` the object has `assertions` too, a list of `{"assertion": ..., "value": ..., "holds": ...}`.
""",  # noqa: E501
    "predict": """
There is one line an image, in the order given; with `--json` and `--csv` also for an image that is refused, else it is named on stderr.
Of a folder, files that are no pictures by their names are skipped and counted.
The names in a list are files and folders, relative to the current folder; the list is read as it is worked off, so it may be as long as it likes.
A picture on stdin may have 64 MiB and is called `-`.
""",  # noqa: E501
}


def page() -> str:
    """Returns the page."""
    head = "# The command line\n\n<!-- generated: python docs/make_cli.py > docs/cli.md -->\n"
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]  # it is a group
    return "\n".join(
        [head, *(_section(*each) for each in commands.items()), ENDS + _codes() + RETRY]
    )


def _codes() -> str:
    kinds = ImgclsError.__subclasses__()
    raised = [(it.exit_code, it.name(), str(it.__doc__).splitlines()[0]) for it in kinds]
    return "".join(f"| {' | '.join(map(str, row))} |\n" for row in sorted([*OTHERS, *raised]))


def _section(name: str, command: Any) -> str:  # noqa: ANN401  # Typer's own kind of click command
    usage = "".join(
        f" {each.metavar}" if each.required else f" [{each.metavar}]"
        for each in command.params
        if not _is_option(each)
    )
    usage += "..." if any(each.nargs < 0 for each in command.params) else ""
    rows = "\n".join(map(_row, command.params))
    table = f"\n| | |\n|---|---|\n{rows}\n" if rows else ""
    notes = NOTES.get(name, "")
    return f"## imgcls {name}\n\n`imgcls {name}{usage}`: {command.help}\n{table}{notes}"


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
