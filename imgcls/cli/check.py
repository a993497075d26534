"""`imgcls check`."""

from imgcls.cli.options import Config, Offline, Overrides
from imgcls.cli.output import console
from imgcls.console import ExitStatus


def check(config: Config, overrides: Overrides = [], offline: Offline = False) -> ExitStatus:  # noqa: B006
    """Check a config, its data and its network before training."""
    from imgcls.commands.check import check as command

    console.check(command(config, console.report, overrides=overrides, offline=offline))
    return ExitStatus()
