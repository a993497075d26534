"""Runs that were begun, and ended before anything else."""

from pathlib import Path

from imgcls.runs import folders


def create(root: Path, name: str, config: bytes = b"") -> folders.Run:
    """Returns a new run that nobody holds any more."""
    with folders.created(root, name, config) as run:
        return run
