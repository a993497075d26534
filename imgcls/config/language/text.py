"""Reads YAML into mappings, lists and untyped scalars, each with its place.

Only the subset of YAML that a config needs is allowed: no tags, anchors, aliases, merge keys or
duplicate keys, and limited depth and size. For what PyYAML's own constructors do with hostile text,
see https://github.com/yaml/pyyaml/issues/41 and /235.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn, cast

import yaml

from imgcls.config.language.messages import short
from imgcls.config.language.registry import Loc, Scalar, dotted
from imgcls.errors import ConfigError, Mistake


@dataclass(frozen=True)
class Limits:
    """The limits of a text.

    Attributes:
        bytes: size of the file.
        values: number of mappings, lists, scalars and keys.
        levels: depth of nesting; a config with nested layers has about ten.
    """

    bytes: int = 1 << 20
    values: int = 10_000
    levels: int = 32


WRITTEN_BY_HAND = Limits()
RESOLVED = Limits(64 << 20, 1_000_000, 128)
"""The limits of a run's resolved config, which has every field of every layer."""

_NULLS = {"", "~", "null", "Null", "NULL"}
LONGEST_KEY = 1024  # YAML's own limit for keys that are not introduced by `?`
_BREAK = re.compile("\r\n|[\r\n\x85\u2028\u2029]")
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, order=True)
class Mark:
    """A place. Lines and columns count from 1; 0 means the source as a whole."""

    source: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.source}:{self.line}:{self.column}" if self.line else self.source


@dataclass
class Text:
    """A YAML document: its value, and the place of each key and value.

    Attributes:
        value: mappings, lists, Scalars and None.
        keys: the place of each key.
        values: the place of each value; () is the document.
        mistakes: constructs that a config may not use, but that do not stop the reading.
    """

    value: Any
    keys: dict[Loc, Mark] = field(default_factory=dict)
    values: dict[Loc, Mark] = field(default_factory=dict)
    mistakes: list[tuple[Mark, Loc, str]] = field(default_factory=list)

    def place(self, loc: Loc, *, key: bool) -> Mark | None:
        """Returns the place of a location, or of its deepest part that is in the text."""
        for end in range(len(loc), -1, -1):
            mark = (self.keys if key or end < len(loc) else self.values).get(loc[:end])
            mark = mark or self.values.get(loc[:end])
            if mark:
                return mark
        return None


def read(text: str, source: str, folder: Path, limits: Limits = WRITTEN_BY_HAND) -> Text:
    """Returns the document in a text.

    Args:
        text: YAML.
        source: the name of the text in places.
        folder: the folder that relative paths are resolved against.
        limits: the limits of the text.

    Raises:
        ConfigError: if the text is not valid YAML, or cannot be a config.
    """
    try:
        return _Reading(_events(text), source, folder, limits).document()
    except yaml.MarkedYAMLError as error:
        raise ConfigError(
            Mistake(str(_place(source, error)), "", _yaml_message(error, text))
        ) from None
    except yaml.reader.ReaderError as error:
        character = text[error.position]
        message = f"character {character!r} is not allowed in YAML"
        *before, last = _BREAK.split(text[: error.position])
        place = Mark(source, len(before) + 1, len(last) + 1)
        raise ConfigError(Mistake(str(place), "", message)) from None


def _events(text: str) -> Iterator[yaml.Event]:
    """Yields PyYAML's events of a text; every error has a place."""
    loader = yaml.SafeLoader(text)
    try:
        while loader.check_event():
            yield loader.get_event()  # type: ignore[no-untyped-call]
    except (ValueError, OverflowError) as error:
        # For example `"\U00110000"`, or a %YAML version of 5,000 digits.
        raise yaml.MarkedYAMLError(problem=str(error), problem_mark=loader.get_mark()) from None
    finally:
        loader.dispose()


def is_key(text: str) -> bool:
    r"""Whether a text is short and has no surrogates, which `"\ud800"` and invalid bytes give."""
    return len(text) <= LONGEST_KEY and not _SURROGATE.search(text)


def _place(source: str, error: yaml.MarkedYAMLError) -> Mark:
    mark = error.problem_mark or error.context_mark
    return Mark(source, mark.line + 1, mark.column + 1) if mark else Mark(source)


def _yaml_message(error: yaml.MarkedYAMLError, text: str) -> str:
    mark = error.problem_mark
    line = text.splitlines()[mark.line : mark.line + 1] if mark else []
    if line and "\t" in line[0][: len(line[0]) - len(line[0].lstrip())]:
        return "line is indented with a tab; use spaces"
    context = f" ({error.context})" if error.context else ""
    return f"invalid YAML: {error.problem}{context}"


class _Reading:
    """Builds the value of one document from its events.

    `yaml.compose` does not serve: its nodes have lost the anchors and tags that must be reported,
    and it recurses without bound. The recursion here is bounded by `Limits.levels`.
    """

    def __init__(
        self, events: Iterator[yaml.Event], source: str, folder: Path, limits: Limits
    ) -> None:
        self.events = events
        self.source = source
        self.folder = folder
        self.limits = limits
        self.text = Text(None)
        self.nodes = 0

    def document(self) -> Text:
        """Returns the document, once all events have been read."""
        documents = 0
        for event in self.events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    self.reject(event, (), "a second document starts here; a config has one")
            elif isinstance(event, yaml.NodeEvent):
                self.text.value = self.value(event, ())
        return self.text

    def value(self, event: yaml.NodeEvent, loc: Loc) -> Any:  # noqa: ANN401
        """Returns the value that starts with an event; reads the events of a collection."""
        self.check(event, loc)
        self.text.values.setdefault(loc, self.mark(event))
        if isinstance(event, yaml.AliasEvent):
            return None
        if isinstance(event, yaml.ScalarEvent):
            if event.style is None and event.value in _NULLS:
                return None
            return Scalar(event.value, quoted=event.style is not None, folder=self.folder)
        if len(loc) >= self.limits.levels:
            self.reject(event, loc, f"nested more than {self.limits.levels} levels deep")
        if isinstance(event, yaml.SequenceStartEvent):
            return [self.value(item, (*loc, at)) for at, item in enumerate(self.items())]
        mapping: dict[str, Any] = {}
        for item in self.items():
            key = self.key(item, mapping, loc)
            # After a key, PyYAML always emits the value, if only an empty scalar.
            mapping[key] = self.value(cast("yaml.NodeEvent", next(self.events)), (*loc, key))
        return mapping

    def items(self) -> Iterator[yaml.NodeEvent]:
        """Yields the events of the current collection up to its end."""
        for event in self.events:
            if isinstance(event, yaml.CollectionEndEvent):
                return
            yield cast("yaml.NodeEvent", event)

    def key(self, event: yaml.NodeEvent, mapping: dict[str, Any], outer: Loc) -> str:
        """Returns the key that an event of a mapping is."""
        self.check(event, outer)
        if not isinstance(event, yaml.ScalarEvent) or not is_key(event.value):
            self.reject(event, outer, f"a key must be text of at most {LONGEST_KEY:,} characters")
        name = str(event.value)
        loc = (*outer, name)
        if name == "<<" and event.style is None:
            self.note(event, outer, "merge keys (<<) are not allowed; write the keys out")
        if name in mapping:
            self.note(event, loc, f"duplicate key; first used in line {self.text.keys[loc].line}")
        self.text.keys.setdefault(loc, self.mark(event))
        return name

    def check(self, event: yaml.NodeEvent, loc: Loc) -> None:
        """Counts a key or value, and notes what a config may not use."""
        self.nodes += 1
        if self.nodes > self.limits.values:
            self.reject(event, (), f"more than {self.limits.values:,} values")
        if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
            sign = "*" if isinstance(event, yaml.AliasEvent) else "&"
            message = f"anchors and aliases ({sign}{short(str(event.anchor))}) are not allowed"
            self.note(event, loc, message)
        tag = getattr(event, "tag", None)
        if tag is not None:
            self.note(event, loc, f"tags ({short(tag)}) are not allowed; write plain text")

    def mark(self, event: yaml.Event) -> Mark:
        mark = event.start_mark
        return Mark(self.source, mark.line + 1, mark.column + 1) if mark else Mark(self.source)

    def note(self, event: yaml.Event, loc: Loc, message: str) -> None:
        self.text.mistakes.append((self.mark(event), loc, message))

    def reject(self, event: yaml.Event, loc: Loc, message: str) -> NoReturn:
        raise ConfigError(Mistake(str(self.mark(event)), dotted(loc), message))
