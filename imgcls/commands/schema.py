"""`imgcls schema`: the config language, for editors."""

from typing import Any

from imgcls.config.schema import json_schema


def schema() -> dict[str, Any]:
    """Returns the JSON Schema of the config language, with the documentation of every key."""
    return json_schema()
