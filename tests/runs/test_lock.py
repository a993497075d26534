"""A run has one owner at a time, and a dead process blocks nobody."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from imgcls.errors import LockedError, ResourceError
from imgcls.runs import folders, lock
from tests.new_runs import create

ENVIRONMENT = os.environ | {
    "PYTHONPATH": str(Path(folders.__file__).parents[2]),
    "OPENBLAS_NUM_THREADS": "1",  # otherwise its threads make a fork warn
}


def child(code, *arguments):
    """Starts a Python process without TensorFlow."""
    return subprocess.Popen(
        [sys.executable, "-B", "-c", code, *map(str, arguments)],
        env=ENVIRONMENT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip


def names(root):
    return sorted(path.name for path in root.iterdir())


HOLD = """
import sys
from pathlib import Path
from imgcls.runs import folders, lock
with lock.held(Path(sys.argv[1])):
    print("locked", flush=True)
    sys.stdin.read()
"""


def test_a_run_in_use_names_its_process_and_a_killed_one_is_free(tmp_path):
    """
    Two trainers in one folder would ruin both; a dead one must not block the run forever.
    """
    run = create(tmp_path, "net")
    holder = child(HOLD, run)
    assert "locked\n" == holder.stdout.readline()
    (run.folder / "status.json.tmp-1-0123abcd").write_text("left by a dead one")
    with pytest.raises(LockedError, match=rf"net-001 is in use by process {holder.pid} on \S+ sin"):
        lock.held(run.folder).__enter__()
    holder.kill()
    holder.communicate()
    with lock.held(run.folder):
        assert os.getpid() == json.loads((run.folder / "run.lock").read_text())["pid"]
        assert ["config.yaml", "run.lock", "status.json"] == names(run.folder)
        with pytest.raises(LockedError, match=str(os.getpid())):
            lock.held(run.folder).__enter__()


RACE = """
import os, select, sys
from pathlib import Path
from imgcls.runs import folders, lock
from imgcls.errors import LockedError
tried, end = os.pipe()
for _ in range(8):
    if not os.fork():
        os.close(end)
        sys.stdin.read()  # until all are there
        try:
            held = lock.held(Path(sys.argv[1]))
            held.__enter__()
        except LockedError:
            os._exit(10)
        os.write(1, b"won ")
        select.select([tried], [], [], 30)  # until the others have tried
        os._exit(0)
print("ready", flush=True)
codes = [os.waitstatus_to_exitcode(os.wait()[1]) for _ in range(7)]
os.close(end)
print(sorted([*codes, os.waitstatus_to_exitcode(os.wait()[1])]))
"""


def test_of_eight_that_want_a_run_at_once_one_gets_it(tmp_path):
    """
    A scheduler may restart a job that is still alive, even eight times.
    """
    process = child(RACE, create(tmp_path, "net"))
    assert "ready\n" == process.stdout.readline()
    output, _ = process.communicate()

    assert "won [0, 10, 10, 10, 10, 10, 10, 10]\n" == output


def test_what_fails_inside_a_locked_run_is_not_blamed_on_the_lock(tmp_path):
    """
    All of training happens while the lock is held; its errors must not look like lock errors.
    """
    run = create(tmp_path, "net")
    with pytest.raises(FileNotFoundError), lock.held(run.folder):
        (tmp_path / "missing").read_text()


def test_a_run_that_cannot_be_locked_is_an_error_of_the_machine(tmp_path):
    """
    A removed or read-only folder must give a clear error.
    """
    with pytest.raises(ResourceError, match=r"gone/run.lock: cannot be written, no such file"):
        lock.held(tmp_path / "gone").__enter__()
