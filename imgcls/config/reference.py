"""The reference page of the config language, docs/config.md, made from its JSON Schema.

python -m imgcls.config.reference > docs/config.md
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, get_args

from imgcls.config.components import activations
from imgcls.config.components.datasets.dataset import KINDS, Dataset
from imgcls.config.config import Config
from imgcls.config.language.registry import Component, Section
from imgcls.config.schema import Schema, about, is_registry, json_schema, language

Rows = dict[str, str]  # of a table in Markdown, by key

_HEAD = """\
<!-- Made by `python -m imgcls.config.reference > docs/config.md` from the classes; not by hand. -->

# The config

A config is one YAML file with the keys of [Config](#config). Where a name is asked for (a layer, an
optimizer, a loss), write the name alone, as in `Flatten`, or the name with its fields, as in
`Dropout: {rate: 0.5}`. Keras' identifiers name the same things: `adam`, `he_normal`. Paths are
relative to the file that says them. `1e-3` is a number, and `no` and `010` are text wherever text
is wanted. A key that is not listed here is a mistake, and so is a key where it has no effect."""


def reference() -> str:
    """Returns the page in Markdown, one sentence a line."""
    schema = json_schema()
    definitions = {Config.__name__: schema, **schema["$defs"]}
    parts = [_sentences(_HEAD), "\n## Sections\n"]
    for section in language():
        if not issubclass(section, Component):
            parts += _entry(section.__name__, section, _rows(definitions[section.__name__]))
    for registry in language():
        if issubclass(registry, Component) and is_registry(registry):
            parts += _registry(registry, definitions)
    names = ", ".join(f"`{each}`" for each in _ACTIVATIONS)
    parts += [
        "\n## Activation functions\n\n",
        _sentences(activations.__doc__ or ""),
        f"\n{names}\n",
    ]
    return "".join(parts)


def _registry(registry: type[Component], definitions: Schema) -> Iterator[str]:
    """A family: what nearly all of it has, then each member with the rest."""
    yield f"\n## {registry.__name__}\n\n{_sentences(about(registry))}"
    if issubclass(registry, Dataset):
        yield f"\nExactly one of the keys {', '.join(f'`{kind}`' for kind in KINDS)} says which.\n"
    members = registry.named()
    rows = {name: _rows(definitions[member.__name__]) for name, member in members.items()}
    shared = _shared(list(rows.values()))
    if shared:
        yield "\nThey have these keys, except where a table below says otherwise.\n"
        yield _table(shared)
    for name, member in members.items():
        known = issubclass(member, Dataset) and member.kind() == "name"
        own = {key: row for key, row in rows[name].items() if shared.get(key) != row}
        yield from _entry(f"name: {name}" if known else name, member, own)


def _shared(members: Sequence[Rows]) -> Rows:
    """The rows of most members, of the keys that all of them have."""
    shared = {}
    for key in members[0]:
        row, times = Counter(each.get(key, "") for each in members).most_common(1)[0]
        if all(key in each for each in members) and times > len(members) / 2:
            shared[key] = row
    return shared


def _entry(name: str, section: type[Section], rows: Rows) -> Iterator[str]:
    yield f"\n### {name}\n\n{_sentences(about(section))}"
    yield _table(rows)


def _rows(schema: Schema) -> Rows:
    """The row of each key, those that must be given first."""
    required = schema.get("required", [])
    rows = {}
    for key in sorted(schema["properties"], key=lambda key: key not in required):
        field = schema["properties"][key]
        default = "required" if key in required else f"`{_yaml(field['default'])}`"
        cells = (f"`{key}`", _words(field), default, field["description"])
        rows[key] = "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"
    return rows


def _table(rows: Rows) -> str:
    head = "\n| key | value | default | meaning |\n|---|---|---|---|\n"
    return head + "".join(rows.values()) if rows else ""


def _sentences(text: str) -> str:
    """One sentence a line, paragraphs apart."""
    paragraphs = [" ".join(each.split()) for each in text.split("\n\n")]
    return "\n".join(re.sub(r"(?<=[.?!]) (?=[A-Z`])", "\n", each) + "\n" for each in paragraphs)


def _yaml(value: Any) -> str:  # noqa: ANN401
    return value if isinstance(value, str) else json.dumps(value)


def _words(schema: Schema) -> str:
    """The type of a field in words."""
    if "$ref" in schema:
        name = schema["$ref"].removeprefix("#/$defs/")
        return f"[{name}](#{name.lower()})"
    if "anyOf" in schema:
        return _alternatives([_words(each) for each in schema["anyOf"]])
    if "enum" in schema or "const" in schema:
        return _choices(schema.get("enum", [schema.get("const")]))
    kind = schema["type"] if isinstance(schema["type"], str) else schema["type"][0]
    if kind == "array":
        return _list_words(schema)
    if kind == "object":
        return f"names, each with a {_words(schema['additionalProperties'])}"
    words = "path" if schema.get("format") == "path" else _NOUNS[kind]
    return words + _bounds(schema)


def _alternatives(words: list[str]) -> str:
    one_or_two = words[1:] and words[1] == f"list of two ({words[0]})"
    return " or ".join([words[0], "list of two", *words[2:]] if one_or_two else words)


def _choices(choices: list[Any]) -> str:
    if choices == list(_ACTIVATIONS):  # 28 names that every second layer has
        return "[activation](#activation-functions)"
    return ", ".join(f"`{_yaml(each)}`" for each in choices)


_NOUNS = {
    "boolean": "true or false",
    "integer": "whole number",
    "null": "`null`",
    "number": "number",
    "string": "text",
}
_ACTIVATIONS = get_args(activations.ActivationName)
_SIGNS = {"minimum": ">=", "exclusiveMinimum": ">", "maximum": "<=", "exclusiveMaximum": "<"}


def _list_words(schema: Schema) -> str:
    if "prefixItems" in schema:
        inner = list(dict.fromkeys(_words(each) for each in schema["prefixItems"]))
        return f"list of two ({', '.join(inner)})"
    return f"list of {_words(schema['items'])}"


def _bounds(schema: Schema) -> str:
    if "minimum" in schema and "maximum" in schema:
        return f" from {schema['minimum']} to {schema['maximum']}"
    found = [f"{sign} {schema[key]}" for key, sign in _SIGNS.items() if key in schema]
    return " " + " and ".join(found) if found else ""


if __name__ == "__main__":
    print(reference(), end="")  # noqa: T201  # this is the command that writes the page
