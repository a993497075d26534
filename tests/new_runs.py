"""Runs that were created, and ended before anything else."""

from pathlib import Path

from imgcls.runs import folders


def create(root: Path, name: str, config: bytes = b"") -> folders.Run:
    """Returns a new run that no process holds."""
    with folders.created(root, name, config) as run:
        return run
