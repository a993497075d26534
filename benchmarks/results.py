"""Stores results as JSON, from which the page can be rendered at any time."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.comparison import Kind
from benchmarks.machine import Machine, kind

FOLDER = Path(__file__).parent / "results"

Result = dict[str, Any]
"""`date`, `command`, `machine` and `measured`, which has the `rounds` of each comparison or the
`reason` why there are none; `gpu` or `operations` in results of the modules of these names."""


def new(command: str, machine: Machine) -> Result:
    """Returns a result without measurements."""
    date = datetime.now(UTC).strftime("%Y-%m-%d-%H%M%S")
    # In the form in which it will be read back: with lists instead of tuples.
    described: dict[str, Any] = json.loads(json.dumps(asdict(machine)))
    return {"date": date, "command": command, "machine": described, "measured": {}}


def save(result: Result, folder: Path = FOLDER) -> None:
    """Writes a result; called after each comparison, so that an interrupt loses at most one."""
    folder.mkdir(exist_ok=True)
    text = json.dumps(result, indent=1) + "\n"
    (folder / f"{result['date']}.json").write_text(text, encoding="utf-8")


def load(folder: Path = FOLDER) -> list[Result]:
    """Returns all results, the oldest first."""
    return [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))]


def kind_of(result: Result) -> Kind:
    """Returns the kind of machine on which a result was measured."""
    return kind(tuple(result["machine"]["units"]))


def newest(results: Sequence[Result], name: str, wanted: Kind) -> Result | None:
    """Returns the last result of a comparison on a kind of machine, or None.

    If all attempts to measure it failed, returns the last of them.
    """
    there = [each for each in results if name in each["measured"] and kind_of(each) == wanted]
    measured = [each for each in there if "rounds" in each["measured"][name]]
    return next(reversed(measured or there), None)


def steps(results: Sequence[Result]) -> list[Result]:
    """Returns the last result of each config whose step was measured operation by operation."""
    found = {each["operations"]["config"]: each for each in results if each.get("operations")}
    return list(found.values())


def last(results: Sequence[Result], key: str) -> Result | None:
    """Returns the last result that has a key such as `gpu`, or None."""
    return next((each for each in reversed(results) if each.get(key)), None)
