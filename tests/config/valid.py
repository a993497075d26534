"""Thousands of valid configs, drawn from the JSON Schema for editors."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import assume
from hypothesis import strategies as st
from pydantic import ValidationError

from imgcls.config.language import text
from imgcls.config.language.registry import Component, Section
from imgcls.config.schema import is_registry, json_schema, language
from tests.config.blocks import lines_of, text_of

Draw = Callable[[st.SearchStrategy[Any]], Any]
Schema = dict[str, Any]

SCHEMA = json_schema()
SECTIONS: dict[str, type[Section]] = {each.__name__: each for each in language()}
_NESTED = {"Residual", "Branches", "Repeat"}
_UNSAID = {"axis", "groups"}  # may be -1 but not 0, though the schema accepts 0
_FIRST = {"Normalization"}  # with the images' moments, it is valid in one place only
_ELSEWHERE = {"train", "stages"}  # must name existing layers
_END = {"Dense": {"units": "classes", "activation": "softmax"}}


@st.composite
def configs(draw: Draw) -> str:
    """A config in YAML that satisfies every bound and every rule."""
    keys = SCHEMA["properties"]
    optimizer = component(draw, "Optimizer")
    training = section(draw, "Training")
    training["epochs"] = str(draw(st.integers(100, 1000)))  # no schedule drawn here is longer
    if isinstance(training.get("early_stopping"), dict):
        training["early_stopping"]["start_from_epoch"] = "7"
    (fields,) = optimizer.values() if isinstance(optimizer, dict) else ({},)
    if isinstance(fields.get("learning_rate", ""), dict) or "Decay" in str(fields):
        training.pop("reduce_lr_on_plateau", None)
    layers = draw(st.lists(st.just("Layer"), max_size=4))
    config = {
        "dataset": dataset(draw),
        "augmentation": value(draw, keys["augmentation"]),
        "layers": [*(component(draw, name) for name in layers), "Flatten", _END],
        "optimizer": optimizer,
        "loss": component(draw, "Loss"),
        "training": training,
        "seed": value(draw, keys["seed"]),
    }
    return text_of(list(lines_of(config)))


def value(draw: Draw, schema: Schema, depth: int = 0) -> Any:
    """Returns a value that the schema allows, with its leaves as YAML."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        registry = is_registry(SECTIONS[name])
        return component(draw, name, depth) if registry else section(draw, name, depth)
    if "anyOf" in schema:
        return value(draw, draw(st.sampled_from(schema["anyOf"])), depth)
    if "enum" in schema or "const" in schema:
        return str(draw(st.sampled_from(schema.get("enum", [schema.get("const")]))))
    kind = schema["type"] if isinstance(schema["type"], str) else schema["type"][0]
    if kind == "array":
        items = schema.get("prefixItems") or [schema["items"]] * draw(
            st.integers(max(1, schema.get("minItems", 0)), 3)
        )
        return [value(draw, each, depth) for each in items]
    if kind == "object":
        return {"cat": value(draw, schema["additionalProperties"], depth)}
    plain = {"boolean": ["true", "no", "off"], "null": ["null", "~"], "string": ["a", "b/c.d"]}
    if kind in plain:
        return draw(st.sampled_from(plain[kind]))
    return number(draw, schema, whole=kind == "integer")


def number(draw: Draw, schema: Schema, *, whole: bool) -> str:
    """Returns a number within its bounds; integers are often close to the lower one."""
    bounds = {"exclusiveMinimum": -3, "exclusiveMaximum": None, **schema}
    low = float(bounds.get("minimum", bounds["exclusiveMinimum"]))
    high = float(bounds.get("maximum", bounds["exclusiveMaximum"] or low + 10))
    if whole:
        near = draw(st.booleans())
        return str(draw(st.integers(int(low), int(min(high, low + 10) if near else high))))
    numbers = st.floats(
        low,
        high,
        allow_subnormal=False,
        exclude_min="exclusiveMinimum" in schema,
        exclude_max="exclusiveMaximum" in schema,
    )
    return repr(float(draw(numbers)))


def component(draw: Draw, registry: str, depth: int = 0) -> Any:
    """Returns a component of a registry by its name, with its fields if it has any."""
    known = SECTIONS[registry]
    assert issubclass(known, Component)
    without = _FIRST | (_NESTED if depth > 1 else set())
    names = [name for name in known.named() if name not in without]
    name = draw(st.sampled_from(names))
    fields = section(draw, known.named()[name].__name__, depth)
    return {name: fields} if fields else name


def section(draw: Draw, name: str, depth: int = 0) -> dict[str, Any]:
    """Returns the fields of a section: all required ones and some of the others.

    If they break a rule between fields, only the required ones are drawn, or the example is
    discarded; a single invalid field is an error.
    """
    schema = SCHEMA["$defs"][name]
    needed = schema.get("required", [])
    unsuitable = _ELSEWHERE | ({"name"} if "trainable" in schema["properties"] else set())
    keys_ = [key for key in schema["properties"] if key not in unsuitable]
    chosen = [key for key in keys_ if key in needed or draw(st.booleans())]
    for keys in (chosen, needed):
        fields = {key: value(draw, schema["properties"][key], depth + 1) for key in keys}
        if not (broken := _broken_rules(name, fields)):
            return fields
    assume(not broken)
    return {}


def _broken_rules(name: str, fields: dict[str, Any]) -> list[str]:
    read = text.read(text_of(list(lines_of(fields))) or "{}", name, Path())
    try:
        SECTIONS[name].model_validate(read.value)
    except ValidationError as error:
        wrong = error.errors(include_url=False)
        rules = [each for each in wrong if each["type"] == "key" or each["loc"][0] in _UNSAID]
        assert rules == wrong, (name, fields, wrong)
        return [each["msg"] for each in wrong]
    return []


def dataset(draw: Draw) -> dict[str, Any]:
    """Returns a dataset section of any kind that leaves enough images to train on."""
    kinds = [{"name": "digits"}, {"folder": "a"}, {"csv": "a.csv"}, {"npz": "a.npz"}]
    kind = draw(st.sampled_from(kinds))
    own = {"size": "[8, 9]"} if kind.keys() & {"folder", "csv"} else {}
    share = {
        "validation": repr(draw(st.floats(0.01, 0.4))),
        "test": repr(draw(st.floats(0.01, 0.4))),
    }
    return {**kind, **own, **(share if draw(st.booleans()) else {})}
