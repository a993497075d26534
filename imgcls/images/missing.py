"""What was meant by the name of a file that does not exist."""

import os
import re
from pathlib import Path

from imgcls.images.find import EXTENSIONS
from imgcls.images.pictures import shown


def missing_file(path: Path, written: str) -> str | None:
    """Returns why a file cannot be used and what was probably meant; None if it exists.

    Args:
        path: the file.
        written: its name as the user wrote it, for the message.
    """
    try:
        if path.exists():
            return None
    except OSError as error:  # a name that is too long, a folder without permission
        return f"{written}: {(error.strerror or str(error)).lower()}"
    return f"{written}: no such file{_advice(path, written)}"


def _advice(path: Path, written: str) -> str:
    if re.match(r"[a-zA-Z][a-zA-Z0-9+.-]*://", written):
        return "; URLs are not downloaded: download the images, and write their paths"
    slashes = Path(os.path.normpath(path.parent / written.replace("\\", "/")))
    if "\\" in written and _exists(slashes):
        return "; write / in place of \\"
    if re.search(r"\$\w|\$\{|%\w+%", written) or written.startswith("~"):
        return "; variables and ~ are not expanded"
    for ending in sorted(EXTENSIONS):
        for each in (ending, ending.upper()):
            if _exists(path.with_name(path.name + each)):
                return f"; did you mean {written}{each}?"
    return _missing_folder(path)


def _missing_folder(path: Path) -> str:
    """Returns which part of the path is the first that does not exist."""
    folder = path.parent
    if _exists(folder):
        return ""
    while not _exists(folder.parent) and folder.parent != folder:
        folder = folder.parent
    return f"; there is no folder {shown(folder)}"


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:
        return False
