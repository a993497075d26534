"""A snapshot that differs fails the test, shows the difference, and says how to renew it."""

from pathlib import Path

import pytest

from tests.snapshots import FOLDER, OPTION, Snapshots

TESTS = Path(__file__).parent


def test_a_text_that_differs_shows_the_difference_and_the_command_that_renews_it(tmp_path):
    """
    Someone who improves a message should see what users will see, and how to continue.
    """
    Snapshots(tmp_path, "", renew=True)("greeting", "Hello,\nworld\n")
    snapshot = Snapshots(tmp_path, "tests/test_a.py")

    snapshot("greeting", "Hello,\nworld\n")
    with pytest.raises(pytest.fail.Exception) as failed:
        snapshot("greeting", "Hello,\nWorld \n")
    assert r"-world\n" in str(failed.value)
    assert r"+World \n" in str(failed.value)
    assert f"pytest {OPTION} tests/test_a.py" in str(failed.value)


def test_a_snapshot_that_is_missing_fails(tmp_path):
    """
    A test that stored what it should compare would always pass.
    """
    with pytest.raises(pytest.fail.Exception, match="not what is stored"):
        Snapshots(tmp_path, "")("greeting", "Hello\n")


def test_every_snapshot_belongs_to_a_test():
    """
    A snapshot that no test compares no longer shows what users see.
    """
    modules = {path.stem: path.read_text(encoding="utf-8") for path in TESTS.rglob("test_*.py")}
    stored = [path.relative_to(FOLDER) for path in FOLDER.rglob("*.txt")]

    assert stored
    assert [] == [
        str(path)
        for path in stored
        if not any(word in modules.get(path.parent.name, "") for word in _words(path.stem))
    ]


def _words(name):
    """Returns how a test may write the name: in full, or with its last word from a parameter."""
    return f'"{name}"', f'"{name.rpartition("-")[0]}-{{'
