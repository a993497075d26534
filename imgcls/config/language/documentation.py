"""The documentation of fields: the string literal below each field in its class."""

import ast
import inspect
import textwrap
from functools import cache

from imgcls.config.language.registry import Section


@cache
def field_docs(section: type[Section]) -> dict[str, str]:
    """Returns the documentation of a section's fields, including inherited ones, in their order.

    Undocumented fields are left out. Reads the source files, so only the schema and the reference
    page use it.
    """
    found: dict[str, str] = {}
    for owner in reversed(section.__mro__):
        if issubclass(owner, Section) and owner is not Section:
            found |= _own(owner)
    return {field: found[field] for field in section.model_fields if field in found}


def _own(section: type[Section]) -> dict[str, str]:
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(section))).body
    assert isinstance(definition, ast.ClassDef)
    found = {}
    for field, text in zip(definition.body, definition.body[1:], strict=False):
        match field, text:
            case (
                ast.AnnAssign(target=ast.Name(id=name)),
                ast.Expr(value=ast.Constant(value=str(docs))),
            ):
                found[name] = inspect.cleandoc(docs)
            case _:
                pass
    return found
