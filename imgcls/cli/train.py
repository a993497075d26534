"""`imgcls train`."""

from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from imgcls.cli.options import Offline, Overrides, Root
from imgcls.cli.output import console
from imgcls.console import ExitStatus, messages


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
