"""`imgcls evaluate`."""

from pathlib import Path
from typing import Annotated

import typer

from imgcls.cli.options import (
    CheckpointOption,
    Compute,
    PrecisionName,
    Root,
    SplitChoice,
    WeightsOption,
)
from imgcls.cli.output import console
from imgcls.console import ExitStatus
from imgcls.errors import MissedError, UsageError

RunArgument = Annotated[
    Path | None,
    typer.Argument(
        metavar="RUN", help="Run folder. By default the latest run that has a checkpoint."
    ),
]
OwnSplit = Annotated[
    SplitChoice | None,
    typer.Option(
        "--split",
        metavar="train|validation|test",
        help="Split of the run's dataset to evaluate. By default test, or validation if there is "
        "no test split.",
    ),
]
DataOption = Annotated[
    Path | None,
    typer.Option(
        "--data",
        metavar="FOLDER|CSV|NPZ",
        help="Evaluate these labeled images instead of the run's dataset.",
    ),
]
Asserted = Annotated[
    list[str],
    typer.Option(
        "--assert",
        metavar="METRIC>=NUMBER",
        help="Exit with code 11 if the condition does not hold, for example accuracy>=0.97 or "
        "recall[cat]>0.9. Repeatable.",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Write a JSON object instead of tables.")]


def evaluate(  # noqa: PLR0913, PLR0917  # each is an option
    run: RunArgument = None,
    split: OwnSplit = None,
    data: DataOption = None,
    checkpoint: CheckpointOption = None,
    weights: WeightsOption = None,
    precision: Compute = PrecisionName.float32,
    asserted: Asserted = [],  # noqa: B006
    json: JsonOption = False,
    root: Root = Path("runs"),
) -> ExitStatus:
    """Evaluate a run: accuracy, and metrics per class."""
    from imgcls.commands.evaluate import evaluate as command
    from imgcls.evaluation.assertions import Assertion

    assertions = [Assertion.parse(each) for each in asserted]
    if split is not None and data is not None:
        raise UsageError("--split selects a split of the run's dataset; it excludes --data")
    found = command(
        run,
        console.report,
        split=split.value if split else None,
        data=data,
        checkpoint=checkpoint.value if checkpoint else None,
        weights=weights.value if weights else None,
        precision=precision.value,
        assertions=assertions,
        root=root,
    )
    outcomes = [each.outcome(found) for each in assertions]
    console.evaluation(found, outcomes, json=json)
    if not all(each.holds for each in outcomes):
        return ExitStatus.of(MissedError, Path(found.run))
    return ExitStatus(run=Path(found.run))
