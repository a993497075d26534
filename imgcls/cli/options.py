"""The options that several commands share."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


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
