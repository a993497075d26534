"""A manifest: what a folder should hold, byte for byte, in a JSON file with a checksum of its own.

Its last line is the SHA-256 of all that stands before it, so that no byte of it can change unseen.
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
    """Returns the text of a manifest, sealed."""
    return _seal(json.dumps(dict(content), indent=1).encode().removesuffix(b"\n}") + b",\n")


def _seal(text: bytes) -> bytes:
    """Returns the text with its own digest as the last line; so it is still valid JSON."""
    return text + f'"sha256": "{hashlib.sha256(text).hexdigest()}"}}\n'.encode()


def read(path: Path) -> dict[str, Any]:
    """Returns the content of a manifest whose seal is right.

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
    """Returns, with the open file at its start, if it is what the entry says.

    Raises:
        RunError: that `path` `what` ("is damaged") and in which way.
    """
    check_size(path, file, expected, what)
    with files.reading(path):
        if hashlib.file_digest(file, "sha256").hexdigest() != expected["sha256"]:
            raise RunError(f"{path} {what}: its SHA-256 is another")
        file.seek(0)


def check_size(path: Path, file: BufferedReader, expected: Mapping[str, Any], what: str) -> None:
    """Returns if the file has as many bytes as the entry says.

    Raises:
        RunError: that `path` `what` ("is damaged") and in which way.
    """
    with files.reading(path):
        size = os.fstat(file.fileno()).st_size
    if size != expected["bytes"]:
        raise RunError(f"{path} {what}: it has {size:,} bytes instead of {expected['bytes']:,}")


def are_entries(section: object) -> bool:
    """Whether these are records of files by plain names, which lead out of no folder."""
    return isinstance(section, dict) and all(
        Path(name).name == name
        and isinstance(each, dict)
        and type(each.get("bytes")) is int
        and isinstance(each.get("sha256"), str)
        for name, each in section.items()
    )
