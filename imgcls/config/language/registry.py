"""Sections of a config, and vocabularies: the classes that a config may name.

A *section* is a set of keys with types, bounds and defaults. A *vocabulary* is a family of sections
of which a config names one, bare (`Flatten`) or with fields (`Dropout: {rate: 0.5}`):

    class Dropout(Layer):
        rate: Fraction

is all it takes to add a layer. The name in YAML is the class name; Keras' lower-case spelling
(`adam`, `he_normal`) names the same thing. Whatever is wrong is raised as pydantic's
ValidationError whose errors all have our own words already; `reader.py` adds the places.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    ModelWrapValidatorHandler,
    SerializerFunctionWrapHandler,
    ValidationError,
    model_serializer,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import InitErrorDetails, PydanticCustomError, core_schema

from imgcls.config.language import messages
from imgcls.config.language.tutorial_names import TUTORIAL_NAMES

Loc = tuple[int | str, ...]


class Scalar(str):
    """A YAML scalar: its text as it stands, typed only by the field that takes it.

    Attributes:
        quoted: it stood in quotes, so it is text and no number.
        folder: what a relative path in it is relative to.
    """

    __slots__ = ("folder", "quoted")

    quoted: bool
    folder: Path

    def __new__(cls, text: str, *, quoted: bool = False, folder: Path = Path()) -> Self:
        """Returns the text with what else is known of it."""
        scalar = super().__new__(cls, text)
        scalar.quoted = quoted
        scalar.folder = folder
        return scalar


def mistakes(title: str, found: list[tuple[Loc, str, str]]) -> ValidationError:
    """Returns the error that holds these (location, `key` or `value`, message) mistakes."""
    return ValidationError.from_exception_data(
        title,
        [
            InitErrorDetails(
                # The message is a value of the template, or braces in it would be read as fields.
                type=PydanticCustomError(kind, "{message}", {"message": message}),
                loc=loc,
                input=None,
            )
            for loc, kind, message in found
        ],
    )


class Section(BaseModel):
    """A set of keys. Frozen, and strict: what it does not know is a mistake."""

    # defer_build: a hundred classes cost 0.13 to 0.27 s at every start otherwise.
    model_config = ConfigDict(
        extra="forbid", frozen=True, defer_build=True, allow_inf_nan=False, protected_namespaces=()
    )

    def rules(self) -> Iterator[tuple[str, str]]:
        """Yields (key, message) for each rule between fields that is broken.

        Called once every field of this section is right by itself. The key is relative to the
        section and may be dotted; empty means the section as a whole.
        """
        yield from ()

    @model_validator(mode="wrap")
    @classmethod
    def _in_our_words(cls, value: object, handler: ModelWrapValidatorHandler[Self]) -> Self:
        if isinstance(value, cls):
            return value
        if value is None:
            value = {}
        fields = value if isinstance(value, Mapping) else {}
        found: list[tuple[Loc, str, str]] = [
            mistake
            for key, given in fields.items()
            for mistake in messages.not_numbers(cls.model_fields.get(key), key, given)
        ]
        try:
            section = handler(value)
        except ValidationError as error:
            told = [
                messages.translate(details, cls.model_fields)
                for details in messages.without_misspelt(error.errors(include_url=False))
            ]
            found = messages.once(told + found, fields)
        else:
            if not found:
                found = [(path(key), "key", message) for key, message in section.rules()]
        if found:
            raise mistakes(cls.__name__, found)
        return section


class Component(Section):
    """A family of sections of which a config names one. Its direct subclasses are the families.

    A class made with `abstract=True` only shares fields; a config cannot name it.
    """

    _abstract: ClassVar[bool] = True
    _aliases: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls, *, abstract: bool = False, **kwargs: Any) -> None:  # noqa: ANN401
        # Pydantic gives `abstract` to both hooks, and `object` would refuse it.
        del abstract
        super().__init_subclass__(**kwargs)

    @classmethod
    def __pydantic_init_subclass__(cls, *, abstract: bool = False, **kwargs: Any) -> None:  # noqa: ANN401
        super().__pydantic_init_subclass__(**kwargs)
        cls._abstract = abstract or Component in cls.__bases__

    @classmethod
    def identifier(cls) -> str:
        """Returns the name in YAML."""
        return cls.__name__

    @classmethod
    def named(cls) -> dict[str, type[Self]]:
        """Returns every class of the family by its name in YAML, sorted."""
        found: dict[str, type[Self]] = {}
        todo = cls.__subclasses__()
        while todo:
            member = todo.pop()
            todo += member.__subclasses__()
            if not member._abstract:  # noqa: SLF001  # a class of its own family
                found[member.identifier()] = member
        return dict(sorted(found.items()))

    @classmethod
    def aliases(cls) -> set[str]:
        """Returns every spelling that names this class: its own and Keras' identifiers."""
        own = cls.__name__
        return {own, own.lower(), snake_case(own), cls.identifier(), *cls._aliases}

    @classmethod
    def lookup(cls, name: str) -> type[Self] | None:
        """Returns the class of the family that a name means, if any."""
        registry = cls.named()
        if name in registry:
            return registry[name]
        return next((found for found in registry.values() if name in found.aliases()), None)

    @classmethod
    def read(cls, value: object) -> Self:
        """Returns the member that a config's value names.

        Raises:
            ValidationError: with every mistake in it, in our words.
        """
        what = messages.title(cls.__name__)
        if isinstance(value, cls):
            return value
        if isinstance(value, str):
            name, fields = str(value), None
        elif isinstance(value, Mapping) and len(value) == 1:
            ((name, fields),) = value.items()
        elif isinstance(value, Mapping) and value:
            listed = messages.short(", ".join(map(str, value)))
            raise mistakes(what, [((), "value", f"must name one {what}, got {listed}")])
        else:
            raise mistakes(what, [((), "value", f"must name {messages.a(what)}")])
        bare = isinstance(value, str)
        member = cls.lookup(name)
        if member is None:
            advice = TUTORIAL_NAMES.get(name)
            advice = advice or f"unknown {what}; {messages.instead(name, cls.named(), what)}"
            raise mistakes(what, [((), "value", advice) if bare else ((name,), "key", advice)])
        try:
            return member.model_validate({} if fields is None else fields)
        except ValidationError as error:
            raise mistakes(
                what,
                [
                    ((name, *details["loc"]), details["type"], details["msg"])
                    for details in error.errors(include_url=False)
                ],
            ) from None

    @model_serializer(mode="wrap")
    def _named(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {self.identifier(): handler(self)}

    @classmethod
    def __get_pydantic_core_schema__(
        cls,
        source: object,
        handler: GetCoreSchemaHandler,
    ) -> core_schema.CoreSchema:
        if Component not in cls.__bases__:
            return handler(source)
        return core_schema.no_info_plain_validator_function(
            cls.read,
            serialization=core_schema.plain_serializer_function_ser_schema(
                lambda member: member.model_dump()
            ),
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        if Component not in cls.__bases__:
            return handler(schema)
        # A direct $ref raises KeyError in pydantic; `schema.py` replaces this one afterwards.
        return {"x-vocabulary": cls.__name__}


def snake_case(name: str) -> str:
    """Returns Keras' lower-case identifier of a class name: `HeNormal` is `he_normal`."""
    name = re.sub(r"\W+", "", name)
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


def path(key: str) -> Loc:
    """Returns the location of a dotted key: `layers[1].ReLU` is ("layers", 1, "ReLU")."""
    return tuple(
        int(index) if index else name
        for index, name in re.findall(r"\[([0-9]{1,9})\]|([^.\[\]]+)", key)
    )


def dotted(loc: Loc) -> str:
    """Returns the dotted key of a location."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc)
    return text.removeprefix(".")
