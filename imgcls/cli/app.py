"""The Typer app, and `main`, which turns the outcome of a command into an exit code."""

import os
import signal
import sys
from contextlib import redirect_stdout
from importlib import import_module
from typing import Annotated, NoReturn

import typer
from typer.exceptions import TyperException

import imgcls
from imgcls.cli.help import Command
from imgcls.cli.output import console
from imgcls.console import ExitStatus, signals
from imgcls.errors import ImgclsError, ResourceError, UsageError

COMMANDS = ("train", "evaluate", "predict", "check", "schema")
"""In the order of the help. Each is a function in the module of that name next to this one."""

app = typer.Typer(
    name="imgcls",
    help="Train, evaluate and run image classifiers described by a YAML file.",
    subcommand_metavar="COMMAND [ARGS...]",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=True,
    rich_markup_mode=None,  # 0.15 s of imports for boxes around the help
)
for name in COMMANDS:
    app.command(name, cls=Command)(getattr(import_module(f"imgcls.cli.{name}"), name))


def _version(wanted: bool) -> None:
    if wanted:
        console.result(f"imgcls {imgcls.__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """Train, evaluate and run image classifiers described by a YAML file."""
    del version
    try:
        os.getcwd()  # noqa: PTH109  # only whether it exists matters
    except OSError as error:
        raise ResourceError("the current folder was removed; change to one that exists") from error


def main() -> NoReturn:
    """Runs the command line and exits with the exit code that docs/cli.md lists."""
    signals.install(console)
    with console:
        status = _run()
    if status is None:  # --help or --version
        sys.exit(0)
    signals.restore()
    if status.signal != signal.SIGPIPE:  # nobody reads on
        console.end(status)
    if status.signal is not None:
        signals.end_by(status.signal)
    sys.exit(status.code)


def _run() -> ExitStatus | None:
    """Runs the command, shows its error, if any, and returns the exit status."""
    try:
        with redirect_stdout(console.results):  # help that cannot be written is an error too
            outcome: ExitStatus | int = app(standalone_mode=False)
    except TyperException as error:
        console.usage(error)
        return ExitStatus.of(UsageError)
    except ImgclsError as error:
        console.error(error)
        return ExitStatus.of(type(error), error.run, error.resume)
    except SystemExit as end:
        if isinstance(end.__context__, BrokenPipeError):  # Typer turns it into exit code 1
            return ExitStatus.by(signal.SIGPIPE)
        raise
    except MemoryError:
        console.error(ResourceError("out of memory"))
        return ExitStatus.of(ResourceError)
    except Exception:  # noqa: BLE001  # a bug of ours, shown with its traceback
        console.bug()
        return ExitStatus.of(ImgclsError)
    return outcome if isinstance(outcome, ExitStatus) else None


if __name__ == "__main__":
    main()
