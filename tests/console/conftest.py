"""The console without a terminal."""

import pytest

from imgcls.console import Console


@pytest.fixture(autouse=True)
def _coloured_machine(monkeypatch):
    """CI systems set this for their own log viewers; our output goes to files as well."""
    monkeypatch.setenv("FORCE_COLOR", "1")


@pytest.fixture
def shown(capsys):
    """Returns a function that returns the lines a console shows on stdout and on stderr."""

    def show(use):
        with Console() as console:
            use(console)
        captured = capsys.readouterr()
        return tuple(lines(text) if text else [] for text in captured)

    return show


@pytest.fixture
def stdout(shown):
    """Returns a function that returns the text on stdout, and asserts that stderr is empty."""

    def show(use):
        out, err = shown(use)
        assert err == []
        return "".join(f"{line}\n" for line in out)

    return show


@pytest.fixture
def stderr(shown):
    """Returns a function that returns the text on stderr, and asserts that stdout is empty."""

    def show(use):
        out, err = shown(use)
        assert out == []
        return "".join(f"{line}\n" for line in err)

    return show


def lines(text):
    """Returns the lines; asserts there are no escape codes, carriage returns or trailing spaces."""
    assert not set("\x1b\r") & set(text)
    found = text.split("\n")
    assert found.pop() == ""
    assert [line.rstrip() for line in found] == found
    return found
