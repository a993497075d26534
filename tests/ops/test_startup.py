"""TensorFlow starts without its noise, which is kept for whoever needs it."""

import os
import subprocess
import sys

import pytest

PROGRAM = """
import contextlib, os
from imgcls.ops import startup
real = startup.stderr_copy()
said = startup.start()
with contextlib.suppress(OSError):  # it is closed
    os.write(real, b"ours")
assert said is startup.start()
print(len(said))
"""


@pytest.mark.parametrize(("redirection", "shown"), [("", "ours"), ("2>&-", "")])
def test_what_tensorflow_says_is_held_back_and_returned(redirection, shown):
    """
    Twenty lines about CUDA hide the one line that matters; they say why there is no GPU.
    """
    done = subprocess.run(
        ["bash", "-c", f'"$0" -c "$1" {redirection}', sys.executable, PROGRAM],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "0"},
    )

    assert (0, shown) == (done.returncode, done.stderr)
    assert int(done.stdout) > 0
