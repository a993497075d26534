"""A manifest: the size and SHA-256 of each file in a folder, as JSON with its own checksum.

Its last line is the SHA-256 of all text before it, so that any change is detected.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from io import BufferedReader
from pathlib import Path
from typing import Any

from imgcls import files
from imgcls.errors import RunError

_LARGEST = 16 * 2**20  # 100,000 arrays


def to_bytes(content: Mapping[str, Any]) -> bytes:
    """Returns the text of a manifest, with its checksum."""
    return _seal(json.dumps(dict(content), indent=1).encode().removesuffix(b"\n}") + b",\n")


def _seal(text: bytes) -> bytes:
    """Returns the text with its own digest as the last line; the result is valid JSON."""
    return text + f'"sha256": "{hashlib.sha256(text).hexdigest()}"}}\n'.encode()


def read(path: Path) -> dict[str, Any]:
    """Returns the content of a manifest, after verifying its checksum.

    Raises:
        RunError: if it is missing or damaged.
    """
    data = files.read_bounded(path, _LARGEST)
    text = data[: data.rfind(b"\n", 0, -1) + 1]
    if data != _seal(text):
        raise RunError(f"{path} is damaged: its SHA-256 is another")
    content = files.from_json(path, data)
    if not isinstance(content, dict):
        raise RunError(f"{path} is no manifest")
    return content


def entry(path: Path) -> dict[str, Any]:
    """Returns the size and the SHA-256 of a file.

    Raises:
        RunError: if it is missing or cannot be read.
    """
    with files.open_regular(path) as file, files.reading(path):
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return {"bytes": os.fstat(file.fileno()).st_size, "sha256": digest}


def check(path: Path, file: BufferedReader, expected: Mapping[str, Any], what: str) -> None:
    """Checks that a file matches its entry, and rewinds it.

    Args:
        path: the path, for the message.
        file: the open file, at its start.
        expected: the entry.
        what: what a difference means, for the message, such as "is damaged".

    Raises:
        RunError: if it does not match, saying how it differs.
    """
    check_size(path, file, expected, what)
    with files.reading(path):
        if hashlib.file_digest(file, "sha256").hexdigest() != expected["sha256"]:
            raise RunError(f"{path} {what}: its SHA-256 is another")
        file.seek(0)


def check_size(path: Path, file: BufferedReader, expected: Mapping[str, Any], what: str) -> None:
    """Checks that a file has the size in its entry; the arguments are those of `check`.

    Raises:
        RunError: if it has another size.
    """
    with files.reading(path):
        size = os.fstat(file.fileno()).st_size
    if size != expected["bytes"]:
        raise RunError(f"{path} {what}: it has {size:,} bytes instead of {expected['bytes']:,}")


def are_entries(section: object) -> bool:
    """Whether these are entries of files by plain names, which cannot lead out of the folder."""
    return isinstance(section, dict) and all(
        Path(name).name == name
        and isinstance(each, dict)
        and type(each.get("bytes")) is int
        and isinstance(each.get("sha256"), str)
        for name, each in section.items()
    )
