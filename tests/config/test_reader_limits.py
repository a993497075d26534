"""The reader at its limits: in time, in memory, and where the operating system reports an error."""

import string
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from imgcls.config import reader
from imgcls.config.language import messages
from imgcls.config.schema import is_registry, language
from imgcls.errors import ConfigError, UsageError
from tests import nobody

RIGHT = """\
dataset: {name: digits}
layers: [Flatten, {Dense: {units: classes}}]
optimizer: Adam
loss: categorical_crossentropy
"""
BOMB = b"a: &a [x,x]\n" + b"".join(
    b"%c: &%c [*%c,*%c,*%c,*%c]\n" % (n + 1, n + 1, n, n, n, n) for n in range(97, 121)
)
SLOW = {
    "a bomb of aliases": BOMB,
    "brackets": b"[" * 100_000,
    "a megabyte of text": RIGHT.encode() + b"seed: " + b"x" * 900_000,
    "a megabyte of lines": RIGHT.encode() + b"#\n" * 450_000 + b"seed: x",
    "a hundred thousand layers": RIGHT.replace(
        "Flatten, ", "{Repeat: {times: 10000, layers: [ReLU]}}, " * 300
    ).encode(),
}


@pytest.mark.parametrize("case", SLOW)
def test_no_file_takes_more_than_seconds_and_200_mb_at_the_command_line(case, tmp_path):
    """
    A classic attack is a few hundred bytes of aliases that expand to terabytes of text.
    """
    file = tmp_path / "case.yaml"
    file.write_bytes(SLOW[case])
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, sys.executable, "-m", "imgcls", "check", file],
        capture_output=True,
        text=True,
        check=True,
    )
    code, kilobytes, seconds = map(float, done.stdout.split())

    assert 4 == code, done.stderr
    assert done.stderr.startswith(f"{file}:")
    assert kilobytes < 200 * 1024
    assert seconds < 2  # one on an idle machine


# In a separate process: a child's peak memory starts at the memory of its parent.
MEASURE = """
import resource, subprocess, sys
code = subprocess.run(sys.argv[1:]).returncode
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(code, used.ru_maxrss, used.ru_utime + used.ru_stime)
"""


def edits(word):
    for at in range(len(word) + 1):
        for letter in string.ascii_lowercase + "_":
            yield word[:at] + letter + word[at:]
            yield word[:at] + letter + word[at + 1 :]
        yield word[:at] + word[at + 1 :]
        yield word[:at] + word[at : at + 2][::-1] + word[at + 2 :]


def test_after_one_wrong_character_the_right_key_is_offered():
    """
    Users who mistype a key should not have to look it up.
    """
    offered = []
    for section in language():
        known = () if is_registry(section) else tuple(section.model_fields)
        for key in known:
            wrong = set(list(edits(key))[::37]) - {"", *known}
            offered += [key in messages.unknown_key(edit, known) for edit in sorted(wrong)]

    assert len(offered) > 4000
    assert sum(offered) > 0.95 * len(offered)


def test_after_one_wrong_character_the_right_choice_is_offered():
    """
    Users who mistype a value should not have to look it up either.
    """
    offered = []
    for section in language():
        for field in () if is_registry(section) else section.model_fields.values():
            choices = messages._choices(field.annotation)
            for choice in choices:
                wrong = set(list(edits(choice))[::61]) - set(choices)
                offered += [choice in messages.instead(edit, choices, "value") for edit in wrong]

    assert len(offered) > 1500
    assert sum(offered) > 0.95 * len(offered)


PLACES = {
    "x" * 300 + ".yaml": "cannot be read: File name too long",
    "/proc/self/mem": "cannot be read: Input/output error",
    "/dev/zero": "cannot be read: not a regular file",
    "a\0b.yaml": "cannot be read: .*embedded null",
    "a\0b/c.yaml": "cannot be read: .*embedded null",
}


@pytest.mark.parametrize("place", PLACES, ids=range(len(PLACES)))
def test_a_place_where_no_config_can_be_is_named(place):
    """
    A slip in the shell can produce such paths; users need a one-line message at once.
    """
    with pytest.raises(ConfigError, match=PLACES[place]):
        reader.read(Path(place))


@nobody.needed
def test_a_file_or_folder_that_may_not_be_read_is_named():
    """
    On a shared machine, data often belong to another user.
    """
    with tempfile.TemporaryDirectory() as folder:  # only its owner may look into pytest's tmp_path
        Path(folder).chmod(0o755)
        closed = Path(folder) / "closed"
        closed.mkdir()
        for file in (Path(folder) / "a.yaml", closed / "b.yaml"):
            file.write_text(RIGHT, encoding="utf-8")
            file.chmod(0)
        closed.chmod(0)
        said = read_as_nobody(Path(folder) / "a.yaml", closed / "b.yaml")

    assert 2 == said.count("cannot be read: Permission denied"), said


def read_as_nobody(*files):
    code = "import sys; from pathlib import Path; from imgcls.config import reader\n"
    code += "from imgcls.errors import ConfigError\n"
    code += "for file in sys.argv[1:]:\n"
    code += "    try: reader.read(Path(file))\n    except ConfigError as error: print(error)\n"
    done = nobody.run(code, *files)
    return done.stdout + done.stderr


VALUES = {
    "training: {epochs: 1%s}" % ("0" * 400): "must be at most 2147483647, got a number of 401",
    "training: {replicas: 1%s}" % ("0" * 400): "must be auto or a whole number of at least 1, got",
    "training: {epochs: 1%s}" % ("0" * 5000): "expected a whole number of at most 4,300",
    'seed: "\\UFFFFFFFF"': "5:.*: invalid YAML: ",
    '"\\ud800": 1': "5:1: a key must be text",
    "? %s\n: 1" % ("k" * 5000): "5:3: a key must be text of at most 1,024 characters",
    "a: &%s 1" % ("k" * 5000): r"5:4: a: anchors and aliases \(&k{60}\.\.\.\) are not allowed",
    "a: !%s 1" % ("k" * 5000): r"5:4: a: tags \(!k{59}\.\.\.\) are not allowed",
    "\x07": r"5:1: character '\\x07' is not allowed in YAML",
}  # fmt: skip


QUOTED = {
    'MaxPooling2D: {pool_size: "3"}': "2:37: layers[0].MaxPooling2D.pool_size: expected a",
    'MaxPooling2D: {pool_size: [3, "3"]}': "2:41: layers[0].MaxPooling2D.pool_size[1]: expected a",
    'Dense: {units: "8"}': "2:26: layers[0].Dense.units: expected a",
    'ZeroPadding2D: {padding: [["1", 1], [1, 1]]}': "2:38: layers[0].ZeroPadding2D.padding[0][0]",
    'Normalization: {mean: "0.1", variance: 1}': "2:33: layers[0].Normalization.mean: expected a",
}


@pytest.mark.parametrize("layer", QUOTED)
def test_a_number_in_quotes_is_text_wherever_a_number_belongs(layer, tmp_path):
    """
    If quotes meant text in some fields and a number in others, users could not tell which is which.
    """
    file = tmp_path / "c.yaml"
    file.write_text(RIGHT.replace("Flatten", f"{{{layer}}}, Flatten"), encoding="utf-8")

    with pytest.raises(ConfigError) as caught:
        reader.read(file)
    assert str(caught.value).removeprefix(f"{file}:").startswith(QUOTED[layer])
    assert "write it without quotes" in str(caught.value)


@pytest.mark.parametrize("text", VALUES, ids=range(len(VALUES)))
def test_what_no_program_expects_has_a_message_and_a_line(text, tmp_path):
    """
    Each of these used to cause a traceback, a megabyte-long message, or a message without its line.
    """
    file = tmp_path / "c.yaml"
    for ending in ("\n", "\r\n", "\r"):
        file.write_text((RIGHT + text + "\n").replace("\n", ending), encoding="utf-8", newline="")
        with pytest.raises(ConfigError, match=rf"c\.yaml:.*{VALUES[text]}") as caught:
            reader.read(file)

        assert len(str(caught.value)) < 500


PATHS = {
    "folder: ~nobody-at-all/x": "expected a path; user '~nobody-at-all' has no home",
    "folder: a, test: ~nobody-at-all/x": "expected a path; user '~nobody-at-all' has no home",
    'folder: "a\\0b"': r"expected a path, got 'a\\x00b'",
    'folder: "\\ud800"': r"expected a path, got '\\ud800'",
    'folder: ""': "expected a path, got nothing",
}


@pytest.mark.parametrize("written", PATHS)
def test_a_path_that_no_file_can_have_is_refused(written, tmp_path):
    """
    The operating system would reject it later, with a traceback.
    """
    file = tmp_path / "c.yaml"
    file.write_text(RIGHT.replace("name: digits", f"{written}, size: 9"), encoding="utf-8")

    with pytest.raises(ConfigError, match=rf"c\.yaml:1:\d+: dataset\.\w+: {PATHS[written]}"):
        reader.read(file)


@pytest.mark.parametrize("override", ["\udcff=1", "k" * 5000 + "=1", "=" + "k" * 100_000])
def test_what_is_no_key_is_a_wrong_command_line(override, tmp_path):
    """
    Broken scripts produce bytes that are not UTF-8, and megabytes of text.
    """
    file = tmp_path / "c.yaml"
    file.write_text(RIGHT, encoding="utf-8")

    with pytest.raises(UsageError, match="expected key=value") as caught:
        reader.read(file, [override])
    assert len(str(caught.value)) < 200


def test_an_override_is_not_nested_without_an_end(tmp_path):
    """
    A key with sixty thousand dots used to take sixteen gigabytes.
    """
    file = tmp_path / "c.yaml"
    file.write_text(RIGHT, encoding="utf-8")

    with pytest.raises(ConfigError, match="nested more than 32 levels deep"):
        reader.read(file, [".".join("a" * 400) + "=1"])
    with pytest.raises(ConfigError, match="no such entry; layers has"):
        reader.read(file, ["layers[" + "9" * 500 + "]=ReLU"])


def test_a_network_of_a_million_layers_is_refused_where_it_is_written(tmp_path):
    """
    Each Repeat was within its bounds, but together they used up all memory.
    """
    file = tmp_path / "c.yaml"
    many = "{Repeat: {times: 10000, layers: [ReLU]}}, " * 100
    file.write_text(RIGHT.replace("Flatten, ", many), encoding="utf-8")

    with pytest.raises(ConfigError, match=r"c\.yaml:2:1: layers: must have at most 10,000 layers"):
        reader.read(file)
