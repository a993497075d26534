"""Field documentation is read from the classes, including inherited fields."""

from imgcls.config.language.documentation import field_docs
from imgcls.config.language.registry import Section


class Parent(Section):
    """A section."""

    first: int = 1
    """The first,
    on two lines."""
    bare: int = 2
    second: int = 3
    """The second."""


class Child(Parent):
    """A section that adds a field and redefines another."""

    second: int = 4
    """Another second."""
    third: int = 5
    """The third."""


def test_the_docs_of_a_field_are_the_string_under_it() -> None:
    """
    The reference page and the schema have no other source, and an undocumented field must be
    noticed.
    """
    expected = {"first": "The first,\non two lines.", "second": "The second."}

    assert expected == field_docs(Parent)


def test_inherited_fields_keep_their_docs_unless_they_get_new_ones() -> None:
    """
    Most fields of the components are defined in a shared base class.
    """
    expected = {
        "first": "The first,\non two lines.",
        "second": "Another second.",
        "third": "The third.",
    }

    assert expected == field_docs(Child)
    assert list(expected) == list(field_docs(Child))
