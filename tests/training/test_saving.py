"""A temporary disk failure costs checkpoints, but not the run."""

import resource
import shutil
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import yaml

from imgcls.commands.train import train
from imgcls.errors import DivergedError, ResourceError
from imgcls.events import EpochEnded, Progressed, Saved, Warned
from imgcls.runs import checkpoints, folders
from tests.new_runs import create

DENSE = [{"Dense": {"units": "classes", "activation": "softmax"}}]


@pytest.fixture
def config(tmp_path, small):
    """Five short epochs with a network of one layer."""
    path = tmp_path / "small.yaml"
    training = {"epochs": 5, "steps_per_epoch": 4, "batch_size": 16, "best": "loss"}
    changes = {"layers": ["Flatten", *DENSE], "augmentation": [], "training": training}
    path.write_text(yaml.safe_dump(small(**changes)), encoding="utf-8")
    return path


class Disk:
    """Limits files to 5,000 bytes, too few for any checkpoint, during some epochs."""

    def __init__(self, full):
        self.full = full
        self.events: list[object] = []
        self.before = resource.getrlimit(resource.RLIMIT_FSIZE)

    def __call__(self, event):
        """Handles an event."""
        self.events.append(event)
        if isinstance(event, Progressed):
            if event.epoch in self.full:
                resource.setrlimit(resource.RLIMIT_FSIZE, (5000, self.before[1]))
            else:
                self.mend()

    def mend(self):
        """Lifts the limit."""
        resource.setrlimit(resource.RLIMIT_FSIZE, self.before)

    def of(self, kind):
        """Returns the events of a kind."""
        return [event for event in self.events if isinstance(event, kind)]


@contextmanager
def disk(*full):
    """Yields a disk that is full in these epochs, and always restored after the test."""
    made = Disk(full)
    try:
        yield made
    finally:
        made.mend()


def test_the_status_has_the_step_of_each_checkpoint(config, tmp_path):
    """
    Users who watch several runs can see from one small file which of them still make progress.
    """
    told = []

    def report(event):
        if isinstance(event, Saved):
            (run,) = (tmp_path / "runs").iterdir()
            status = folders.read_status(folders.Run(run))
            told.append((event.step, status["step"], status["state"], status["changed"]))

    train(config, report, root=tmp_path / "runs")

    assert [(4 * n, 4 * n, "running") for n in range(1, 6)] == [each[:3] for each in told]
    assert 5 == len({changed for *_, changed in told})


def test_a_disk_that_is_full_for_two_saves_is_two_warnings(config, tmp_path):
    """
    Another user's file may fill the disk for an hour at night; the run must survive that.
    """
    with disk(2, 3, 5, 6) as seen:
        trained = train(config, seen, root=tmp_path / "runs", overrides=["training.epochs=7"])
    warnings = [event.message for event in seen.of(Warned)]

    assert "finished" == trained.status
    assert [4, 16, 28] == [event.step for event in seen.of(Saved)]
    assert ["(1 of 3)", "(2 of 3)"] * 2 == [warning[-8:] for warning in warnings]
    assert "checkpoints/step-8: cannot be " in warnings[0]
    assert "file too large; training continues and tries again later" in warnings[0]
    assert [16, 28] == checkpoints.steps(trained.run / "checkpoints")


def test_the_third_failed_save_in_a_row_ends_the_training(config, tmp_path):
    """
    A run that cannot be saved is not worth its electricity, but earlier checkpoints must remain.
    """
    with disk(2, 3, 4) as seen, pytest.raises(ResourceError, match=r"step-16: cannot"):
        train(config, seen, root=tmp_path / "runs")
    trained = train(None, lambda _: None, resume=tmp_path / "runs" / "small-001")

    assert [4] == [event.step for event in seen.of(Saved)][:1]
    assert 2 == sum("training continues" in event.message for event in seen.of(Warned))
    assert "finished" == trained.status


def test_a_failed_last_save_is_an_error_at_once(config, tmp_path):
    """
    There is no later chance to save, and exit code 0 would suggest that the final model exists.
    """
    with disk(5) as seen, pytest.raises(ResourceError, match="step-20: cannot"):
        train(config, seen, root=tmp_path / "runs")
    status = folders.read_status(folders.open_run(tmp_path / "runs" / "small-001"))

    assert ("failed", 8) == (status["state"], status["exit"])
    assert [12, 16] == checkpoints.steps(tmp_path / "runs" / "small-001" / "checkpoints")[-2:]


def test_rows_that_could_not_be_written_are_written_later_in_their_order(config, tmp_path):
    """
    A metrics file with gaps would give a wrong learning curve.
    """
    metrics = tmp_path / "runs" / "small-001" / "metrics.jsonl"
    aside = metrics.with_name("aside")

    def report(event):
        if isinstance(event, Progressed) and event.epoch == 2 and not aside.exists():
            metrics.rename(aside)
            metrics.mkdir()  # no row can be appended to this
        if isinstance(event, EpochEnded) and event.epoch == 3:
            metrics.rmdir()
            aside.rename(metrics)

    train(config, report, root=tmp_path / "runs")
    lines = metrics.read_text().splitlines()

    assert [1, 2, 3, 4, 5] == [yaml.safe_load(line)["epoch"] for line in lines]


def test_a_run_that_was_removed_while_it_trains_ends_after_three_saves(config, tmp_path):
    """
    If a user deletes a run, its training must end by itself and must not recreate the folder.
    """
    run = tmp_path / "runs" / "small-001"
    warnings: list[str] = []

    def report(event):
        if isinstance(event, EpochEnded) and event.epoch == 2:
            shutil.rmtree(run)
        if isinstance(event, Warned):
            warnings.append(event.message)

    with pytest.raises(ResourceError, match="cannot be written, no such file or directory"):
        train(config, report, root=tmp_path / "runs")

    assert 2 == sum("training continues" in message for message in warnings)
    assert not run.exists()


def test_a_run_that_took_the_name_of_a_removed_one_is_left_alone(config, tmp_path):
    """
    After `rm -r` and a new start, the old process may still be training; two processes that write
    to one folder would ruin the new run.
    """
    run = folders.Run(tmp_path / "runs" / "small-001")

    def report(event):
        if isinstance(event, EpochEnded) and event.epoch == 2:
            kept = run.config.read_bytes(), run.model.read_bytes()
            shutil.rmtree(run.folder)
            assert run == create(tmp_path / "runs", "small", kept[0])
            run.model.write_bytes(kept[1])

    with pytest.raises(ResourceError, match="small-001 is another run by now"):
        train(config, report, root=tmp_path / "runs")

    assert not run.metrics.exists()
    assert not run.checkpoints.exists()


def test_few_open_files_are_enough(config, tmp_path):
    """
    Some clusters allow only 64 open files; leaking one per save or epoch would end a long run.
    """
    used: list[int] = []

    def report(event):
        if isinstance(event, EpochEnded):
            used.append(len(list(Path("/proc/self/fd").iterdir())))

    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, before[1]))
    try:
        train(config, report, root=tmp_path / "runs", overrides=["training.epochs=8"])
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)

    assert 8 == len(used)
    assert 1 == len(set(used[1:]))


def test_weights_that_are_not_finite_are_never_saved(config, tmp_path):
    """
    A step can spoil the weights after its loss was computed, and the checkpoint comes after the
    step.
    """
    from imgcls.training.saving import Saver
    from imgcls.training.state import State

    run = folders.open_run(train(config, lambda _: None, root=tmp_path / "runs").run)
    newest, _ = checkpoints.newest(run.checkpoints)
    assert newest is not None
    state = State.of(newest)
    parts = {part: newest.read(part) for part in ("model", "optimizer")}
    name = next(iter(parts["model"]))
    spoilt = parts["model"][name].copy()
    spoilt.flat[3] = np.inf
    parts["model"][name] = spoilt
    state.step += 1

    with pytest.raises(DivergedError, match="a weight is not finite any more after step 21"):
        Saver(run, lambda _: None).save(state, parts)
    assert 20 == checkpoints.steps(run.checkpoints)[-1]
