"""Arguments, help and exit codes: one module per command."""

from imgcls.cli.app import main as main
