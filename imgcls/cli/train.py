"""`imgcls train`."""

from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from imgcls.cli.options import Offline, OptionalConfig, Overrides, Root
from imgcls.cli.output import console
from imgcls.console import ExitStatus
from imgcls.console.views.trained import resume as resume_command

Resume = Annotated[
    str | None,
    typer.Option(
        "--resume",
        metavar="RUN|auto",
        help="Resume a run exactly where it stopped. With CONFIG, auto resumes the newest "
        "unfinished run of that config, or starts a new one.",
    ),
]
Extend = Annotated[
    int | None,
    typer.Option(
        "--extend", metavar="N", min=1, help="Train N more epochs; only with --resume RUN."
    ),
]


def train(
    config: OptionalConfig = None,
    overrides: Overrides = [],  # noqa: B006  # Typer's own way of saying it
    resume: Resume = None,
    extend: Extend = None,
    root: Root = Path("runs"),
    offline: Offline = False,
) -> ExitStatus:
    """Train a new run of a config, or resume a stopped run."""
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
    with suppress(BrokenPipeError):  # the run is the result; a reader that left does not undo it
        console.trained(trained)
    if trained.signal is not None:
        return ExitStatus.by(trained.signal, trained.run, resume_command(trained.run))
    return ExitStatus(run=trained.run)
