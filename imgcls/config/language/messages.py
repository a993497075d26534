"""The messages about a config, made from pydantic's errors."""

import difflib
import re
import types
import typing
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal, get_args, get_origin

from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from imgcls.config.language.tutorial_names import TUTORIAL_NAMES

_LONGEST = 60  # characters of the user's text that a message quotes


def a(noun: str) -> str:
    """Returns a noun with its indefinite article."""
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def title(name: str) -> str:
    """Returns the noun for a registry: `Optimizer` is `optimizer`."""
    return name.lower()


def got(value: object) -> str:
    """Returns a value as the user wrote it, shortened for a message."""
    if value is None:
        return "nothing"
    if isinstance(value, Mapping):
        return "fields" if value else "an empty mapping"
    if isinstance(value, list | tuple):
        return f"a list of {len(value)}"
    text = short(str(value))
    return repr(text) if _is_text(text) else text


def short(text: str) -> str:
    """Returns a text, truncated if it is long: it may be a megabyte."""
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "..."


def _is_text(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return True
    return False


def instead(name: str, known: Iterable[str], what: str) -> str:
    """Returns the remedy for an unknown name: similar names, or all of them."""
    known = list(known)
    by_lower = {each.lower(): each for each in known}
    close = difflib.get_close_matches(name.lower(), by_lower, n=3, cutoff=0.6)
    if close:
        return f"did you mean {' or '.join(by_lower[each] for each in close)}?"
    plural = f"{what}es" if what.endswith("s") else f"{what}s"
    return f"the {plural} are {', '.join(known)}" if known else f"there are no {plural}"


def unknown_key(name: str, known: Iterable[str]) -> str:
    """Returns the message about an unknown key of a section."""
    return f"unknown key; {TUTORIAL_NAMES.get(name) or instead(name, known, 'key')}"


def unknown_name(name: str, known: Iterable[str], what: str) -> str:
    """Returns the message about an unknown component of a registry."""
    # At the place itself, `write loss: mse` is `write mse`, and a list is one of its entries.
    own = rf"write {what}: (?:\[{{(.*)}}\])?"
    advice = re.sub(own, r"write \1", TUTORIAL_NAMES.get(name, ""))
    return f"unknown {what} {short(name)!r}; {advice or instead(name, known, what)}"


def not_fields(name: str, fields: Mapping[str, FieldInfo], value: object) -> str:
    """Returns the message about a value in place of fields, with an example of the fields.

    Args:
        name: the name of the section.
        fields: the fields of the section, the most important ones first.
        value: what the user wrote.
    """
    example = {
        key: (field.examples or ["..."])[0] for key, field in fields.items() if field.is_required()
    }
    if example:
        if not isinstance(value, list) and not _is_text(str(value)):
            example[next(iter(example))] = got(value)
        advice = f"write {name}: {{{', '.join(f'{key}: {each}' for key, each in example.items())}}}"
    else:
        advice = f"the keys are {', '.join(fields)}" if fields else f"{name} has no fields"
    return f"expected fields, got {got(value)}; {advice}"


def without_misspelled(errors: list[ErrorDetails]) -> list[ErrorDetails]:
    """Drops the errors about missing keys that are present but misspelled."""
    unknown = [str(each["loc"][-1]) for each in errors if each["type"] == "extra_forbidden"]
    return [
        each
        for each in errors
        if each["type"] != "missing" or not difflib.get_close_matches(str(each["loc"][-1]), unknown)
    ]


LocatedMessage = tuple[tuple[int | str, ...], str, str]
"""A location, `key` or `value` (which of the two it is about), and the message."""


def once(found: list[LocatedMessage], fields: Mapping[str, Any]) -> list[LocatedMessage]:
    """Returns the mistakes with one per place.

    Pydantic reports two if one number is given for a pair, and reports a list with an invalid item
    as too short as well.

    Args:
        found: the mistakes in a section.
        fields: the section as the user wrote it.
    """
    kept: dict[tuple[int | str, ...], LocatedMessage] = {}
    for loc, kind, message in found:
        in_list = not loc[1:] or isinstance(fields.get(str(loc[0])), list | tuple)
        place = loc[:1] if not in_list and isinstance(loc[1], int) else loc
        kept.setdefault(place, (place, kind, message))
    above = {place[:end] for place in kept for end in range(1, len(place))}
    return [
        mistake
        for place, mistake in kept.items()
        if not (place in above and mistake[2].startswith("expected a list of at least"))
    ]


def translate(details: ErrorDetails, fields: Mapping[str, FieldInfo]) -> LocatedMessage:
    """Returns one of pydantic's errors as a mistake.

    Args:
        details: the error.
        fields: the fields of the section that it is about.
    """
    loc, kind = details["loc"], details["type"]
    if kind in {"key", "value"}:  # already translated by an inner section
        return loc, kind, details["msg"]
    field = fields.get(str(loc[0])) if loc else None
    if kind == "extra_forbidden":
        return loc, "key", unknown_key(str(loc[-1]), fields)
    if kind == "missing":
        wanted = f"; expected {expected(field.annotation)}" if field and field.annotation else ""
        return loc, "key", f"missing{wanted}"
    if kind in {"value_error", "assertion_error"}:
        return loc, "value", str(details["ctx"]["error"])
    value = details["input"]
    if kind == "literal_error" and field:
        choices = _choices(field.annotation)
        advice = instead(str(value), choices, "value")
        advice = f"; {advice}" if advice.startswith("did") else ""
        return loc, "value", f"expected one of {', '.join(choices)}, got {got(value)}{advice}"
    if kind in {"greater_than", "greater_than_equal", "less_than", "less_than_equal"}:
        return loc, "value", f"must be {_bounds(field, details)}, got {got(value)}"
    if kind in {"too_short", "too_long"}:
        return loc, "value", f"expected {_length(details)}, got {got(value)}"
    return loc, "value", f"expected {_wanted(kind, details)}, got {got(value)}"


def not_numbers(field: FieldInfo | None, key: str, value: object) -> Iterator[LocatedMessage]:
    """Yields the mistakes of quoted text for a number, and of other text for true or false."""
    if field is None:
        return
    leaves = _leaves(field.annotation, in_lists=True)
    choices = _choices(field.annotation)
    numbers = leaves & {int, float, bool}
    for loc, scalar in _scalars((key,), value):
        quoted = getattr(scalar, "quoted", False)
        if quoted and scalar not in choices and numbers and leaves <= _PLAIN | {str}:
            if leaves <= _PLAIN or not _is_text(scalar):
                wanted = " or ".join([_nouns(numbers), *choices])
                yield loc, "value", f"expected {wanted}, got text; write it without quotes"
        elif leaves <= {bool, type(None)} and scalar.lower() not in _BOOLEANS:
            yield loc, "value", f"expected true or false, got {got(scalar)}"


def _scalars(
    loc: tuple[int | str, ...], value: object
) -> Iterator[tuple[tuple[int | str, ...], str]]:
    """Yields the scalars of a value, which may be a list, with their locations."""
    if isinstance(value, list):
        for at, each in enumerate(value):
            yield from _scalars((*loc, at), each)
    elif isinstance(value, str):
        yield loc, value


_PLAIN = {int, float, bool, type(None)}
_BOOLEANS = {"true", "false", "yes", "no", "on", "off"}

_NOUNS: dict[Any, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
    type(None): "nothing",
}


def expected(annotation: object) -> str:
    """Returns what a field expects, in plain English."""
    choices = _choices(annotation)
    leaves = _leaves(annotation) - {type(None)}
    nouns = [_nouns(leaves)] if leaves & {int, float, bool, str} else []
    if choices:
        nouns.append(("one of " if len(choices) > 1 else "") + ", ".join(choices))
    if not nouns:
        names = [leaf.__name__ for leaf in leaves if isinstance(leaf, type)]
        nouns = [a(title(name)) for name in names] or ["a value"]
    return " or ".join(nouns)


def _nouns(leaves: set[Any]) -> str:
    return " or ".join(_NOUNS[leaf] for leaf in (int, float, bool, str) if leaf in leaves)


def _leaves(annotation: object, *, in_lists: bool = False) -> set[Any]:
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return {str}
    if origin is typing.Annotated:
        return _leaves(inner[0], in_lists=in_lists)
    if origin in {typing.Union, types.UnionType} or (in_lists and origin is tuple):
        items = [each for each in inner if each is not Ellipsis]
        return set().union(*(_leaves(each, in_lists=in_lists) for each in items))
    return {annotation}


def _choices(annotation: object) -> list[str]:
    if get_origin(annotation) is Literal:
        return [str(each) for each in get_args(annotation)]
    return [choice for each in get_args(annotation) for choice in _choices(each)]


def _bounds(field: FieldInfo | None, details: ErrorDetails) -> str:
    """Both bounds of a field, even if only one is violated."""
    bounds: dict[str, Any] = {}
    for constraint in field.metadata if field else ():
        for name in ("ge", "gt", "le", "lt"):
            if getattr(constraint, name, None) is not None:
                bounds[name] = getattr(constraint, name)
    bounds = bounds or details.get("ctx", {})
    if set(bounds) == {"ge", "le"}:
        return f"between {_number(bounds['ge'])} and {_number(bounds['le'])}"
    words = {"ge": "at least", "gt": "greater than", "le": "at most", "lt": "less than"}
    return " and ".join(f"{words[name]} {_number(value)}" for name, value in bounds.items())


def _number(value: Any) -> str:  # noqa: ANN401
    return f"{value:g}" if isinstance(value, float) else str(value)


def _length(details: ErrorDetails) -> str:
    context = details.get("ctx", {})
    if "min_length" in context:
        return f"a list of at least {context['min_length']}"
    return f"a list of at most {context['max_length']}"


_WANTED = {
    "int": "a whole number",
    "float": "a number",
    "finite": "a finite number",
    "bool": "true or false",
    "string": "text",
    "list": "a list",
    "tuple": "a list",
    "dict": "fields",
    "path": "a path",
    "none": "nothing",
}


def _wanted(kind: str, details: ErrorDetails) -> str:
    if kind == "int_from_float":
        return "a whole number"
    if kind == "int_parsing_size":
        return "a whole number of at most 4,300 digits"
    return _WANTED.get(kind.split("_", maxsplit=1)[0], f"a valid value ({details['msg'].lower()})")
