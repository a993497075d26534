"""`imgcls predict`."""

from pathlib import Path
from typing import Annotated

import typer

from imgcls.cli.options import CheckpointOption, Compute, PrecisionName, Root, WeightsOption
from imgcls.cli.output import console
from imgcls.console import ExitStatus
from imgcls.errors import PartialError, UsageError

Images = Annotated[
    list[str],
    typer.Argument(
        metavar="IMAGE", help="Image files, folders or glob patterns; - reads one image from stdin."
    ),
]
Listed = Annotated[
    Path | None,
    typer.Option(
        "--from-file",
        metavar="LIST",
        help="Read image names from a file, one per line; - reads stdin.",
    ),
]
Null = Annotated[
    bool,
    typer.Option(
        "-0", "--null", help="The names in LIST end with NUL bytes, as from find -print0."
    ),
]
RunOption = Annotated[
    Path | None,
    typer.Option(
        "--run",
        metavar="RUN",
        help="Run folder. By default the latest run that has a checkpoint.",
    ),
]
TopK = Annotated[
    int,
    typer.Option(
        "--top-k", metavar="K", min=1, help="Number of classes to report per image, at least 1."
    ),
]
JsonLinesOption = Annotated[bool, typer.Option("--json", help="Write one JSON object per image.")]
CsvOption = Annotated[bool, typer.Option("--csv", help="Write CSV with a header row.")]


def predict(  # noqa: PLR0913, PLR0917  # each is an option
    images: Images = [],  # noqa: B006
    listed: Listed = None,
    null: Null = False,
    run: RunOption = None,
    top_k: TopK = 1,
    json: JsonLinesOption = False,
    csv: CsvOption = False,
    checkpoint: CheckpointOption = None,
    weights: WeightsOption = None,
    precision: Compute = PrecisionName.float32,
    root: Root = Path("runs"),
) -> ExitStatus:
    """Predict the class of each image."""
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
        weights=weights.value if weights else None,
        precision=precision.value,
        root=root,
    )
    top_k = min(top_k, found.classes)
    if console.predictions(found.each, json=json, csv=csv, top_k=top_k):
        return ExitStatus.of(PartialError, found.run)
    return ExitStatus(run=found.run)
