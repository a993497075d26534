"""`imgcls predict`."""

from pathlib import Path
from typing import Annotated

import typer

from imgcls.cli.options import Checkpoint, Compute, Precision, Root
from imgcls.cli.output import console
from imgcls.console import ExitStatus
from imgcls.errors import PartialError, UsageError


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
        weights=checkpoint.value if checkpoint else None,
        precision=precision.value,
        root=root,
    )
    if console.predictions(found.each, json=json, csv=csv, top_k=top_k):
        return ExitStatus.of(PartialError, found.run)
    return ExitStatus(run=found.run)
