"""Reads a YAML file and `--set` overrides into a checked Config, or reports every mistake."""

import os
import stat
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from imgcls.config.config import Config
from imgcls.config.language import text as yaml_text
from imgcls.config.language.messages import short
from imgcls.config.language.registry import Loc, dotted, path
from imgcls.config.language.text import RESOLVED, WRITTEN_BY_HAND, Limits, Mark, Text
from imgcls.errors import ConfigError, Mistake, UsageError

MOST_MISTAKES = 100  # a file that is not a config could have thousands


class CheckedConfig:
    """A config that has passed every check, with the places of its keys.

    Attributes:
        config: the config.
        name: the name of the file without its suffix; runs are named after it.
    """

    def __init__(self, config: Config, name: str, text: Text) -> None:
        self.config = config
        self.name = name
        self._text = text

    def located(self, error: ConfigError) -> ConfigError:
        """Returns an error with the places of its keys, for one raised after the reading."""
        located = [
            mistake
            if mistake.place
            else Mistake(
                str(_place(self._text, path(mistake.key), "key")), mistake.key, mistake.message
            )
            for mistake in error.mistakes
        ]
        return ConfigError(*located, hint=error.hint)

    @contextmanager
    def locating(self) -> Iterator[None]:
        """Adds places to the ConfigErrors raised inside."""
        try:
            yield
        except ConfigError as error:
            raise self.located(error) from error


def read_own(
    file: Path, changed: Sequence[str] = (), overrides: Sequence[str] = ()
) -> CheckedConfig:
    """Returns the resolved config of a run, which was checked before it was written.

    Args:
        file: the YAML file.
        changed: earlier changes to the run, as overrides.
        overrides: `a.b=value` each, applied after them.

    Raises:
        ConfigError: if the file was damaged, or a change is invalid.
    """
    return read(file, overrides, changed=changed, limits=RESOLVED)


def read(
    file: Path,
    overrides: Sequence[str] = (),
    *,
    changed: Sequence[str] = (),
    limits: Limits = WRITTEN_BY_HAND,
) -> CheckedConfig:
    """Returns the checked config of a YAML file.

    Args:
        file: the YAML file, or `-` for standard input.
        overrides: `a.b=value` each; the value is YAML. Later ones win.
        changed: overrides from `changes.json`, applied first.
        limits: the limits of the file.

    Raises:
        ConfigError: with every mistake in it, in the order of the text.
        UsageError: if an override is not `key=value`.
    """
    named = str(file)
    folder = file.parent if named != "-" else Path()
    text = yaml_text.read(_contents(file, limits.bytes), named, folder, limits)
    if not isinstance(text.value, dict):
        what = "empty" if text.value is None else "expected keys with values"
        raise ConfigError(Mistake(named, "", f"{what}; a config needs dataset and layers"))
    for override in changed:
        _override(text, override, "changes.json")
    for number, override in enumerate(overrides, start=1):
        _override(text, override, f"--set #{number}")
    found = list(text.mistakes)
    try:
        config = Config.model_validate(text.value)
    except ValidationError as error:
        found += _found(error, text)
    if found:
        raise ConfigError(*_mistakes(found))
    return CheckedConfig(config, "stdin" if named == "-" else file.stem, text)


def _found(error: ValidationError, text: Text) -> list[tuple[Mark, Loc, str]]:
    reported = {mark for mark, _, _ in text.mistakes}
    return [
        (mark, details["loc"], details["msg"])
        for details in error.errors(include_url=False)
        if (mark := _place(text, details["loc"], details["type"])) not in reported
    ]


def _mistakes(found: list[tuple[Mark, Loc, str]]) -> list[Mistake]:
    """One mistake per place and key, in the order of the text."""
    placed: dict[tuple[Mark, Loc], Mistake] = {}
    for mark, loc, message in sorted(found, key=lambda each: each[0]):
        placed.setdefault((mark, loc), Mistake(str(mark), dotted(loc), message))
    ordered = list(placed.values())
    left = len(ordered) - MOST_MISTAKES
    if left > 0:
        ordered[MOST_MISTAKES:] = [Mistake("", "", f"... and {left} more")]
    return ordered


def _place(text: Text, loc: Loc, kind: str) -> Mark:
    mark = text.place(loc, key=kind == "key")
    assert mark is not None, "the document itself has a place"
    return mark


def _contents(file: Path, most: int) -> str:
    """The text of a file, which may turn out to be a pipe, a device or an image."""
    if str(file) == "-":
        if sys.stdin is None:
            raise _unreadable(file, "stdin is closed")
        contents = sys.stdin.buffer.read(most + 1)
    else:
        try:
            # Without O_NONBLOCK, opening a named pipe waits for a writer.
            descriptor = os.open(file, os.O_RDONLY | os.O_NONBLOCK)
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                os.close(descriptor)
                raise _unreadable(file, "not a regular file")
            with os.fdopen(descriptor, "rb") as stream:
                contents = stream.read(most + 1)
        except (OSError, ValueError) as error:
            raise _unreadable(file, getattr(error, "strerror", None) or str(error)) from None
    if len(contents) > most:
        raise _unreadable(file, f"larger than {most:,} bytes")
    try:
        return contents.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        message = f"not UTF-8 at byte {error.start}; save it as UTF-8"
        raise ConfigError(Mistake(str(file), "", message)) from None


def _unreadable(file: Path, why: str) -> ConfigError:
    hint = None
    if not os.path.lexists(file):
        others = [other.name for other in _configs(file.parent)]
        hint = f"{file.parent} has {', '.join(others)}" if others else None
    return ConfigError(Mistake(str(file), "", f"cannot be read: {why}"), hint=hint)


def _configs(folder: Path) -> list[Path]:
    try:
        return sorted(folder.glob("*.yaml"))[:20]
    except (OSError, ValueError):  # a folder whose name has a NUL
        return []


def _key_and_value(override: str, source: str) -> tuple[Loc, str]:
    key, equals, written = override.partition("=")
    loc = path(key.strip())
    if not equals or not loc or not yaml_text.is_key(key):
        given = short(override)
        raise UsageError(f"--set {given}: expected key=value, for example training.epochs=2")
    if len(loc) > WRITTEN_BY_HAND.levels:
        message = f"nested more than {WRITTEN_BY_HAND.levels} levels deep"
        raise ConfigError(Mistake(source, dotted(loc[:2]), message))
    return loc, written


def _override(text: Text, override: str, source: str) -> None:
    """Inserts the value of one `--set` into the text; it is checked with the rest of it."""
    loc, written = _key_and_value(override, source)
    value = yaml_text.read(written, source, Path.cwd())
    text.mistakes += [(mark, (*loc, *inner), message) for mark, inner, message in value.mistakes]
    parent: Any = text.value
    for depth, (part, below) in enumerate(zip(loc, (*loc[1:], None), strict=True)):
        here = loc[: depth + 1]
        if isinstance(parent, list):
            if not isinstance(part, int) or part >= len(parent):
                last = f"[0] to [{len(parent) - 1}]" if parent else "no entries"
                message = f"no such entry; {dotted(loc[:depth])} has {last}"
                raise ConfigError(Mistake(source, dotted(here), message))
        elif isinstance(part, int):
            raise ConfigError(Mistake(source, dotted(here), "not a list, so it has no such entry"))
        if below is None:
            break
        child = parent[part] if isinstance(parent, list) else parent.get(part)  # type: ignore[index]  # a number by now
        if not isinstance(child, dict | list):
            # `optimizer: adam` with --set optimizer.Adam.learning_rate=1e-4.
            child = {}
            text.keys[here] = text.values[here] = Mark(source)
            parent[part] = child
        parent = child
    parent[loc[-1]] = value.value
    for marks in (text.keys, text.values):
        for old in [old for old in marks if old[: len(loc)] == loc]:
            del marks[old]
        marks[loc] = Mark(source)
