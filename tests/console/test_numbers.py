"""Numbers and names as people read them."""

import pytest

from imgcls.console.numbers import (
    count,
    decimal,
    duration,
    printable,
    probability,
    rate,
    shape,
)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 ms"),
        (0.0184, "18 ms"),
        (0.9994, "999 ms"),
        (0.9996, "1.0 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (12.3, "12 s"),
        (59.4, "59 s"),
        (59.6, "1 min 00 s"),
        (200, "3 min 20 s"),
        (3599.4, "59 min 59 s"),
        (3599.6, "1 h 00 min"),
        (3929, "1 h 05 min"),
        (180_000, "50 h 00 min"),
        (float("inf"), "n/a"),
        (float("nan"), "n/a"),
    ],
)
def test_a_duration_has_two_units_at_most_and_never_60_of_one(seconds, text):
    """
    Rounding after the division would give `60 s` or `59 min 60 s`.
    """
    assert text == duration(seconds)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0.0, "0.0000"),
        (1.23456, "1.2346"),
        (0.00012, "0.0001"),
        (0.00001, "1.0e-05"),
        (310_000, "310000.0000"),
        (3.1e7, "3.1e+07"),
        (float("nan"), "n/a"),
        (None, "n/a"),
        (float("inf"), "inf"),
    ],
)
def test_a_loss_shows_something_whatever_its_size(number, text):
    """
    A loss of 0.00001 must not show as 0.0000, and an exploding one must stay readable.
    """
    assert text == decimal(number)


def test_other_numbers_have_separators_and_units():
    """
    Nobody reads 50000320 correctly at a glance.
    """
    assert count(50_000_320) == "50,000,320"
    assert rate(3400.4) == "3,400 images/s"
    assert rate(3.14) == "3.1 images/s"
    assert shape((32, 32, 3)) == "32x32x3"
    assert (probability(1e-6), probability(float("nan"))) == ("0.0000", "n/a")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("große Katze 猫.png", "große Katze 猫.png"),
        ("a\nb.png", r"a\nb.png"),
        ("\x1b[31m.png", r"\x1b[31m.png"),
        ("\x9b31m", r"\x9b31m"),
        ("\udcff.png", r"\udcff.png"),
        ("gnp\u202e.exe", r"gnp\u202e.exe"),
    ],
    ids=ascii,
)
def test_a_file_name_cannot_move_the_cursor_or_break_the_line(text, shown):
    """
    Names may hold any byte; printed raw, an escape code from a stranger's archive would run.
    """
    assert shown == printable(text)
