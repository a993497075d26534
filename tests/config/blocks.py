"""Configs as lines of YAML, one key per line, so that tests know the place of each change."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Line:
    """A line of YAML in block style.

    Attributes:
        indent: the number of leading spaces.
        key: its key, or None if it begins a list item.
        value: what follows the key, as YAML; empty if the value is on the lines below.
        loc: its location in the config.
    """

    indent: int
    key: str | None
    value: str
    loc: tuple[int | str, ...]

    def __str__(self) -> str:
        head = "-" if self.key is None else f"{self.key}:"
        return " " * self.indent + f"{head} {self.value}".rstrip()


def lines_of(value: Any, indent: int = 0, loc: tuple[int | str, ...] = ()) -> Iterator[Line]:
    """Yields the lines of a mapping or a list whose leaves are already YAML."""
    keyed = isinstance(value, dict)
    for key, inner in value.items() if keyed else enumerate(value):
        below = isinstance(inner, dict | list) and inner
        leaf = "" if below else inner if isinstance(inner, str) else "[]" if inner == [] else "{}"
        yield Line(indent, str(key) if keyed else None, leaf, (*loc, key))
        if below:
            yield from lines_of(inner, indent + 2, (*loc, key))


def text_of(lines: list[Line]) -> str:
    """Returns the lines as YAML text."""
    return "".join(f"{line}\n" for line in lines)


def block(lines: list[Line], at: int) -> int:
    """Returns the end of a line's block: the index of the first line after it."""
    end = at + 1
    while end < len(lines) and lines[end].indent > lines[at].indent:
        end += 1
    return end


def leaves_as_yaml(value: Any) -> Any:
    """Returns a loaded value with its leaves written as YAML scalars."""
    if isinstance(value, dict):
        return {key: leaves_as_yaml(each) for key, each in value.items()}
    if isinstance(value, list):
        return [leaves_as_yaml(each) for each in value]
    return value if re.fullmatch(r"[\w./+-]+", value) else f"'{value}'"


def originals() -> list[list[Line]]:
    """Returns the shipped configs, each as a list of lines."""
    files = sorted((ROOT / "configs").glob("*.yaml"))
    read = [yaml.load(file.read_bytes(), yaml.BaseLoader) for file in files]
    return [list(lines_of(leaves_as_yaml(each))) for each in read]
