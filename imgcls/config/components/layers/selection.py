"""Which layers a stage trains: all, the head, or those listed by place or name."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated, Any, Literal

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema

from imgcls.config.components.layers.building import BuiltLayer, location
from imgcls.config.components.layers.layer import Layer
from imgcls.config.language import messages

_ENTRIES = re.compile(r"layers\[(-?[0-9]{1,9})?(:)?(-?[0-9]{1,9})?\]")
WANTED = "all, head, or a list of layers such as layers[5:] or a layer's name"


def _read(value: Any) -> Literal["all", "head"] | tuple[str, ...]:  # noqa: ANN401
    if isinstance(value, str) and value in {"all", "head"}:
        return "all" if value == "all" else "head"
    keys = (value,) if isinstance(value, str) else value
    if not isinstance(keys, list | tuple) or not keys or not all(isinstance(k, str) for k in keys):
        raise ValueError(f"must be {WANTED}, got {messages.got(value)}")
    return tuple(str(key) for key in keys)


Selection = Annotated[
    Literal["all", "head"] | tuple[str, ...],
    PlainValidator(_read),
    PlainSerializer(lambda value: value if isinstance(value, str) else list(value)),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string"},
                {"type": "array", "items": {"type": "string"}, "minItems": 1},
            ]
        }
    ),
]
"""A selection of layers: `all`, `head`, or a list of places and names."""


def unknown(selection: Selection, layers: Sequence[tuple[str, Layer]]) -> Iterator[str]:
    """Yields the entries of a selection that match no layer.

    Args:
        selection: the selection.
        layers: every layer, including nested ones, with its key in the config's text.
    """
    if isinstance(selection, str):
        return
    entries = 1 + max(_entry(key) for key, _ in layers)
    for wanted in selection:
        names = ((layer.name or key, key) for key, layer in layers)
        if not any(_matches(location(wanted), name, key, entries) for name, key in names):
            yield wanted


def selected(selection: Selection, built: Sequence[BuiltLayer]) -> frozenset[str]:
    """Returns the keys of the layers with weights that a selection trains.

    A layer that has `trainable: false`, or is inside one that has, is never trained. The head is
    the last entry of the network that has weights.
    """
    with_weights = [each for each in built if not each.inner and each.layer.weights]
    if selection == "all":
        found: Iterable[BuiltLayer] = with_weights
    elif selection == "head":
        last = _entry(with_weights[-1].place) if with_weights else None
        found = [each for each in with_weights if _entry(each.place) == last]
    else:
        inside = set(_inside(selection, built))
        found = [each for each in with_weights if each.key in inside]
    return frozenset(each.key for each in found if not each.frozen)


def _inside(selection: tuple[str, ...], built: Sequence[BuiltLayer]) -> Iterator[str]:
    """Yields the keys of the selected layers, and of the layers inside them."""
    entries = 1 + max(_entry(each.place) for each in built)
    for number, each in enumerate(built):
        if any(_matches(wanted, each.key, each.place, entries) for wanted in selection):
            yield from (inner.key for inner in built[number : number + each.inner + 1])


def _matches(wanted: str, key: str, place: str, entries: int) -> bool:
    if found := _ENTRIES.fullmatch(wanted):
        first, colon, last = found.groups()
        if not colon and first is None:
            return False
        begin = int(first) if first else None
        if not colon:
            assert begin is not None, "checked above"
            return _entry(place) == (begin if begin >= 0 else begin + entries)
        chosen = range(entries)[slice(begin, int(last) if last else None)]
        return _entry(place) in chosen
    return any(
        name == wanted or name.startswith((f"{wanted}.", f"{wanted}["))
        for name in (key, place, location(place))
    )


def _entry(place: str) -> int:
    """Returns the index of the top-level entry that contains a layer."""
    return int(place.partition("[")[2].partition("]")[0])
