"""Arguments, help, exit codes. A command is imported only when it runs."""

import os
import signal
import sys
from contextlib import redirect_stdout, suppress
from enum import StrEnum
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from typer.exceptions import TyperException

import imgcls
from imgcls.console import Console, ExitStatus, messages, signals
from imgcls.errors import ImgclsError, MissedError, PartialError, ResourceError, UsageError

app = typer.Typer(
    name="imgcls",
    help="Trains, evaluates and runs image classifiers that a YAML file describes.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=True,
    rich_markup_mode=None,  # 0.15 s of imports for boxes around the help
)
console = Console()


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
    Weights | None,
    typer.Option(
        "--checkpoint",
        metavar="best|last",
        help="Of the best epoch, or the last; without, the best one that is not damaged.",
    ),
]
Compute = Annotated[
    Precision, typer.Option("--precision", metavar="float32|bfloat16", help="What to compute in.")
]
Config = Annotated[Path, typer.Argument(metavar="CONFIG", help="A YAML file; - is stdin.")]
Offline = Annotated[
    bool, typer.Option("--offline", help="Download nothing; IMGCLS_OFFLINE=1 says the same.")
]
Json = Annotated[bool, typer.Option("--json", help="Write JSON instead of a table.")]


@app.command()
def train(
    config: Annotated[
        Path | None, typer.Argument(metavar="CONFIG", help="A YAML file; - is stdin.")
    ] = None,
    overrides: Overrides = [],  # noqa: B006  # Typer's own way of saying it
    resume: Annotated[
        str | None,
        typer.Option(
            "--resume",
            metavar="RUN|auto",
            help="Go on with a run where it stopped; auto: with the config's newest unfinished "
            "run, or a new one.",
        ),
    ] = None,
    extend: Annotated[
        int | None,
        typer.Option("--extend", metavar="N", min=1, help="With --resume: N epochs more."),
    ] = None,
    root: Root = Path("runs"),
    offline: Offline = False,
) -> ExitStatus:
    """Train a config as a new run, or go on with a stopped one."""
    from imgcls.commands.train import train as command

    try:
        trained = command(
            config,
            console.report,
            overrides=overrides,
            resume="auto" if resume == "auto" else Path(resume) if resume is not None else None,
            extend=extend,
            root=root,
            offline=offline,
        )
    except KeyboardInterrupt as ended:  # by a signal, before there was anything to save
        return ExitStatus.by(ended.args[0])
    with suppress(BrokenPipeError):  # the run is what was wanted; nobody reads the rest
        console.trained(trained)
    if trained.signal is not None:
        return ExitStatus.by(trained.signal, trained.run, messages.resume(trained.run))
    return ExitStatus(run=trained.run)


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
    checkpoint: Checkpoint = None,
    precision: Compute = Precision.float32,
    asserted: Annotated[
        list[str],
        typer.Option(
            "--assert",
            metavar="METRIC>=NUMBER",
            help="Exit with 11 if it is missed, such as accuracy>=0.97 or recall[cat]>0.9; "
            "repeatable.",
        ),
    ] = [],  # noqa: B006
    json: Json = False,
    root: Root = Path("runs"),
) -> ExitStatus:
    """Evaluate a run: accuracy, and the figures of each class."""
    from imgcls.commands.evaluate import evaluate as command
    from imgcls.evaluation.assertions import Assertion

    assertions = [Assertion.parse(each) for each in asserted]
    if split is not None and data is not None:
        raise UsageError("--split is of the run's own data; it does not go with --data")
    found = command(
        run,
        console.report,
        split=split.value if split else None,
        data=data,
        checkpoint=checkpoint.value if checkpoint else None,
        precision=precision.value,
        assertions=assertions,
        root=root,
    )
    outcomes = [each.outcome(found) for each in assertions]
    console.evaluation(found, outcomes, json=json)
    if not all(each.holds for each in outcomes):
        return ExitStatus.of(MissedError, Path(found.run))
    return ExitStatus(run=Path(found.run))


@app.command()
def predict(  # noqa: PLR0913, PLR0917  # each is an option
    images: Annotated[
        list[str],
        typer.Argument(metavar="IMAGE", help="Pictures, folders, globs; - is a picture on stdin."),
    ] = [],  # noqa: B006
    listed: Annotated[
        Path | None,
        typer.Option("--from-file", metavar="LIST", help="Names, one a line; - is stdin."),
    ] = None,
    null: Annotated[
        bool, typer.Option("--null", "-0", help="These names end in NUL bytes, as of find -print0.")
    ] = False,
    run: Annotated[
        Path | None, typer.Option("--run", metavar="RUN", help="A run; without, the last one.")
    ] = None,
    top_k: Annotated[int, typer.Option(metavar="K", min=1, help="How many classes to name.")] = 1,
    json: Annotated[bool, typer.Option("--json", help="Write a JSON object an image.")] = False,
    csv: Annotated[bool, typer.Option("--csv", help="Write CSV with a header.")] = False,
    checkpoint: Checkpoint = None,
    precision: Compute = Precision.float32,
    root: Root = Path("runs"),
) -> ExitStatus:
    """Predict the class of pictures."""
    from imgcls.commands.predict import predict as command

    if json and csv:
        raise UsageError("--json and --csv exclude each other")
    found = command(
        images,
        console.report,
        listed=listed,
        null=null,
        run=run,
        checkpoint=checkpoint.value if checkpoint else None,
        precision=precision.value,
        root=root,
    )
    if console.predictions(found.each, json=json, csv=csv, top_k=top_k):
        return ExitStatus.of(PartialError, found.run)
    return ExitStatus(run=found.run)


@app.command()
def check(config: Config, overrides: Overrides = [], offline: Offline = False) -> ExitStatus:  # noqa: B006
    """Check config, data and model, and take one step, before any training."""
    from imgcls.commands.check import check as command

    console.check(command(config, console.report, overrides=overrides, offline=offline))
    return ExitStatus()


@app.command()
def schema() -> ExitStatus:
    """Write the JSON Schema of the config language, for editors."""
    import json as json_format

    from imgcls.commands.schema import schema as command

    console.result(json_format.dumps(command(), indent=2))
    return ExitStatus()


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
    try:
        os.getcwd()  # noqa: PTH109  # whether there is one is all that counts
    except OSError as error:
        raise ResourceError("the current folder is gone; go to one that exists") from error


def main() -> NoReturn:
    """Runs the command line and exits with the code that errors.py gives."""
    signals.install(console)
    with console:
        ending = _ending()
    if ending is None:  # help or the version: nothing was to be done
        sys.exit(0)
    signals.restore()
    if ending.signal != signal.SIGPIPE:  # that one is silent
        console.end(ending)
    if ending.signal is not None:
        signals.end_by(ending.signal)
    sys.exit(ending.code)


def _ending() -> ExitStatus | None:
    """Runs the command, shows what went wrong, and returns how it ended."""
    try:
        with redirect_stdout(console.results):  # help that cannot be written is an error as well
            outcome: ExitStatus | int = app(standalone_mode=False)
    except TyperException as error:
        console.usage(error)
        return ExitStatus.of(UsageError)
    except ImgclsError as error:
        console.error(error)
        return ExitStatus.of(type(error), error.run, error.resume)
    except SystemExit as end:
        if isinstance(end.__context__, BrokenPipeError):  # Typer makes exit code 1 of it
            return ExitStatus.by(signal.SIGPIPE)
        raise
    except MemoryError:
        console.error(ResourceError("out of memory"))
        return ExitStatus.of(ResourceError)
    except Exception:  # noqa: BLE001  # it is shown whole: a bug of ours
        console.bug()
        return ExitStatus.of(ImgclsError)
    return outcome if isinstance(outcome, ExitStatus) else None


if __name__ == "__main__":
    main()
