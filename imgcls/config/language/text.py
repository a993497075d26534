"""YAML text into plain mappings, lists and scalars, each with its place; nothing is typed here.

PyYAML's event stream is read without recursion, and only the part of YAML that a config needs is
let in: no tags, anchors, aliases or merge keys, no duplicate keys, limits on depth and size. What
PyYAML's own constructors do with such text is in https://github.com/yaml/pyyaml/issues/41, /235.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import yaml

from imgcls.config.language.messages import short
from imgcls.config.language.registry import Loc, Scalar, dotted
from imgcls.errors import ConfigError, Mistake


@dataclass(frozen=True)
class Limits:
    """What a text may have at most.

    Attributes:
        bytes: of the file.
        values: mappings, lists, scalars and keys.
        levels: that they are nested; a config with nested layers has about ten.
    """

    bytes: int = 1 << 20
    values: int = 10_000
    levels: int = 32


WRITTEN_BY_HAND = Limits()
RESOLVED = Limits(64 << 20, 1_000_000, 128)
"""Of a run's own config, which has every field of every layer."""

_NULLS = {"", "~", "null", "Null", "NULL"}
LONGEST_KEY = 1024  # YAML's own limit of keys without a question mark before them
_BREAK = re.compile("\r\n|[\r\n\x85\u2028\u2029]")
_HALF = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, order=True)
class Mark:
    """A place: line and column count from 1; 0 and 0 mean the source as a whole."""

    source: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.source}:{self.line}:{self.column}" if self.line else self.source


@dataclass
class Text:
    """A YAML document: its plain value, and where each key and each value stands.

    Attributes:
        value: mappings, lists, Scalars and None.
        keys: where each key stands.
        values: where each value stands; () is the document.
        mistakes: what a config may not use, though it can be read past.
    """

    value: Any
    keys: dict[Loc, Mark] = field(default_factory=dict)
    values: dict[Loc, Mark] = field(default_factory=dict)
    mistakes: list[tuple[Mark, Loc, str]] = field(default_factory=list)

    def place(self, loc: Loc, *, key: bool) -> Mark | None:
        """Returns where a location stands: the deepest part of it that is written down."""
        for end in range(len(loc), -1, -1):
            mark = (self.keys if key or end < len(loc) else self.values).get(loc[:end])
            mark = mark or self.values.get(loc[:end])
            if mark:
                return mark
        return None


def read(text: str, source: str, folder: Path, limits: Limits = WRITTEN_BY_HAND) -> Text:
    """Returns the one document that a text holds.

    Args:
        text: YAML.
        source: what the places call it.
        folder: what relative paths in it are relative to.
        limits: what it may have at most.

    Raises:
        ConfigError: if it is no YAML, or YAML that a config may not use.
    """
    try:
        return _Reading(source, folder, limits).document(_events(text))
    except yaml.MarkedYAMLError as error:
        raise ConfigError(
            Mistake(str(_place(source, error)), "", _yaml_words(error, text))
        ) from None
    except yaml.reader.ReaderError as error:
        character = text[error.position]
        message = f"holds the character {character!r}, which YAML does not allow"
        *before, last = _BREAK.split(text[: error.position])
        place = Mark(source, len(before) + 1, len(last) + 1)
        raise ConfigError(Mistake(str(place), "", message)) from None


def _events(text: str) -> Iterator[yaml.Event]:
    """Yields what PyYAML makes of a text, and gives each of its errors a place."""
    loader = yaml.SafeLoader(text)
    try:
        while loader.check_event():
            yield loader.get_event()  # type: ignore[no-untyped-call]
    except (ValueError, OverflowError) as error:
        # `"\U00110000"` is no character, and a version of 5,000 digits no number.
        raise yaml.MarkedYAMLError(problem=str(error), problem_mark=loader.get_mark()) from None
    finally:
        loader.dispose()


def is_key(text: str) -> bool:
    r"""Whether it is short, and has no half of a character, as `"\ud800"` and odd bytes give it."""
    return len(text) <= LONGEST_KEY and not _HALF.search(text)


def _place(source: str, error: yaml.MarkedYAMLError) -> Mark:
    mark = error.problem_mark or error.context_mark
    return Mark(source, mark.line + 1, mark.column + 1) if mark else Mark(source)


def _yaml_words(error: yaml.MarkedYAMLError, text: str) -> str:
    mark = error.problem_mark
    line = text.splitlines()[mark.line : mark.line + 1] if mark else []
    if line and "\t" in line[0][: len(line[0]) - len(line[0].lstrip())]:
        return "a tab indents this line; use spaces"
    context = f" ({error.context})" if error.context else ""
    return f"is no YAML: {error.problem}{context}"


@dataclass
class _Open:
    """A mapping or a list whose end has not come, and the key that waits for its value."""

    value: Any
    loc: Loc
    key: str | None = None


class _Reading:
    """Builds the value of one document from its events."""

    def __init__(self, source: str, folder: Path, limits: Limits) -> None:
        self.source = source
        self.limits = limits
        self.folder = folder
        self.text = Text(None)
        self.nodes = 0
        self.open: list[_Open] = []  # outermost first

    def document(self, events: Iterator[yaml.Event]) -> Text:
        """Returns the document, whose events are all looked at."""
        documents = 0
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    self.refuse(event, (), "a second document begins; a config is one")
            elif isinstance(event, yaml.CollectionEndEvent):
                self.open.pop()
            elif isinstance(event, yaml.NodeEvent):
                self.take(event)
        return self.text

    def take(self, event: yaml.NodeEvent) -> None:
        """Puts a key or a value where it belongs."""
        inner = self.open[-1] if self.open else None
        if inner is not None and isinstance(inner.value, dict) and inner.key is None:
            inner.key = self.key(event, inner.value, inner.loc)
            return
        loc: Loc = ()
        if inner is not None:
            loc = (*inner.loc, len(inner.value) if inner.key is None else inner.key)
        value = self.node(event, loc)
        if inner is None:
            self.text.value = value
        elif inner.key is None:
            inner.value.append(value)
        else:
            inner.value[inner.key] = value
            inner.key = None
        if isinstance(value, dict | list):
            self.open.append(_Open(value, loc))
            if len(self.open) > self.limits.levels:
                most = self.limits.levels
                self.refuse(event, loc, f"is nested more than {most} levels deep")

    def key(self, event: yaml.NodeEvent, mapping: dict[str, Any], outer: Loc) -> str:
        self.node(event, outer)
        if not isinstance(event, yaml.ScalarEvent) or not is_key(event.value):
            self.refuse(event, outer, f"a key must be text of at most {LONGEST_KEY:,} characters")
        name = event.value
        loc = (*outer, name)
        if name == "<<" and event.style is None:
            self.note(event, outer, "merge keys (<<) are not allowed; write the keys out")
        if name in mapping:
            first = self.text.keys[loc]
            self.note(event, loc, f"duplicate key; the first is in line {first.line}")
        self.text.keys.setdefault(loc, self.mark(event))
        return str(name)

    def node(self, event: yaml.NodeEvent, loc: Loc) -> Any:  # noqa: ANN401
        self.nodes += 1
        if self.nodes > self.limits.values:
            self.refuse(event, (), f"holds more than {self.limits.values:,} values")
        if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
            sign = "*" if isinstance(event, yaml.AliasEvent) else "&"
            message = f"anchors and aliases ({sign}{short(str(event.anchor))}) are not allowed"
            self.note(event, loc, message)
            if sign == "*":
                return None
        tag = getattr(event, "tag", None)
        if tag is not None:
            self.note(event, loc, f"tags ({short(tag)}) are not allowed; write plain text")
        self.text.values.setdefault(loc, self.mark(event))
        if isinstance(event, yaml.MappingStartEvent):
            return {}
        if isinstance(event, yaml.SequenceStartEvent):
            return []
        assert isinstance(event, yaml.ScalarEvent), "there is no fourth kind of node"
        if event.style is None and event.value in _NULLS:
            return None
        return Scalar(event.value, quoted=event.style is not None, folder=self.folder)

    def mark(self, event: yaml.Event) -> Mark:
        mark = event.start_mark
        return Mark(self.source, mark.line + 1, mark.column + 1) if mark else Mark(self.source)

    def note(self, event: yaml.Event, loc: Loc, message: str) -> None:
        self.text.mistakes.append((self.mark(event), loc, message))

    def refuse(self, event: yaml.Event, loc: Loc, message: str) -> NoReturn:
        raise ConfigError(Mistake(str(self.mark(event)), dotted(loc), message))
