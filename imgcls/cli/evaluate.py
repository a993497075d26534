"""`imgcls evaluate`."""

from pathlib import Path
from typing import Annotated

import typer

from imgcls.cli.options import Checkpoint, Compute, Json, Precision, Root, Split
from imgcls.cli.output import console
from imgcls.console import ExitStatus
from imgcls.errors import MissedError, UsageError


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
        weights=checkpoint.value if checkpoint else None,
        precision=precision.value,
        assertions=assertions,
        root=root,
    )
    outcomes = [each.outcome(found) for each in assertions]
    console.evaluation(found, outcomes, json=json)
    if not all(each.holds for each in outcomes):
        return ExitStatus.of(MissedError, Path(found.run))
    return ExitStatus(run=Path(found.run))
