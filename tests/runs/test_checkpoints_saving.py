"""Saving and pruning: either a checkpoint is complete, or the earlier ones remain."""

import resource
import shutil
import threading
from contextlib import contextmanager

import numpy as np
import pytest

from imgcls import files
from imgcls.errors import ResourceError
from imgcls.runs import checkpoints
from imgcls.runs.checkpoints import MODEL, OPTIMIZER


@pytest.fixture
def run(tmp_path):
    """A run with its two files and the checkpoints of steps 5 and 10."""
    (tmp_path / "config.yaml").write_text("seed: 0\n")
    (tmp_path / "model.json").write_text("{}\n")
    for step in (5, 10):
        save(tmp_path, step)
    return tmp_path


def save(run, step, parts=None, state=None):
    parts = parts or {
        MODEL: {"dense/kernel": np.full((3, 4), step, np.float32)},
        OPTIMIZER: {"000000": np.array(step)},
    }
    attached = {name: run / name for name in ("config.yaml", "model.json")}
    return checkpoints.save(run / "checkpoints", step, parts, state or {"epoch": 1}, attached)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_step_that_is_saved_already_is_left_alone(run):
    """
    An interrupt right after the end of an epoch saves the same step twice.
    """
    path = run / "checkpoints" / "step-10"
    before = {each.name: each.stat().st_ino for each in path.iterdir()}

    assert path == save(run, 10)
    assert before == {each.name: each.stat().st_ino for each in path.iterdir()}


@pytest.mark.parametrize("name", ["state.json", "optimizer.safetensors"])
def test_a_damaged_one_of_the_same_step_is_replaced_and_kept_for_inspection(run, name):
    """
    After falling back from a damaged checkpoint, training reaches its step again.
    """
    (run / "checkpoints" / "step-10" / name).write_text("{")
    save(run, 10)

    checkpoints.load(run / "checkpoints" / "step-10").verify()
    assert ["step-10", "step-10.damaged", "step-5"] == [
        name[:15] for name in names(run / "checkpoints")
    ]
    assert [5, 10] == checkpoints.steps(run / "checkpoints")


@contextmanager
def files_of_at_most(size):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("size", [0, 80, 100, 300, 600])
def test_a_save_that_fails_leaves_the_older_checkpoints_and_nothing_else(run, size):
    """
    When the disk is full, training continues, and the next attempt must find the same files.
    """
    with files_of_at_most(size), pytest.raises(ResourceError) as caught:
        save(run, 15)

    assert f"{run}/checkpoints/step-15: cannot be written, file too large" == str(caught.value)
    assert ["step-10", "step-5"] == names(run / "checkpoints")
    assert 15 == checkpoints.load(save(run, 15)).step


def test_a_save_that_cannot_fit_is_not_begun(run):
    """
    A completely full disk breaks other programs as well.
    """
    huge = np.broadcast_to(np.float32(0), (10**8, 10**6))
    with pytest.raises(
        ResourceError, match=r"step-15: cannot be written, it needs 400,000,000.0 MB"
    ):
        save(run, 15, parts={MODEL: {"a": huge}})


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"parts": {MODEL: {"a": np.array([{}])}}}, TypeError),
        ({"state": {"loss": float("nan")}}, ValueError),
        ({"state": {"path": object()}}, TypeError),
    ],
)
def test_what_could_not_come_back_is_not_saved(run, changes, error):
    """
    Only a bug can request this, and it must not leave a broken checkpoint behind.
    """
    with pytest.raises(error):
        save(run, 15, **changes)

    assert ["step-10", "step-5"] == names(run / "checkpoints")


def test_an_attached_file_that_is_gone_fails_the_save_and_not_the_training(run):
    """
    If a user deletes files of a running run, only the save fails, and it is retried later.
    """
    (run / "model.json").unlink()
    with pytest.raises(ResourceError, match=r"step-15: cannot be saved, .*model.json is missing"):
        save(run, 15)

    assert ["step-10", "step-5"] == names(run / "checkpoints")


def test_a_folder_that_vanished_is_made_again(run):
    """
    If a user removes the checkpoints of a running run, the next save creates the folder again.
    """
    shutil.rmtree(run / "checkpoints")

    assert 15 == checkpoints.load(save(run, 15)).step


def test_pruning_removes_the_others_and_what_the_dead_left(run):
    """
    The last two and the best are kept, and partial checkpoints must not fill the disk.
    """
    save(run, 15)
    (run / "checkpoints" / "step-20.tmp-1-01234567").mkdir()
    (run / "checkpoints" / "notes.txt").write_text("the user's own")
    with files.draft_folder(run / "checkpoints" / "step-25") as alive:
        checkpoints.prune(run / "checkpoints", {5, 15})

        assert ["notes.txt", "step-15", alive.name, "step-5"] == names(run / "checkpoints")


def test_nothing_is_pruned_unless_something_stays(run):
    """
    If the new checkpoint was not saved after all, the old ones are the only ones.
    """
    checkpoints.prune(run / "checkpoints", {15})

    assert [5, 10] == checkpoints.steps(run / "checkpoints")


@pytest.mark.parametrize("best", [set(), {5}])
def test_readers_see_a_whole_checkpoint_while_a_trainer_replaces_them(run, best):
    """
    `predict` may run next to a training run that saves and prunes: it must always find a
    checkpoint, and never take an old best one for the newest.
    """
    done = threading.Event()

    def train():
        for step in range(15, 215, 5):
            save(run, step)
            checkpoints.prune(run / "checkpoints", {step} | best)
        done.set()

    read = {}

    def check(checkpoint):
        read[checkpoint.step] = int(checkpoint.read(OPTIMIZER)["000000"])

    trainer = threading.Thread(target=train)
    trainer.start()
    seen = []
    while not done.is_set():
        found, problems = checkpoints.newest(run / "checkpoints", check)

        assert found is not None
        assert [] == problems
        assert found.step == read[found.step]
        seen.append(found.step)
    trainer.join()

    assert sorted(seen) == seen
    assert len(set(seen)) > 1
