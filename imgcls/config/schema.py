"""The JSON Schema of the config, for editors, generated from the classes that read a config."""

import inspect
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, get_args

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue, models_json_schema

from imgcls.config.components.datasets import Dataset
from imgcls.config.config import Config
from imgcls.config.language.documentation import field_docs
from imgcls.config.language.registry import Component, Section

Schema = dict[str, Any]

# YAML 1.1 reads `1e-3` as text, YAML 1.2 as a number, and editors follow either; no other text is
# valid for a number. In JSON Schema, bounds apply to numbers only and patterns to text only.
_AS_TEXT: dict[str, str] = {
    "integer": r"^[0-9]+(_[0-9]+)+$",
    "number": r"^[-+]?[0-9][0-9_.]*[eE][-+]?[0-9]+$|^[0-9]+(_[0-9]+)+$",
    "boolean": r"^(yes|no|on|off)$",
}
_TEXT = ["string", "number", "boolean"]  # `no` and `010` are text where text is expected


def json_schema() -> Schema:
    """Returns the schema (draft 2020-12) of a config, with the documentation of every key."""
    sections = [each for each in language() if not is_registry(each)]
    registries = [each for each in language() if issubclass(each, Component) and is_registry(each)]
    named = {each.__name__ for each in language()}
    assert len(named) == len(language()), "two classes of the config share a name"
    _, generated = models_json_schema(
        [(each, "validation") for each in sections], schema_generator=_Generator
    )
    made = {each.__name__: _section(each, generated["$defs"][each.__name__]) for each in sections}
    root = made.pop(Config.__name__)
    for registry in registries:
        built = _dataset if issubclass(registry, Dataset) else _registry
        made[registry.__name__] = built(registry, made)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "imgcls config",
        **root,
        "$defs": made,
    }


def language() -> list[type[Section]]:
    """Returns every section, registry and component that a config may contain, `Config` first."""
    found: dict[type[Section], None] = {}
    todo: list[type[Section]] = [Config]
    while todo:
        each = todo.pop(0)
        if each in found:
            continue
        found[each] = None
        if issubclass(each, Component) and is_registry(each):
            todo += each.named().values()
        else:
            todo += _mentioned(field.annotation for field in each.model_fields.values())
    return list(found)


def is_registry(section: type[Section]) -> bool:
    """Returns whether a section is a registry: a direct subclass of `Component`."""
    return Component in section.__bases__


def about(section: type[Section]) -> str:
    """Returns the user-facing part of a class's docstring, one line per paragraph."""
    docs = re.split(
        r"^(?:Args|Attributes|Raises):$", inspect.getdoc(section) or "", flags=re.MULTILINE
    )[0]
    return "\n\n".join(" ".join(each.split()) for each in docs.strip().split("\n\n"))


def _mentioned(annotations: Iterable[Any]) -> Iterator[type[Section]]:
    for annotation in annotations:
        if isinstance(annotation, type) and issubclass(annotation, Section):
            yield annotation
        else:
            yield from _mentioned(get_args(annotation))


class _Generator(GenerateJsonSchema):
    """Pydantic's generator without titles, and with components as defaults by name."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ANN401
        del schema
        return False

    def encode_default(self, dft: Any) -> Any:  # noqa: ANN401
        if isinstance(dft, Component):
            encoded = dft.model_dump(mode="json", exclude_defaults=True)
            return encoded if encoded[dft.identifier()] else dft.identifier()
        if isinstance(dft, Section):
            return dft.model_dump(mode="json", exclude_defaults=True)
        return super().encode_default(dft)


def _section(section: type[Section], schema: JsonSchemaValue) -> Schema:
    docs = field_docs(section)
    properties = {
        name: {"description": " ".join(docs[name].split()), **_read_as_yaml(each)}
        for name, each in schema.get("properties", {}).items()
    }
    may_be_empty = not schema.get("required")
    return {
        "description": about(section),
        "type": ["object", "null"] if may_be_empty else "object",
        "properties": properties,
        **({} if may_be_empty else {"required": schema["required"]}),
        "additionalProperties": False,
    }


def _registry(registry: type[Component], definitions: Schema) -> Schema:
    """A bare name or a single key: canonical names are listed, aliases only accepted."""
    components = registry.named()
    keys = {name: _ref(component) for name, component in components.items()}
    others = {
        _pattern(component.aliases() - {name}): keys[name]
        for name, component in components.items()
        if component.aliases() - {name}
    }
    bare = [each for each in components.values() if "required" not in definitions[each.__name__]]
    return {
        "description": about(registry),
        "anyOf": [
            *(_names(bare) if bare else []),
            {
                "type": "object",
                "properties": keys,
                "patternProperties": others,
                "additionalProperties": False,
                "minProperties": 1,
                "maxProperties": 1,
            },
        ],
    }


def _dataset(registry: type[Component], definitions: Schema) -> Schema:
    """The kind is a key such as `folder`; the data sets known by name share the key `name`."""
    assert issubclass(registry, Dataset)
    components = registry.named().values()
    known = [each for each in components if each.kind() == "name"]
    which = {"description": "A data set known by name.", "anyOf": _names(known)}
    first = definitions[known[0].__name__]
    named = {
        "type": "object",
        "properties": {"name": which, **first["properties"]},
        "required": ["name"],
        "additionalProperties": False,
    }
    others = [_ref(each) for each in components if each not in known]
    return {"description": about(registry), "anyOf": [named, *others]}


def _ref(section: type[Section]) -> Schema:
    return {"$ref": f"#/$defs/{section.__name__}"}


def _names(components: Sequence[type[Component]]) -> list[Schema]:
    canonical = [component.identifier() for component in components]
    others = {each for component in components for each in component.aliases()} - set(canonical)
    return [{"enum": canonical}, {"type": "string", "pattern": _pattern(others)}]


def _pattern(aliases: Iterable[str]) -> str:
    return f"^({'|'.join(sorted(aliases))})$"


def _read_as_yaml(schema: Any) -> Any:  # noqa: ANN401
    """Accepts what the reader accepts: `1e-3` and `yes` as values, `010` as text."""
    if isinstance(schema, list):
        return [_read_as_yaml(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if "x-registry" in schema:
        rest = {key: value for key, value in schema.items() if key != "x-registry"}
        return {**rest, "$ref": f"#/$defs/{schema['x-registry']}"}
    read = {
        key: value if key in {"default", "enum", "const"} else _read_as_yaml(value)
        for key, value in schema.items()
    }
    if any(each.get("type") == "number" for each in schema.get("anyOf", [])):
        # What looks like a number is validated as one, so the text alternative excludes numbers.
        texts = [{**each, "type": "string"} if _is_text(each) else each for each in read["anyOf"]]
        return {**read, "anyOf": texts}
    return {**read, **_as_written(read)}


def _as_written(schema: Schema) -> Schema:
    kind = schema.get("type")
    if isinstance(kind, str) and kind in _AS_TEXT:
        return {"type": [kind, "string"], "pattern": _AS_TEXT[kind]}
    if kind == "string" and not schema.keys() & {"enum", "const"}:
        return {"type": _TEXT}
    return {}


def _is_text(schema: Schema) -> bool:
    return schema.get("type") == _TEXT
