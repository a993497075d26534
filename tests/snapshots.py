"""Snapshots: texts that users see, each in a file of `tests/snapshots/`.

A test asserts that a text equals the stored one; `pytest --renew-snapshots` stores the new text
instead, and `git diff` shows what has changed for users.
"""

from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path

import pytest

OPTION = "--renew-snapshots"
FOLDER = Path(__file__).parent / "snapshots"


@dataclass(frozen=True)
class Snapshots:
    """The snapshots of one test module.

    Attributes:
        folder: holds the module's snapshots.
        test: the pytest argument that renews them.
        renew: whether to store texts instead of comparing them.
    """

    folder: Path
    test: str
    renew: bool = False

    def __call__(self, name: str, text: str) -> None:
        """Asserts that a text equals the stored one, including spaces and line breaks."""
        path = self.folder / f"{name}.txt"
        if self.renew:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode())
            return
        stored = path.read_bytes().decode() if path.exists() else ""
        if text != stored:
            before, now = stored.splitlines(keepends=True), text.splitlines(keepends=True)
            lines = unified_diff(before, now, "stored", "now")
            shown = "\n".join(repr(line)[1:-1] for line in lines)
            pytest.fail(
                f"{name} is not what is stored:\n\n{shown}\n\n"
                f"If the new text is right: pytest {OPTION} {self.test}",
                pytrace=False,
            )
