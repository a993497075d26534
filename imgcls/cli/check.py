"""`imgcls check`."""

from imgcls.cli.options import ConfigArgument, Offline, Overrides
from imgcls.cli.output import console
from imgcls.console import ExitStatus


def check(
    config: ConfigArgument,
    overrides: Overrides = [],  # noqa: B006  # Typer's own way of saying it
    offline: Offline = False,
) -> ExitStatus:
    """Check a config, its data and its network before training."""
    from imgcls.commands.check import check as command

    console.check(command(config, console.report, overrides=overrides, offline=offline))
    return ExitStatus()
