"""The options that several commands share."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class SplitChoice(StrEnum):
    """A split of a run's own dataset."""

    train = "train"
    validation = "validation"
    test = "test"


class CheckpointName(StrEnum):
    """A checkpoint of a run."""

    best = "best"
    last = "last"


class WeightsName(StrEnum):
    """The weights of a checkpoint."""

    raw = "raw"
    averaged = "averaged"


class PrecisionName(StrEnum):
    """A floating-point type for inference."""

    float32 = "float32"
    bfloat16 = "bfloat16"


_CONFIG = typer.Argument(metavar="CONFIG", help="YAML file; - reads stdin.")
ConfigArgument = Annotated[Path, _CONFIG]
OptionalConfig = Annotated[Path | None, _CONFIG]
Overrides = Annotated[
    list[str],
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Override a config key, for example training.epochs=2. Repeatable.",
    ),
]
Offline = Annotated[
    bool,
    typer.Option("--offline", help="Never download a dataset; the same as IMGCLS_OFFLINE=1."),
]
Root = Annotated[Path, typer.Option("--runs", metavar="FOLDER", help="Folder of the runs.")]
CheckpointOption = Annotated[
    CheckpointName | None,
    typer.Option(
        "--checkpoint",
        metavar="best|last",
        help="Checkpoint to load, of the best epoch or the last one. By default the best, or the "
        "newest intact one if the best is damaged.",
    ),
]
WeightsOption = Annotated[
    WeightsName | None,
    typer.Option(
        "--weights",
        metavar="raw|averaged",
        help="Weights to use. By default the averaged ones, if the run has an average.",
    ),
]
Compute = Annotated[
    PrecisionName,
    typer.Option(
        "--precision", metavar="float32|bfloat16", help="Floating-point type for inference."
    ),
]
