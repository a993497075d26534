"""Saving is killed, or fails, at every single system call."""

import re
from pathlib import Path

import numpy as np
import pytest

from imgcls.runs import checkpoints
from imgcls.runs.checkpoints import MODEL, OPTIMIZER, Checkpoint
from tests import traced
from tests.traced import opened

pytestmark = traced.needs_strace

FILES = {"model.safetensors", "optimizer.safetensors", "state.json", "MANIFEST.json"}
CHILD = """
import sys
from pathlib import Path
import numpy as np
from imgcls.runs import checkpoints
from imgcls.errors import ResourceError

run = Path(sys.argv[1])
try:
    for step in (2, 3):
        parts = {"model": {"a": np.full(40, step)}, "optimizer": {"b": np.float32(step)}}
        checkpoints.save(run / "checkpoints", step, parts, {"s": step}, {"c": run / "c"})
        checkpoints.prune(run / "checkpoints", {step, step - 1})
except ResourceError as error:
    print(error)
    sys.exit(8)
"""


def trace(run, *inject):
    """Saves steps 2 and 3 in a separate process; returns it and its system calls."""
    run.mkdir()
    (run / "c").write_text("attached")
    save(run, 1)
    return traced.trace(CHILD, run, *inject)


def save(run, step):
    parts = {MODEL: {"a": np.full(40, step)}, OPTIMIZER: {"b": np.array(step, np.float32)}}
    checkpoints.save(run / "checkpoints", step, parts, {"s": step}, {"c": run / "c"})


def assert_whole(run):
    """Asserts that the newest checkpoint is intact, and that saving works; returns its step."""
    found, problems = checkpoints.newest(run / "checkpoints", Checkpoint.verify)

    assert [] == problems
    assert found is not None
    assert found.step in {1, 2, 3}
    assert [found.step] * 40 == found.read(MODEL)["a"].tolist()
    assert found.step == found.read(OPTIMIZER)["b"] == found.state["s"]
    save(run, 4)
    checkpoints.prune(run / "checkpoints", {found.step, 4})

    assert sorted({f"step-{found.step}", "step-4"}) == [
        path.name for path in sorted((run / "checkpoints").iterdir())
    ]
    return found.step


@pytest.fixture(scope="module")
def calls(tmp_path_factory):
    """The system calls of two saves, in order."""
    done, calls = trace(tmp_path_factory.mktemp("whole") / "run")

    assert 0 == done.returncode, done.stderr
    return calls


def test_wherever_saving_is_killed_a_whole_checkpoint_remains(tmp_path, calls):
    """
    When memory runs out, at most the work since the last checkpoint may be lost.
    """
    found = []
    for run, done in traced.sweep(trace, tmp_path, calls, "signal=KILL"):
        assert -9 == done.returncode
        found.append(assert_whole(run))

    assert sorted(found) == found
    assert {1, 2, 3} == set(found)


def test_wherever_saving_fails_it_says_so_and_a_whole_checkpoint_remains(tmp_path, calls):
    """
    The disk may be full at any call: that must be one line and exit code 8, with nothing lost.
    """
    failed = 0
    for run, done in traced.sweep(trace, tmp_path, calls, "error=ENOSPC"):
        assert "" == done.stderr
        if done.returncode:
            assert 8 == done.returncode
            assert re.search(r"/checkpoints/step-\d: cannot be .*, no space left", done.stdout)
            assert not list((run / "checkpoints").glob("*.tmp-*"))
            failed += 1
        assert_whole(run)

    assert failed > len(calls) * 0.6


def test_bytes_reach_the_disk_before_their_name_does_and_the_old_go_last(calls):
    """
    A power failure loses what was not synced and may keep later writes: only order protects.
    """
    saves = [n for n, call in enumerate(calls) if re.search(r'rename.*, "[^"]*/step-\d"\)', call)]

    assert 2 == len(saves)
    begin = 0
    for renamed in saves:
        before = calls[begin:renamed]
        written = [opened(call) for call in before if " write(" in call]
        synced = [opened(call) for call in before if " fsync(" in call]
        draft = synced[-1]

        assert ".tmp-" in draft
        assert FILES == {Path(path).name for path in set(written)}
        assert [*dict.fromkeys(written), draft] == synced
        for name in set(written):
            last = max(n for n, call in enumerate(before) if " write(" in call and name in call)

            assert any(" fsync(" in call and name in call for call in before[last:])
        assert " fsync(" in calls[renamed + 1]
        assert opened(calls[renamed + 1]).endswith("/checkpoints")
        begin = renamed + 2
    removals = [n for n, call in enumerate(calls) if "unlink" in call or "rmdir" in call]

    assert min(removals) > saves[-1] + 1
