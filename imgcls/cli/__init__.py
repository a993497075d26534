"""Arguments, help and exit codes: one module per command."""
