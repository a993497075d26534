"""Recorded messages about invalid configs, all in one file.

`RENEW=1 pytest tests/config` updates messages.json; review its diff as prose.
"""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

RECORD = Path(__file__).parent / "messages.json"
RENEW = os.environ.get("RENEW") == "1"


@pytest.fixture
def recorded(request: pytest.FixtureRequest) -> Callable[[str, list[str]], None]:
    """Returns a function that compares the messages about a config with the recorded ones."""
    test = f"{request.path.stem}::{request.node.originalname}"

    def check(config: str, messages: list[str]) -> None:
        record = json.loads(RECORD.read_text(encoding="utf-8"))
        if RENEW:
            record.setdefault(test, {})[config] = messages
            text = json.dumps(record, indent=1, ensure_ascii=False, sort_keys=True)
            RECORD.write_text(f"{text}\n", encoding="utf-8")

        assert record.get(test, {}).get(config) == messages, "RENEW=1 pytest tests/config"
        assert messages

    return check
