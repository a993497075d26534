"""How every command ends, without TensorFlow: its exit code, last line and robustness."""

import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from imgcls.runs import lock
from tests.new_runs import create

SMOKE = Path(__file__).parents[2] / "configs" / "smoke.yaml"
IMGCLS = f"{sys.executable} -m imgcls"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with a run that has no checkpoint, a run that is in use, and an invalid config."""
    folder = tmp_path_factory.mktemp("place")
    create(folder / "runs", "empty")
    used = create(folder / "runs", "used", SMOKE.read_bytes())
    (folder / "wrong.yaml").write_text("dataset: {name: digits}\nlayers: [Flaten]\n")
    (folder / "nothing").mkdir()
    with lock.held(used.folder):
        yield folder


def shell(command, folder, **environment):
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command}"],
        cwd=folder,
        capture_output=True,
        check=False,
        timeout=60,
        env={**os.environ, "PYTHONPATH": str(SMOKE.parents[1]), **environment},
    )
    return done.returncode, done.stdout.decode(), done.stderr.decode()


# (command, exit code, what follows the code in the last line)
ENDS = {
    "done": ("schema", 0, ""),
    "an unknown option": ("train --nonsense", 2, " error=USAGE"),
    "no command": ("", 2, " error=USAGE"),
    "an unknown command": ("tran", 2, " error=USAGE"),
    "nothing to train": ("train", 2, " error=USAGE"),
    "--extend without a run": (f"train {SMOKE} --extend 2", 2, " error=USAGE"),
    "a wrong assertion": ("evaluate --assert accuracy", 2, " error=USAGE"),
    "a missing config": ("check none.yaml", 4, " error=CONFIG"),
    "a wrong config": ("train wrong.yaml", 4, " error=CONFIG"),
    "no picture": ("predict nothing", 5, " error=DATA"),
    "an empty stdin": ("predict - < /dev/null", 5, " error=DATA"),
    "an empty list": ("predict --from-file /dev/null", 5, " error=DATA"),
    "no such run": ("evaluate runs/none", 6, " error=RUN"),
    "no checkpoint": ("evaluate runs/empty-001", 6, " error=RUN run=runs/empty-001"),
    "a full disk": ("--version > /dev/full", 8, " error=RESOURCE"),
    "a closed stdout": ("--version >&-", 8, " error=RESOURCE"),
    "help to a full disk": ("train --help > /dev/full", 8, " error=RESOURCE"),
    "a run in use": ("train --resume runs/used-001", 10, " error=LOCKED"),
}


@pytest.mark.parametrize("case", ENDS)
def test_the_exit_code_and_the_last_line_say_the_same(case, place):
    """
    Scripts may rely on either, and must reach the same conclusion.
    """
    arguments, code, rest = ENDS[case]
    ended, _, said = shell(f"{IMGCLS} {arguments}", place)

    assert "Traceback" not in said
    assert (code, f"imgcls: exit={code}{rest}") == (ended, said.splitlines()[-1])


@pytest.mark.parametrize("arguments", ["--help", "train --help", "--version"])
def test_who_only_asks_has_no_last_line(arguments, place):
    """
    Scripts compare the output of `imgcls --version 2>&1`.
    """
    ended, shown, said = shell(f"{IMGCLS} {arguments}", place)

    assert (0, "") == (ended, said)
    assert "imgcls" in shown


VERBS = {
    "train": ("train wrong.yaml", 4),
    "evaluate": ("evaluate runs/none", 6),
    "predict": ("predict nothing", 5),
    "check": ("check wrong.yaml", 4),
    "help": ("--help", 0),
}
POOR = {"NO_COLOR": "1", "COLUMNS": "20", "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0"}
MANNERS = {
    "no color, columns, locale": ("", POOR),
    "FORCE_COLOR, stdin closed": ("<&-", {"FORCE_COLOR": "1", "TERM": "xterm-256color"}),
    "stderr closed": ("2>&-", {}),
    "stderr full": ("2>/dev/full", {}),
    "stderr's reader gone": ("2> >(true)", {}),
}


@pytest.mark.parametrize("manner", MANNERS)
@pytest.mark.parametrize("verb", VERBS)
def test_wherever_it_runs_it_is_plain_and_ends_alike(verb, manner, place):
    """
    Under cron, in containers and in build logs, users need plain text without escape codes or
    tracebacks, and the same exit code.
    """
    arguments, code = VERBS[verb]
    redirection, environment = MANNERS[manner]
    ended, shown, said = shell(f"{IMGCLS} {arguments} {redirection}", place, **environment)

    assert code == ended, said
    assert "Traceback" not in said
    assert "\x1b" not in shown + said
    if "2>" not in redirection and verb != "help":
        assert said.splitlines()[-1].startswith(f"imgcls: exit={code}")


@pytest.mark.parametrize("arguments", ["--version", "--help"])
def test_a_reader_that_went_away_is_met_in_silence(arguments, place):
    """
    `imgcls predict ... | head -1` is not an error, and nobody is left to read a message.
    """
    # the reader is gone before we write, so this is not a race
    command = f"(sleep 0.1; {IMGCLS} {arguments}) | true"

    assert (141, "", "") == shell(command, place)


@pytest.mark.parametrize("verb", ["train wrong.yaml", "schema", "check wrong.yaml --set seed=1"])
def test_a_current_folder_that_is_gone_is_an_error(verb, tmp_path):
    """
    A job's scratch folder may be cleaned up while it runs, and users have to know.
    """
    ended, _, said = shell(f"mkdir x; cd x; rmdir ../x; {IMGCLS} {verb}", tmp_path)

    assert 8 == ended
    assert said.startswith("error: the current folder was removed")
    assert "Traceback" not in said


def test_a_file_never_takes_the_place_of_a_closed_stderr(place):
    """
    If descriptor 2 is free, the next file that is opened receives TensorFlow's messages.
    """
    program = (
        "import atexit, os, sys; from imgcls.__main__ import main\n"
        "atexit.register(lambda: os.write(1, str(os.open('/dev/null', 0)).encode()))\n"
        "sys.argv = ['imgcls', 'check', 'none.yaml']; main()"
    )
    ended, shown, _ = shell(f"{sys.executable} -c {shlex.quote(program)} <&- 2>&-", place)

    assert 4 == ended
    assert int(shown) > 2


@pytest.mark.parametrize("milliseconds", [0, 50, 100, 200, 400])
def test_ctrl_c_at_the_start_leaves_no_traceback(milliseconds, place):
    """
    Users who notice a typo at once should not be shown the internals of an import.
    """
    program = (
        "import os, sys; from imgcls.__main__ import main\n"
        "sys.addaudithook(lambda event, about: os.write(1, b'!')"
        " if event == 'import' and about[0] == 'imgcls.cli.app' else None)\n"
        "sys.argv = ['imgcls', 'predict', '-']; main()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=place,
        stdin=subprocess.PIPE,  # it waits for an image, so it never ends by itself
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(SMOKE.parents[1])},
    ) as process:
        try:
            assert process.stdout
            # Python itself has to start first; then comes our first large import.
            assert "!" == process.stdout.read(1)
            time.sleep(milliseconds / 1000)
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=30)
        finally:
            process.kill()

    assert -signal.SIGINT == process.returncode
    assert "Traceback" not in said
    assert said in {"", "imgcls: exit=130 error=INT\n"}


def test_a_bug_of_ours_shows_its_traceback_and_then_the_last_line(place):
    """
    Exit code 1 is for errors that nobody foresaw, and a bug report needs the whole traceback.
    """
    program = (
        "import sys; from imgcls.cli import app as cli; sys.argv = ['imgcls', 'boom']\n"
        "@cli.app.command()\ndef boom(): raise RuntimeError('a bug')\n"
        "cli.main()"
    )
    ended, _, said = shell(f"{sys.executable} -c {shlex.quote(program)}", place)

    assert 1 == ended
    assert said.startswith("Traceback")
    assert ["RuntimeError: a bug", "imgcls: exit=1 error=BUG"] == said.splitlines()[-2:]
