"""Arguments, help, exit codes. A command is imported only when it runs."""

import os
import signal
import sys
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import Annotated, NoReturn

import typer

import imgcls
from imgcls.console import Console
from imgcls.errors import ImgclsError, PartialError, UsageError

app = typer.Typer(
    name="imgcls",
    help="Trains, evaluates and runs image classifiers that a YAML file describes.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=True,
    rich_markup_mode=None,  # 0.15 s of imports for boxes around the help
)
console = Console()

INTERRUPTED = 130  # what Typer makes of Ctrl-C


class Split(StrEnum):
    """A split of a run's own data."""

    train = "train"
    validation = "validation"
    test = "test"


class Weights(StrEnum):
    """Which checkpoint of a run."""

    best = "best"
    last = "last"


class Precision(StrEnum):
    """What to compute in."""

    float32 = "float32"
    bfloat16 = "bfloat16"


Overrides = Annotated[
    list[str],
    typer.Option("--set", metavar="KEY=VALUE", help="Change a key of the config; repeatable."),
]
Root = Annotated[Path, typer.Option("--runs", metavar="FOLDER", help="The folder of the runs.")]
Checkpoint = Annotated[
    Weights,
    typer.Option("--checkpoint", metavar="best|last", help="Of the best epoch, or the last."),
]
Compute = Annotated[
    Precision, typer.Option("--precision", metavar="float32|bfloat16", help="What to compute in.")
]
Config = Annotated[Path, typer.Argument(metavar="CONFIG", help="A YAML file; - is stdin.")]
Json = Annotated[bool, typer.Option("--json", help="Write JSON instead of a table.")]


@app.command()
def train(
    config: Annotated[
        Path | None, typer.Argument(metavar="CONFIG", help="A YAML file; - is stdin.")
    ] = None,
    overrides: Overrides = [],  # noqa: B006  # Typer's own way of saying it
    resume: Annotated[
        Path | None,
        typer.Option("--resume", metavar="RUN", help="Go on with a run where it stopped."),
    ] = None,
    root: Root = Path("runs"),
) -> None:
    """Train a config as a new run, or go on with a stopped one."""
    from imgcls.commands.train import train as command

    trained = command(config, console.report, overrides=overrides, resume=resume, root=root)
    with suppress(BrokenPipeError):  # the run is what was wanted; nobody reads the rest
        console.trained(trained)
    if trained.signal is not None:
        _end_by(trained.signal)


@app.command()
def evaluate(
    run: Annotated[
        Path | None, typer.Argument(metavar="RUN", help="A run; without, the one started last.")
    ] = None,
    split: Annotated[
        Split | None,
        typer.Option(
            metavar="train|validation|test", help="Test, or validation where there is no test."
        ),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER|CSV|NPZ", help="Score these labelled images instead."),
    ] = None,
    checkpoint: Checkpoint = Weights.best,
    precision: Compute = Precision.float32,
    json: Json = False,
    root: Root = Path("runs"),
) -> None:
    """Evaluate a run: accuracy, and the figures of each class."""
    from imgcls.commands.evaluate import evaluate as command

    _end_with_the_reader()
    if split is not None and data is not None:
        raise UsageError("--split is of the run's own data; it does not go with --data")
    found = command(
        run,
        console.report,
        split=split.value if split else None,
        data=data,
        weights=checkpoint.value,
        precision=precision.value,
        root=root,
    )
    console.evaluation(found, json=json)


@app.command()
def predict(
    images: Annotated[list[str], typer.Argument(metavar="IMAGE", help="Pictures, folders, globs.")],
    run: Annotated[
        Path | None, typer.Option("--run", metavar="RUN", help="A run; without, the last one.")
    ] = None,
    top_k: Annotated[int, typer.Option(metavar="K", min=1, help="How many classes to name.")] = 1,
    json: Annotated[bool, typer.Option("--json", help="Write a JSON object an image.")] = False,
    csv: Annotated[bool, typer.Option("--csv", help="Write CSV with a header.")] = False,
    checkpoint: Checkpoint = Weights.best,
    precision: Compute = Precision.float32,
    root: Root = Path("runs"),
) -> None:
    """Predict the class of pictures."""
    from imgcls.commands.predict import predict as command

    _end_with_the_reader()
    if json and csv:
        raise UsageError("--json and --csv exclude each other")
    found = command(
        images,
        console.report,
        run=run,
        weights=checkpoint.value,
        precision=precision.value,
        root=root,
    )
    if console.predictions(found, json=json, csv=csv, top_k=top_k):
        raise typer.Exit(PartialError.exit_code)


@app.command()
def check(config: Config, overrides: Overrides = []) -> None:  # noqa: B006
    """Check config, data and model, and take one step, before any training."""
    from imgcls.commands.check import check as command

    _end_with_the_reader()
    console.check(command(config, console.report, overrides=overrides))


@app.command()
def schema() -> None:
    """Write the JSON Schema of the config language, for editors."""
    import json as json_format

    from imgcls.commands.schema import schema as command

    _end_with_the_reader()
    console.result(json_format.dumps(command(), indent=2))


def _version(wanted: bool) -> None:
    if wanted:
        console.result(f"imgcls {imgcls.__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say which it is.")
    ] = False,
) -> None:
    """Trains, evaluates and runs image classifiers that a YAML file describes."""
    del version


def main() -> NoReturn:
    """Runs the command line and exits with the code that errors.py gives."""
    try:
        with console:
            app()
    except ImgclsError as error:
        console.error(error)
        sys.exit(error.exit_code)
    except SystemExit as ending:
        if ending.code == INTERRUPTED:
            _end_by(signal.SIGINT)
        raise
    sys.exit()  # never reached: Typer exits


def _end_with_the_reader() -> None:
    """Lets this process end silently when the reader of its results goes away.

    Not so for training, which a log reader that goes away must not end.
    """
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)


def _end_by(number: int) -> NoReturn:
    """Ends this process by a signal, so that a shell or a parent sees what ended it."""
    console.close()
    sys.stderr.flush()
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    os._exit(128 + number)  # the first process of a container has no default actions


if __name__ == "__main__":
    main()
