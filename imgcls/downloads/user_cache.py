"""The user's cache folder: where it is, and how much decoded images may take there.

Nothing in it is anybody's only copy: removing it costs time and nothing else.
"""

import os
from pathlib import Path

from imgcls.errors import UsageError

GIBIBYTES = 20.0
"""What decoded images may take, unless IMGCLS_CACHE says another number; 0 turns the cache off."""


def folder() -> Path:
    """Returns imgcls' cache; a relative path where there is no home folder."""
    # https://specifications.freedesktop.org/basedir: a relative folder is not to be used.
    own = os.environ.get("XDG_CACHE_HOME", "")
    return expanded(own if Path(own).is_absolute() else "~/.cache") / "imgcls"


def expanded(text: str) -> Path:
    """Returns a path whose `~` is the user's home."""
    return Path(os.path.expanduser(text))  # noqa: PTH111 - Path's own raises if there is no home


def allowed_bytes() -> float:
    """Returns what decoded images may take in all; 0 where there is to be no cache.

    Raises:
        UsageError: if IMGCLS_CACHE is no number.
    """
    text = os.environ.get("IMGCLS_CACHE", "").strip()
    try:
        gibibytes = float(text or GIBIBYTES)
    except ValueError:
        gibibytes = -1.0
    if not gibibytes >= 0:  # nor is it nan
        raise UsageError(
            f"IMGCLS_CACHE must be how many GiB decoded images may take, 0 for none, got {text!r}"
        )
    return gibibytes * 2**30
