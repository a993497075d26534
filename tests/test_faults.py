"""The page of faults is complete, and the tests that it names exist."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "faults.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| ([A-Z]\d+) \| (.+) \| (.+) \| (.+) \|$", PAGE, flags=re.MULTILINE)
COUNTS = {"C": 16, "D": 28, "T": 29, "P": 20, "X": 4, "S": 1, "N": 24}


@cache
def functions_of(path):
    """Returns the names of a file's functions, without importing it."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return {each.name for each in tree.body if isinstance(each, ast.FunctionDef)}


def test_every_fault_has_a_row_in_its_order():
    """
    Nobody takes care of a fault that is missing from the page.
    """
    numbers = [f"{letter}{n + 1}" for letter, count in COUNTS.items() for n in range(count)]

    assert numbers == [row[0] for row in ROWS]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_a_row_has_tests_that_are_there_or_says_why_not(row):
    """
    The name of a renamed or removed test would promise a check that no longer exists.
    """
    _, fault, does, proof = row
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", proof)

    assert len(fault) > 3
    if named:
        assert len(does) > 0
        assert [] == [each for each in named if each[1] not in functions_of(each[0])]
        assert len(named) == proof.count("`") / 2
    else:
        assert len(proof.split()) >= 8
        assert proof.endswith(".")
