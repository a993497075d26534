"""The registry of data sets.

A data set has one of the keys `name`, `folder`, `csv` and `npz`. Data sets known by name are
subclasses of `Published`; the other kinds are subclasses of `Dataset` named after their key.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from annotated_types import Gt, Lt, MinLen
from pydantic import (
    AfterValidator,
    BeforeValidator,
    PlainSerializer,
    SerializerFunctionWrapHandler,
    model_serializer,
)

from imgcls.config.components.types import Count, Pair, absolute
from imgcls.config.language import messages
from imgcls.config.language.registry import Component, Scalar, mistakes, snake_case
from imgcls.events import EventSink

if TYPE_CHECKING:  # NumPy and Pillow take 0.2 s, too long for reporting a mistake in a config
    from imgcls.images.pictures import Found

KINDS = ("name", "folder", "csv", "npz")
"""The keys that select the kind of a data set; exactly one must be given."""


def _fraction(value: Any) -> Any:  # noqa: ANN401
    """Reads a fraction, `auto` or `none`."""
    try:
        fraction = float(value)
    except (TypeError, ValueError):
        if isinstance(value, str) and value in {"auto", "none"}:
            return str(value)
        fraction = 0.0
    if not 0 < fraction < 1:
        got = messages.got(value)
        raise ValueError(
            f"expected a fraction between 0 and 1 (exclusive), auto or none, got {got}"
        )
    return fraction


def _fraction_or_folder(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, Scalar) and not _is_number(value) and value not in {"", "auto", "none"}:
        return absolute(value)
    if isinstance(value, str) and Path(value).is_absolute():  # from a resolved config
        return Path(value)
    return value if isinstance(value, Path) else _fraction(value)


def _is_number(value: str) -> bool:
    try:
        float(value)
    except ValueError:
        return False
    return True


def _distinct(names: tuple[str, ...]) -> tuple[str, ...]:
    twice = next((name for at, name in enumerate(names) if name in names[:at]), None)
    if twice is not None:
        raise ValueError(f"duplicate class name {messages.got(twice)}")
    return names


def _channels(value: Any) -> Any:  # noqa: ANN401
    return int(value) if isinstance(value, str) and value in {"1", "3"} else value


SplitFraction = Annotated[
    Annotated[float, Gt(0), Lt(1)] | Literal["auto", "none"], BeforeValidator(_fraction)
]
"""A fraction of the training images, `auto` or `none`."""

PartOrFolder = Annotated[
    Annotated[float, Gt(0), Lt(1)] | Literal["auto", "none"] | Path,
    BeforeValidator(_fraction_or_folder),
    PlainSerializer(lambda part: str(part) if isinstance(part, Path) else part),
]
"""A fraction of the training images, `auto`, `none`, or a folder."""

Channels = Annotated[Literal[1, 3] | None, BeforeValidator(_channels)]
"""Number of channels: 1 (gray) or 3 (RGB)."""

Names = Annotated[tuple[str, ...], MinLen(2), AfterValidator(_distinct)]
"""Class names: at least two, without duplicates."""


class Dataset(Component):
    """The labeled images, their split into training, validation and test, and their size."""

    validation: SplitFraction = "auto"
    """Validation images, which select the best epoch: a fraction of the training images (stratified and seeded), `none`, or `auto`: the validation split of the data if it has one, else 0.1."""  # noqa: E501 - the docs of a field are one line
    test: SplitFraction = "auto"
    """Test images, used by `imgcls evaluate` only: a fraction of the training images, `none`, or `auto`: the test split of the data if it has one, else 0.1."""  # noqa: E501
    size: Pair | None = None
    """Height and width of the network's input in pixels: a number, or a list of two; null means the size of the data."""  # noqa: E501
    resize: Literal["stretch", "crop", "pad"] = "stretch"
    """How images of another aspect ratio are resized: `stretch` changes the aspect ratio, `crop` cuts off the edges, `pad` adds black bars."""  # noqa: E501
    channels: Channels = None
    """Number of channels: 1 (gray) or 3 (RGB); null means as in the data."""
    subset: Count | None = None
    """Train on this many images only, stratified by class, for quick experiments; validation and test are not reduced."""  # noqa: E501

    @classmethod
    def identifier(cls) -> str:
        """Returns the name in YAML."""
        return snake_case(cls.__name__)

    @classmethod
    def kind(cls) -> str:
        """Returns the key that selects this kind of data set: one of `KINDS`."""
        return cls.identifier()

    def fetch(self, report: EventSink) -> None:
        """Downloads a published data set if it is not on this machine; others do nothing.

        Args:
            report: receives the events of the download.

        Raises:
            DataError: if the data cannot be downloaded.
            ResourceError: if the data cannot be stored.
        """

    def find(self) -> "Found":
        """Returns the labeled images, not yet decoded.

        Raises:
            DataError: if the data is missing or invalid.
        """
        raise NotImplementedError

    def rules(self) -> Iterator[tuple[str, str]]:
        """Yields the violated rules between fields."""
        parts = [part for part in (self.validation, self.test) if isinstance(part, float)]
        if sum(parts) >= 1:
            yield (
                "test",
                f"validation and test take {sum(parts):g} of the images; leave some for training",
            )
        if self.resize != "stretch" and self.size is None:
            yield "resize", "no effect without size"

    @classmethod
    def read(cls, value: object) -> Self:
        """Returns the data set that a value of a config describes.

        Raises:
            ValidationError: with every mistake in it.
        """
        if isinstance(value, cls):
            return value
        if isinstance(value, str) and cls._known(value):
            raise mistakes(
                "dataset",
                [((), "value", f"expected fields, got {value!r}; write {{name: {value}}}")],
            )
        if not isinstance(value, Mapping):
            got = messages.got(value)
            raise mistakes(
                "dataset",
                [((), "value", f"expected fields with one of the keys {_kinds()}, got {got}")],
            )
        kinds = [kind for kind in KINDS if kind in value]
        if len(kinds) != 1:
            raise mistakes("dataset", [_wrong_kinds(cls, kinds, value)])
        if kinds[0] != "name":
            return cls.named()[kinds[0]].model_validate(value)
        component = cls._known(value["name"])
        if component is None:
            known = [name for name, each in cls.named().items() if each.kind() == "name"]
            message = messages.unknown_name(str(value["name"]), known, "dataset")
            if "did you mean" in message:
                message += f" the datasets are {', '.join(known)}"
            raise mistakes("dataset", [(("name",), "value", message)])
        return component.model_validate({key: value[key] for key in value if key != "name"})

    @classmethod
    def _known(cls, name: object) -> type[Self] | None:
        """Returns the class of a data set known by name, if any."""
        component = cls.lookup(name) if isinstance(name, str) else None
        return component if component is not None and component.kind() == "name" else None

    @model_serializer(mode="wrap")
    def _named(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        fields = handler(self)
        kind = self.kind()
        return {kind: fields.pop(kind, self.identifier()), **fields}


def _kinds() -> str:
    return f"{', '.join(KINDS[:-1])} or {KINDS[-1]}"


def _wrong_kinds(
    registry: type[Dataset], kinds: list[str], value: Mapping[Any, Any]
) -> tuple[tuple[int | str, ...], str, str]:
    if kinds:
        both = " and ".join(kinds)
        return (kinds[-1],), "key", f"expected only one of {_kinds()}, got {both}"
    named = next((key for key in value if registry._known(key)), None)  # noqa: SLF001 - its own registry
    advice = f"; write name: {named}" if named else ""
    return (), "value", f"missing one of the keys {_kinds()}{advice}"
