"""The two standard streams, as a shell connects them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from imgcls.console.streams import Messages

SHOW = """
import sys
from imgcls.console import Console
from imgcls.errors import ImgclsError
with Console() as console:
    try:
        {0}
    except ImgclsError as err:
        console.error(err)
        sys.exit(err.exit_code)
    except BrokenPipeError:
        sys.exit(141)
"""


def shell(command, python, **environment):
    """Runs a shell line in which $SHOW is Python that has a `console`."""
    code = SHOW.format(python)
    return subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command}"],
        env={
            **os.environ,
            "PYTHONUNBUFFERED": "",
            **environment,
            "SHOW": f"{sys.executable} -c '{code}'",
        },
        capture_output=True,
        check=False,
        timeout=30,
    )


UNBUFFERED = pytest.mark.parametrize("unbuffered", ["", "1"])


@UNBUFFERED
@pytest.mark.parametrize(
    ("to", "reason"),
    [
        ("> /dev/full", "no space left on device"),
        (">&-", "stdout is closed"),
        ("> $PART", "file too large"),
    ],
)
def test_results_that_cannot_be_written_are_an_error(to, reason, unbuffered, tmp_path):
    """
    A full disk must not look like success, nor half a file; and Python's own complaint at exit
    (code 120) is noise.
    """
    done = shell(
        f'ulimit -f 1; eval "$SHOW" {to}',
        'console.result("x" * 1620)',
        PYTHONUNBUFFERED=unbuffered,
        PYTHONDONTWRITEBYTECODE="1",
        PART=str(tmp_path / "part"),
    )

    assert f"error: cannot write the results: {reason}\n" == done.stderr.decode()
    assert done.returncode == 8


def test_a_slow_reader_gets_everything():
    """
    A pipe that is not blocking takes a part at a time.
    """
    python = 'import os; os.set_blocking(1, False);console.result("x" * 300000)'

    done = shell('eval "$SHOW" | (sleep 0.3; wc -c)', python, PYTHONUNBUFFERED="1")

    assert (0, b"") == (done.returncode, done.stderr)
    assert 300_001 == int(done.stdout)


@UNBUFFERED
def test_a_reader_that_goes_away_is_no_error(unbuffered):
    """
    `imgcls predict photos/ | head -1` is a fair question.
    """
    python = (
        "from imgcls.inference.predictions import Prediction;"
        'console.predictions(Prediction(f"{i}.png", (("cat", 1.0),)) for i in range(99999))'
    )

    done = shell('eval "$SHOW" | head -1', python, PYTHONUNBUFFERED=unbuffered)

    assert b"0.png  cat 1.0000\n" == done.stdout
    assert b"" == done.stderr
    assert done.returncode == 141


@pytest.mark.parametrize("to", ["2>&-", "2> /dev/full", "2> >(true)"])
def test_messages_that_cannot_be_written_stop_nothing(to):
    """
    A training goes on when its terminal was closed.
    """
    python = (
        "from imgcls.events import Noted; import time;"
        '[(console.report(Noted("x" * 9999)), time.sleep(0.01)) for _ in range(20)];'
        'console.result("done")'
    )

    done = shell(f'eval "$SHOW" {to}', python)

    assert (0, b"done\n") == (done.returncode, done.stdout)


def test_a_message_that_is_stuck_in_its_buffer_stops_nothing():
    """
    Rich moves the cursor without ending the line, so that the fault shows only at the flush.
    """
    full = Path("/dev/full").open("w", encoding="utf-8")  # noqa: SIM115  # closing it fails
    messages = Messages(full)

    messages.write("no end of line")
    messages.flush()

    with pytest.raises(OSError, match="No space left"):
        full.close()


def test_what_the_encoding_lacks_is_escaped():
    """
    A file name with an umlaut must not end the predictions in a traceback on an old machine.
    """
    done = shell(
        'eval "$SHOW"', r'console.result("Gr\u00fc\u00dfe \udcff")', PYTHONIOENCODING="ascii"
    )

    assert rb"Gr\xfc\xdfe \udcff" + b"\n" == done.stdout


def test_neither_tensorflow_nor_numpy_nor_rich_is_imported_for_plain_lines():
    """
    `imgcls --help` and a wrong config are answered in a moment.
    """
    python = (
        'console.error(ImgclsError("x"));'
        'heavy = {"tensorflow", "keras", "numpy", "sklearn", "rich"} & sys.modules.keys();'
        'console.result(f"{len(heavy)} of them")'
    )

    assert shell('eval "$SHOW"', python).stdout == b"0 of them\n"
