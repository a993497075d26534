"""The data sets that a config may name.

A data set has one of the keys `name`, `folder`, `csv` and `npz`. One that is known by name is a
subclass of `Published` with its classes and the places where it may lie; any other kind is a
subclass of `Dataset` that is called as its key is.
"""

from collections.abc import Callable, Iterator, Mapping
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

if TYPE_CHECKING:  # NumPy and Pillow: 0.2 s that a wrong config must not pay for
    from imgcls.images.pictures import Found

Report = Callable[[object], None]
Stop = Callable[[], bool]

KINDS = ("name", "folder", "csv", "npz")
"""The keys of which a data set has exactly one."""


def _share(value: Any) -> Any:  # noqa: ANN401
    """Returns a share, or one of the words; text that is neither is refused."""
    try:
        share = float(value)
    except (TypeError, ValueError):
        if isinstance(value, str) and value in {"auto", "none"}:
            return str(value)
        share = 0.0
    if not 0 < share < 1:
        got = messages.got(value)
        raise ValueError(f"must be a share between 0 and 1 (not 0 or 1), auto or none, got {got}")
    return share


def _share_or_folder(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, Scalar) and not _is_number(value) and value not in {"", "auto", "none"}:
        return absolute(value)
    if isinstance(value, str) and Path(value).is_absolute():  # as a resolved config has it
        return Path(value)
    return value if isinstance(value, Path) else _share(value)


def _is_number(value: str) -> bool:
    try:
        float(value)
    except ValueError:
        return False
    return True


def _unlike(names: tuple[str, ...]) -> tuple[str, ...]:
    twice = next((name for at, name in enumerate(names) if name in names[:at]), None)
    if twice is not None:
        raise ValueError(f"names {messages.got(twice)} twice")
    return names


def _channels(value: Any) -> Any:  # noqa: ANN401
    return int(value) if isinstance(value, str) and value in {"1", "3"} else value


Part = Annotated[Annotated[float, Gt(0), Lt(1)] | Literal["auto", "none"], BeforeValidator(_share)]
"""A share of the training images, `auto` or `none`."""

PartOrFolder = Annotated[
    Annotated[float, Gt(0), Lt(1)] | Literal["auto", "none"] | Path,
    BeforeValidator(_share_or_folder),
    PlainSerializer(lambda part: str(part) if isinstance(part, Path) else part),
]
"""A share of the training images, `auto`, `none`, or a folder."""

Channels = Annotated[Literal[1, 3] | None, BeforeValidator(_channels)]
"""1 for grey, 3 for colour."""

Names = Annotated[tuple[str, ...], MinLen(2), AfterValidator(_unlike)]
"""Class names: two or more, none of them twice."""


class Dataset(Component):
    """Which labelled images to learn from, and how they are split and shown to the network."""

    validation: Part = "auto"
    """Which images choose the best epoch: a share of the training images (stratified and seeded), `none`, or `auto`: the data's own validation images, or else 0.1."""  # noqa: E501 - the docs of a field are one line
    test: Part = "auto"
    """Which images only `imgcls evaluate` sees: a share of the training images, `none`, or `auto`: the data's own test images, or else 0.1."""  # noqa: E501
    size: Pair | None = None
    """Height and width in pixels that the network sees: a list of two, or a number for both; left out, as the data has it."""  # noqa: E501
    resize: Literal["stretch", "crop", "pad"] = "stretch"
    """How an image of another shape is fitted: `stretch` gives up its shape, `crop` cuts off what exceeds the shape of `size`, `pad` keeps all and fills up with black."""  # noqa: E501
    channels: Channels = None
    """1 for grey, 3 for colour; left out, as the data has it."""
    subset: Count | None = None
    """So many training images only, the classes in proportion, for a quick try; validation and test images stay all."""  # noqa: E501

    @classmethod
    def name(cls) -> str:
        """Returns the name in YAML."""
        return snake_case(cls.__name__)

    @classmethod
    def kind(cls) -> str:
        """Returns the key that says which data it is: one of `KINDS`."""
        return cls.name()

    def fetch(self, report: Report, stop: Stop | None = None) -> None:
        """Downloads the data if they are published and nowhere found; nothing, for any others.

        Args:
            report: is told what comes, and how far it is.
            stop: is asked again and again whether to give up.

        Raises:
            DataError: if they cannot be had.
            ResourceError: if they cannot be kept.
            KeyboardInterrupt: if `stop` says so.
        """

    def find(self) -> "Found":
        """Returns the labelled pictures, not decoded yet.

        Raises:
            DataError: if they are not there or not as they should be.
        """
        raise NotImplementedError

    def rules(self) -> Iterator[tuple[str, str]]:
        """Yields the broken rules between fields."""
        parts = [part for part in (self.validation, self.test) if isinstance(part, float)]
        if sum(parts) >= 1:
            yield "test", f"validation and test take {sum(parts):g} of the images; leave some"
        if self.resize != "stretch" and self.size is None:
            yield "resize", "no effect without size"

    @classmethod
    def read(cls, value: object) -> Self:
        """Returns the data set that a config's value describes.

        Raises:
            ValidationError: with every mistake in it.
        """
        if isinstance(value, cls):
            return value
        if isinstance(value, str) and cls._known(value):
            raise mistakes("dataset", [((), "value", f"must have keys; write name: {value}")])
        if not isinstance(value, Mapping):
            got = messages.got(value)
            raise mistakes("dataset", [((), "value", f"must have a key {_kinds()}, got {got}")])
        kinds = [kind for kind in KINDS if kind in value]
        if len(kinds) != 1:
            raise mistakes("dataset", [_wrong_kinds(cls, kinds, value)])
        if kinds[0] != "name":
            return cls.named()[kinds[0]].model_validate(value)
        component = cls._known(value["name"])
        if component is None:
            known = [name for name, each in cls.named().items() if each.kind() == "name"]
            message = f"unknown dataset; {messages.instead(str(value['name']), known, 'dataset')}"
            if "did you mean" in message:
                message += f" the datasets are {', '.join(known)}"
            raise mistakes("dataset", [(("name",), "value", message)])
        return component.model_validate({key: value[key] for key in value if key != "name"})

    @classmethod
    def _known(cls, name: object) -> type[Self] | None:
        """Returns the class of a data set that is known by name."""
        component = cls.lookup(name) if isinstance(name, str) else None
        return component if component is not None and component.kind() == "name" else None

    @model_serializer(mode="wrap")
    def _named(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        fields = handler(self)
        kind = self.kind()
        return {kind: fields.pop(kind, self.name()), **fields}


def _kinds() -> str:
    return f"{', '.join(KINDS[:-1])} or {KINDS[-1]}"


def _wrong_kinds(
    registry: type[Dataset], kinds: list[str], value: Mapping[Any, Any]
) -> tuple[tuple[int | str, ...], str, str]:
    if kinds:
        both = " and ".join(kinds)
        return (kinds[-1],), "key", f"a dataset has one of {_kinds()}, got {both}"
    named = next((key for key in value if registry._known(key)), None)  # noqa: SLF001 - its own registry
    advice = f"; write name: {named}" if named else ""
    return (), "value", f"must have a key {_kinds()}{advice}"
