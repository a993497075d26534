"""`imgcls schema`."""

import json

from imgcls.cli.output import console
from imgcls.console import ExitStatus


def schema() -> ExitStatus:
    """Write the JSON Schema of configs, for editors."""
    from imgcls.commands.schema import schema as command

    console.result(json.dumps(command(), indent=2))
    return ExitStatus()
