"""The user's cache folder: its location, and the space that decoded images may use in it.

The cache contains no unique data: removing it costs only time.
"""

import os
from pathlib import Path

from imgcls.errors import UsageError

GIBIBYTES = 20.0
"""Space for decoded images in the cache, unless IMGCLS_CACHE sets another; 0 disables caching."""


def folder() -> Path:
    """Returns the cache folder of imgcls, a relative path if there is no home folder."""
    # https://specifications.freedesktop.org/basedir: relative paths must be ignored.
    own = os.environ.get("XDG_CACHE_HOME", "")
    return expanded(own if Path(own).is_absolute() else "~/.cache") / "imgcls"


def expanded(text: str) -> Path:
    """Returns a path with `~` expanded to the user's home folder."""
    return Path(os.path.expanduser(text))  # noqa: PTH111 - Path.expanduser raises if there is no home


def allowed_bytes() -> float:
    """Returns the maximum total size of decoded images in the cache; 0 disables caching.

    Raises:
        UsageError: if IMGCLS_CACHE is not a number of at least 0.
    """
    text = os.environ.get("IMGCLS_CACHE", "").strip()
    try:
        gibibytes = float(text or GIBIBYTES)
    except ValueError:
        gibibytes = -1.0
    if not gibibytes >= 0:  # rejects nan, too
        raise UsageError(
            f"IMGCLS_CACHE must be how many GiB decoded images may take, 0 for none, got {text!r}"
        )
    return gibibytes * 2**30
