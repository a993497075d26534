"""Thousands of malformed configs: real ones with one changed line, or with corrupted bytes.

`cases` is a Hypothesis strategy; `outcome` checks that a mistake in a case is properly reported.
"""

import re
import string
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml
from hypothesis import strategies as st

from imgcls.config import reader
from imgcls.config.language.registry import Component, dotted
from imgcls.config.schema import language
from imgcls.console.numbers import printable
from imgcls.errors import ConfigError, UsageError
from tests.config.blocks import Line, block, originals, text_of

Draw = Callable[[st.SearchStrategy[Any]], Any]


@dataclass(frozen=True)
class Case:
    """A config that is probably invalid.

    Attributes:
        contents: of the file.
        line: the line where a mistake must be reported; None if unknown.
        overrides: the arguments of `--set`.
        says: text that one of the messages must contain.
    """

    contents: bytes
    line: int | None = None
    overrides: tuple[str, ...] = ()
    says: str = ""


ORIGINALS = originals()
_OTHERS: tuple[str, ...] = (
    "null", "~", "true", "-1", "0", "1.5", "3", "'3'", '"3"', "word", "[]", "[1]", "{}", "[1, 2]",
    "[[1]]", "{a: 1}", "{a: {b: [c]}}", "1e-3", "010", "no", "12:30", "2001-99-99",
)  # fmt: skip
_HUGE: tuple[str, ...] = (
    "9" * 400, "9" * 5000, "1e400", str(10**30), "-" + "9" * 5000, "0." + "0" * 400 + "1", ".nan",
    "nan", ".inf", "-.inf", "inf", "2147483647", "2147483648", "-0.0", "1_000", "0x1F",
)  # fmt: skip
_TRAPS: tuple[str, ...] = (
    "!!python/name:os.system x", "!!int abc", "!!timestamp abc", "!!binary x", "!foo 1", "&a 1",
    "*a", "&a [*a]", "!<tag:yaml.org,2002:bool> x",
)  # fmt: skip
_ODD: tuple[str, ...] = (
    "|\n  text", ">-\n  text", "? x", "@x", "`x", "%x", "'open", '"open', '"\\q"', '"\\UFFFFFFFF"',
    '"\\ud800"', '"\\0"', "{a", "[1", "a: b: c", "- 1", "x #y", "\tx", "\x07", "\x85", "\ufeff",
    "~nobody/x", "[" * 2000, "[" * 100_000, "{a: " * 40, "- " * 40, "? " * 40, "a " * 5000,
)  # fmt: skip
_BOMB = b"".join(b"%c: &%c [*%c,*%c]\n" % (n + 1, n + 1, n, n) for n in range(97, 121))
_WHOLE: tuple[bytes, ...] = (
    b"", b"\n", b"# nothing\n", b"---\n---\n", b"- a\n", b"text", b"\0", b"\xff\xfe",
    b"%YAML 9.9\n---\n", b"%YAML 1." + b"9" * 5000 + b"\n---\na: 1\n",
    b"%TAG ! !\n%TAG ! !\n---\na: 1\n", b"a: &a [x,x]\n" + _BOMB, b"a: [*a]\n", b"<<: {a: 1}\n",
    b"[" * 2000, b"[" * 100_000, b"{" * 100_000, b"- " * 100_000, b"? " * 50_000,
    b"? [a, b]\n: 1\n", b"#" * (1 << 20) + b"\n", b"k: [" + b"1," * 20_000 + b"]",
)  # fmt: skip


def edited(word: str, draw: Draw) -> str:
    """Returns a word with one character removed, inserted, replaced, or swapped with the next."""
    at = draw(st.integers(0, len(word) - 1))
    letter = draw(st.sampled_from(string.ascii_lowercase + "_09"))
    ways = (
        word[:at] + word[at + 1 :],
        word[:at] + letter + word[at:],
        word[:at] + letter + word[at + 1 :],
        word[:at] + word[at : at + 2][::-1] + word[at + 2 :],
    )
    return str(draw(st.sampled_from(ways)))


def _keyed(lines: list[Line], draw: Draw) -> int:
    return int(draw(st.sampled_from([at for at, line in enumerate(lines) if line.key])))


def _leaf(lines: list[Line], draw: Draw) -> int:
    return int(draw(st.sampled_from([at for at, line in enumerate(lines) if line.value])))


def _with(lines: list[Line], at: int, *new: Line, end: int | None = None) -> bytes:
    """Returns the YAML with the lines from `at` to `end` (by default, one) replaced by `new`."""
    changed = [*lines[:at], *new, *lines[at + 1 if end is None else end :]]
    return text_of(changed).encode("utf-8", "surrogatepass")


def unknown_sibling(lines: list[Line], draw: Draw) -> Case:
    """An unknown key in front of an existing one."""
    at = _keyed(lines, draw)
    name = "x" + draw(st.text(string.ascii_lowercase + "_", min_size=3, max_size=12)) + "7"
    new = replace(lines[at], key=name, value=draw(st.sampled_from(_OTHERS)))
    return Case(_with(lines, at, new, end=at), at + 1)


def misspelled_key(lines: list[Line], draw: Draw) -> Case:
    """A typo in a key or a name."""
    at = _keyed(lines, draw)
    key = edited(str(lines[at].key), draw)
    kind = lines[at].loc[:1] == ("dataset",)  # without its kind, the whole section is wrong
    sure = key not in NAMES | {""} and not kind  # `ELU` is a typo of `ReLU`, yet valid
    return Case(_with(lines, at, replace(lines[at], key=key)), at + 1 if sure else None)


def _names() -> set[str]:
    found: set[str] = set()
    for section in language():
        found |= set(section.model_fields)
        if issubclass(section, Component):
            found |= section.aliases()
    return found


NAMES = _names()


def another_value(lines: list[Line], draw: Draw) -> Case:
    """A value of another type, at or beyond its bounds, or huge, or unusual YAML."""
    at = _leaf(lines, draw)
    value = draw(st.sampled_from(_OTHERS + _HUGE + _ODD) | st.text(max_size=12))
    number = re.fullmatch(r"[0-9.]+", lines[at].value)
    sure = number and value in {"[]", "[[1]]", "{a: 1}", "word", '"3"', ".nan", "1e400"}
    return Case(_with(lines, at, replace(lines[at], value=value)), at + 1 if sure else None)


def misspelled_value(lines: list[Line], draw: Draw) -> Case:
    """A typo in a value."""
    at = _leaf(lines, draw)
    return Case(_with(lines, at, replace(lines[at], value=edited(lines[at].value, draw))))


def trap(lines: list[Line], draw: Draw) -> Case:
    """A tag, an anchor or an alias."""
    at = _leaf(lines, draw)
    value = draw(st.sampled_from(_TRAPS))
    return Case(_with(lines, at, replace(lines[at], value=value)), at + 1, says="not allowed")


def left_out(lines: list[Line], draw: Draw) -> Case:
    """A missing key, with everything below it."""
    at = _keyed(lines, draw)
    return Case(_with(lines, at, end=block(lines, at)))


def twice(lines: list[Line], draw: Draw) -> Case:
    """A duplicate key; the message must name both places."""
    at = _keyed(lines, draw)
    end = block(lines, at)
    again = [*lines[at:end], *lines[at:end]]
    says = f"duplicate key; first used in line {at + 1}"
    return Case(_with(lines, at, *again, end=end), end + 1, says=says)


def tabbed(lines: list[Line], draw: Draw) -> Case:
    """A line that is indented with a tab."""
    at = draw(st.sampled_from([at for at, line in enumerate(lines) if line.indent]))
    rows = text_of(lines).splitlines(keepends=True)
    rows[at] = "\t" + rows[at].lstrip()
    return Case("".join(rows).encode(), at + 1)


def other_bytes(lines: list[Line], draw: Draw) -> Case:
    """A few bytes replaced, inserted or removed."""
    data = bytearray(text_of(lines).encode())
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, max(0, len(data) - 1)))
        new = draw(st.binary(min_size=1, max_size=4))
        data[at : at + draw(st.integers(0, 3))] = new if draw(st.booleans()) else b""
    return Case(bytes(data))


def another_file(lines: list[Line], draw: Draw) -> Case:
    """A file that is not a config, or a config in an unusual encoding or written twice."""
    text = text_of(lines)
    ways = [text.encode("utf-16"), text.encode("utf-32"), text.replace("\n", "\r").encode()]
    ways += [b"\xef\xbb\xbf" + text.encode(), text.encode() + b"---\n" + text.encode(), *_WHOLE]
    return Case(draw(st.sampled_from(ways) | st.binary(max_size=200)))


def overridden(lines: list[Line], draw: Draw) -> Case:
    """A valid file with a `--set` that is probably invalid."""
    at = _keyed(lines, draw)
    key = dotted(lines[at].loc)
    odd = ["", ".", "[", "layers[99]", "layers[" + "9" * 5000 + "]", "a." * 3000 + "a", "\udcff"]
    key = draw(st.sampled_from([key, key, key + ".x", f"x{key}", edited(key, draw), *odd]))
    values = st.sampled_from(_OTHERS + _HUGE + _TRAPS + _ODD) | st.text(max_size=12)
    equals = draw(st.sampled_from(["=", "=", "=", ""]))
    return Case(text_of(lines).encode(), overrides=(f"{key}{equals}{draw(values)}",))


WAYS = (
    *(unknown_sibling, misspelled_key, another_value, misspelled_value, trap, left_out, twice),
    *(tabbed, other_bytes, another_file, overridden),
)


@st.composite
def cases(draw: Draw, ways: Iterable[Callable[[list[Line], Draw], Case]] = WAYS) -> Case:
    """Malformed configs of all kinds, or of the given ones."""
    way: Callable[[list[Line], Draw], Case] = draw(st.sampled_from(tuple(ways)))
    return way(draw(st.sampled_from(ORIGINALS)), draw)


def outcome(case: Case, file: Path) -> str:
    """Returns `accepted` or `refused`, and checks that the case was handled properly.

    Raises:
        AssertionError: if a mistake is not reported properly. Any other exception is a traceback
            that a user would have seen.
    """
    file.write_bytes(case.contents)
    reported: ConfigError | UsageError
    try:
        config = reader.read(file, case.overrides).config
    except (ConfigError, UsageError) as error:
        reported = error
    else:
        assert case.line is None, f"accepted, though line {case.line} is wrong"
        plain = yaml.safe_dump(config.model_dump(mode="json"), allow_unicode=True)
        file.write_text(plain, encoding="utf-8")
        assert config == reader.read_own(file).config
        return "accepted"
    if isinstance(reported, UsageError):
        assert case.overrides
        assert _is_a_line(str(reported))
    else:
        _check_reported(reported, case, file)
    return "refused"


def _check_reported(reported: ConfigError, case: Case, file: Path) -> None:
    """Checks that mistakes are unique lines with a place, and that the known one is there."""
    lines = [_place(mistake.place, mistake.key, file) for mistake in reported.mistakes]
    assert lines
    assert len(lines) == len({str(mistake) for mistake in reported.mistakes})
    assert all(_is_a_line(str(mistake)) for mistake in reported.mistakes)
    assert all(mistake.message for mistake in reported.mistakes)
    if case.line is not None:
        both = zip(reported.mistakes, lines, strict=True)
        here = [mistake.message for mistake, line in both if line == case.line]
        assert any(case.says in message for message in here), (case.line, str(reported))


def _is_a_line(message: str) -> bool:
    shown = printable(message)
    return len(shown) < 3000 and shown.splitlines() == [shown] and bool(shown.encode())


def _place(place: str, key: str, file: Path) -> int | None:
    """Returns the line of a mistake; only a mistake about the whole file may have none."""
    if place.startswith("--set #1"):
        return None
    found = re.fullmatch(re.escape(str(file)) + r":([1-9]\d*):([1-9]\d*)", place)
    if found:
        return int(found[1])
    assert not key, f"{key} has no place, but {place!r}"
    assert place in {str(file), ""}, place
    return None
