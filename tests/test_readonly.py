"""Read-only folders: enough for reading, an early error for training."""

import tempfile
from pathlib import Path

import pytest

from imgcls.runs import checkpoints
from tests import damage, nobody

pytestmark = nobody.needed


@pytest.fixture
def folder():
    """A folder that only root may write to, outside pytest's, which only its user may read."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


READ = """
import sys
from pathlib import Path
from imgcls.runs import checkpoints
from imgcls.runs.checkpoints import Checkpoint
found, problems = checkpoints.newest(Path(sys.argv[1]) / "checkpoints", Checkpoint.verify)
print(found.step, problems)
"""


def test_a_run_that_may_only_be_read_can_be_used(folder):
    """
    A team's best model is on a share where only its owner may write.
    """
    damage.make(folder)
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    done = nobody.run(READ, folder)

    assert ("10 []\n", "") == (done.stdout, done.stderr)
    assert before == {path: path.stat().st_mtime_ns for path in folder.rglob("*")}


TRAIN = """
import sys
from imgcls.__main__ import main
sys.argv[0] = "imgcls"
main()
"""


def test_a_training_where_nothing_may_be_written_is_an_error_at_once(folder):
    """
    Ten hours later would be too late to report it.
    """
    new = nobody.run(TRAIN, "train", nobody.ROOT / "configs" / "smoke.yaml", "--runs", folder)
    damage.make(folder)
    old = nobody.run(TRAIN, "train", "--resume", folder)

    assert (8, 8) == (new.returncode, old.returncode), new.stderr + old.stderr
    assert f"{folder}: cannot be written, permission denied" in new.stderr
    assert f"{folder}/run.lock: cannot be written, permission denied" in old.stderr
    assert [5, 10] == checkpoints.steps(folder / "checkpoints")
