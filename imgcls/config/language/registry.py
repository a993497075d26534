"""Sections of a config, and the registries of components that a config may name.

A *section* is a set of keys with types, bounds and defaults. A *component* is a section that a
config selects by name, bare (`Flatten`) or with fields (`Dropout: {rate: 0.5}`). Components of one
kind form a *registry*: the subclasses of `Layer`, of `Optimizer` and so on, so that

    class Dropout(Layer):
        rate: Fraction

is all it takes to add a layer. The name in YAML is the class name; Keras' lower-case identifiers
(`adam`, `he_normal`) are aliases. Mistakes are raised as a pydantic ValidationError whose messages
are final; `reader.py` adds the places.
"""

import inspect
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

Loc = tuple[int | str, ...]


class Scalar(str):
    """A YAML scalar: its text as written, converted only by the field that receives it.

    Attributes:
        quoted: whether it was quoted, and so is text rather than a number.
        folder: the folder that a relative path is resolved against.
    """

    __slots__ = ("folder", "quoted")

    quoted: bool
    folder: Path

    def __new__(cls, text: str, *, quoted: bool = False, folder: Path = Path()) -> Self:
        """Returns the text with its attributes."""
        scalar = super().__new__(cls, text)
        scalar.quoted = quoted
        scalar.folder = folder
        return scalar


def mistakes(title: str, found: list[tuple[Loc, str, str]]) -> ValidationError:
    """Returns an error with the given (location, `key` or `value`, message) mistakes."""
    return ValidationError.from_exception_data(
        title,
        [
            InitErrorDetails(
                # As a template, a message with braces would be formatted.
                type=PydanticCustomError(kind, "{message}", {"message": message}),
                loc=loc,
                input=None,
            )
            for loc, kind, message in found
        ],
    )


class Section(BaseModel):
    """A set of keys. Frozen and strict: unknown keys are mistakes."""

    # defer_build: building a hundred classes at import takes 0.13 to 0.27 s.
    model_config = ConfigDict(
        extra="forbid", frozen=True, defer_build=True, allow_inf_nan=False, protected_namespaces=()
    )

    def rules(self) -> Iterator[tuple[str, str]]:
        """Yields (key, message) for each violated rule between fields.

        Called only if every field of the section is valid. The key is relative to the section and
        may be dotted; an empty key means the section itself.
        """
        yield from ()

    @model_validator(mode="wrap")
    @classmethod
    def _validated(cls, value: object, handler: ModelWrapValidatorHandler[Self]) -> Self:
        if isinstance(value, cls):
            return value
        fields = {} if value is None else value
        if not isinstance(fields, Mapping):
            # Own fields come before inherited ones: of Conv2D, `filters` before `kernel_size`.
            own = inspect.get_annotations(cls)
            known = sorted(cls.model_fields.items(), key=lambda each: each[0] not in own)
            name = cls.identifier() if issubclass(cls, Component) else cls.__name__
            message = messages.not_fields(name, dict(known), value)
            raise mistakes(cls.__name__, [((), "value", message)])
        found: list[tuple[Loc, str, str]] = [
            mistake
            for key, given in fields.items()
            for mistake in messages.not_numbers(cls.model_fields.get(key), key, given)
        ]
        try:
            section = handler(fields)
        except ValidationError as error:
            translated = [
                messages.translate(details, cls.model_fields)
                for details in messages.without_misspelled(error.errors(include_url=False))
            ]
            found = messages.once(translated + found, fields)
        else:
            if not found:
                found = [(path(key), "key", message) for key, message in section.rules()]
        if found:
            raise mistakes(cls.__name__, found)
        return section


class Component(Section):
    """A section that a config selects by name. The direct subclasses are the registries.

    A class declared with `abstract=True` only shares fields; a config cannot name it.
    """

    _abstract: ClassVar[bool] = True
    _aliases: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls, *, abstract: bool = False, **kwargs: Any) -> None:  # noqa: ANN401
        # Pydantic passes `abstract` to both hooks, and `object` would reject it.
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
        """Returns the components of this registry by their names in YAML, sorted."""
        found: dict[str, type[Self]] = {}
        todo = cls.__subclasses__()
        while todo:
            component = todo.pop()
            todo += component.__subclasses__()
            if not component._abstract:  # noqa: SLF001  # a subclass
                found[component.identifier()] = component
        return dict(sorted(found.items()))

    @classmethod
    def aliases(cls) -> set[str]:
        """Returns every name of this class in a config: its own and Keras' identifiers."""
        own = cls.__name__
        return {own, own.lower(), snake_case(own), cls.identifier(), *cls._aliases}

    @classmethod
    def lookup(cls, name: str) -> type[Self] | None:
        """Returns the component with this name or alias, if any."""
        registry = cls.named()
        if name in registry:
            return registry[name]
        return next((found for found in registry.values() if name in found.aliases()), None)

    @classmethod
    def read(cls, value: object) -> Self:
        """Returns the component that a value of a config describes.

        Raises:
            ValidationError: with every mistake in the value.
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
            raise mistakes(what, [((), "value", f"expected one {what}, got {listed}")])
        else:
            wanted = f"expected {messages.a(what)}, got {messages.got(value)}"
            raise mistakes(what, [((), "value", wanted)])
        bare = isinstance(value, str)
        component = cls.lookup(name)
        if component is None:
            message = messages.unknown_name(name, cls.named(), what)
            raise mistakes(what, [((), "value", message) if bare else ((name,), "key", message)])
        try:
            return component.model_validate({} if fields is None else fields)
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
                lambda component: component.model_dump()
            ),
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        if Component not in cls.__bases__:
            return handler(schema)
        # A direct $ref raises KeyError in pydantic; `schema.py` replaces this afterwards.
        return {"x-registry": cls.__name__}


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
