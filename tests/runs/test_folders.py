"""A run's folder belongs to one run and one process at a time, and records its status."""

import os
from pathlib import Path

import numpy as np
import pytest

from imgcls import files
from imgcls.errors import LockedError, ResourceError, RunError
from imgcls.runs import checkpoints, folders, lock, rows
from tests.new_runs import create


def names(root):
    return sorted(path.name for path in root.iterdir())


def with_checkpoint(run, step=1):
    checkpoints.save(run.checkpoints, step, {"model": {"a": np.zeros(1)}}, {})
    return run


def test_runs_are_numbered_from_one_and_kept_apart_by_their_whole_name(tmp_path):
    """
    `cifar10` and `cifar10-2` are two configs; neither may take the other's numbers.
    """
    made = [
        create(tmp_path, name).folder.name
        for name in ("cifar10-2", "cifar10-2", "cifar10", "cifar10", "cifar10-002", "a (b)+", "10")
    ]

    assert [
        *("cifar10-2-001", "cifar10-2-002", "cifar10-001", "cifar10-002", "cifar10-002-001"),
        *("a (b)+-001", "10-001"),
    ] == made


def test_the_next_number_is_above_the_highest_and_grows_beyond_three_digits(tmp_path):
    """
    A removed run's number is not reused while a later one exists, and 999 is not the limit.
    """
    for name in ("net-004", "net-998", "net-12", "net-x", "net-001-copy", "other-5000"):
        (tmp_path / name).mkdir()
    (tmp_path / "net-997").write_text("a file")

    assert ["net-999", "net-1000", "net-1001"] == [
        create(tmp_path, "net").folder.name for _ in range(3)
    ]


def test_a_new_run_is_running_and_held_and_says_what_was_asked(tmp_path):
    """
    A run killed in its first second must be distinguishable from a finished one, and resumable.
    """
    with folders.created(tmp_path / "runs", "net", b"seed: 7") as run:
        assert ["config.yaml", "run.lock", "status.json"] == names(run.folder)
        assert b"seed: 7" == run.config.read_bytes()
        assert "running" == folders.read_status(run)["state"]
        with pytest.raises(LockedError):
            lock.held(run.folder).__enter__()
    with lock.held(run.folder):
        assert ["net-001"] == names(run.folder.parent)


def test_what_a_killed_start_left_is_no_run(tmp_path):
    """
    `imgcls evaluate` must not pick an incomplete run as the newest one.
    """
    create(tmp_path, "net").folder.rename(tmp_path / "run.tmp-1-0123abcd")
    with pytest.raises(RunError, match="has no run yet"):
        folders.newest(tmp_path)

    assert "net-001" == create(tmp_path, "net").folder.name


@pytest.mark.parametrize(
    ("root", "name", "message"),
    [
        ("file", "net", "file: cannot be written, file exists"),
        ("file/runs", "net", "file/runs: cannot be written, not a directory"),
        ("runs", "n" * 255, "n-001: cannot be written, file name too long"),
    ],
)
def test_a_run_that_cannot_be_made_is_an_error_before_any_training(tmp_path, root, name, message):
    """
    Ten hours later would be too late to report it.
    """
    (tmp_path / "file").write_text("")
    with pytest.raises(ResourceError) as caught:
        create(tmp_path / root, name)

    assert str(caught.value).endswith(message)


def test_a_path_that_is_no_run_is_answered_with_those_that_may_have_been_meant(
    tmp_path, monkeypatch
):
    """
    `cifar10-01`, or a path inside a run, is a typo; the error must suggest the correct path.
    """
    monkeypatch.chdir(tmp_path)
    run = create(Path("runs"), "cifar10")
    run.checkpoints.mkdir()

    assert run == folders.open_run(Path("runs/cifar10-001"))
    for path, message in {
        "runs/cifar-001": "does not exist; did you mean runs/cifar10-001?",
        "cifar10-001": "does not exist; did you mean runs/cifar10-001?",
        "runs/cifar10-001/checkpoints": "is no run; did you mean runs/cifar10-001?",
        "runs": "is no run; the runs are in runs/",
        "runs/mnist-7": "does not exist; the runs are in runs/",
    }.items():
        with pytest.raises(RunError) as caught:
            folders.open_run(Path(path))

        assert f"{path} {message}" == str(caught.value)


def test_the_newest_run_is_the_one_that_was_started_last_and_has_a_checkpoint(tmp_path):
    """
    `imgcls evaluate` must use the run started last, not one touched later or never saved.
    """
    first, second, third = (with_checkpoint(create(tmp_path, name)) for name in ("b", "a", "c"))
    create(tmp_path, "unsaved")
    folders.set_status(first, "finished")
    (tmp_path / "no run").mkdir()
    for age, run in enumerate((third, second, first)):
        os.utime(run.folder, (2e9 + age, 2e9 + age))

    assert third == folders.newest(tmp_path)
    third.status.write_text("damaged")

    assert second == folders.newest(tmp_path)


def test_of_runs_started_at_the_same_time_the_highest_number_is_the_newest(tmp_path):
    """
    With a coarse or stopped clock, the choice must not be alphabetical.
    """
    for number in (9, 10, 1000, 999):
        run = with_checkpoint(folders.Run(tmp_path / f"net-{number:03}"))
        files.write_json(run.status, {"state": "finished", "started": "2025-01-01"})

    assert "net-1000" == folders.newest(tmp_path).folder.name


def test_a_clock_that_was_put_back_does_not_make_an_old_run_the_newest(tmp_path):
    """
    A machine without a clock battery starts in 1970; the run's number still tells the order.
    """
    for number, started in ((1, "2026-05-01"), (2, "1970-01-01"), (3, "1970-01-01")):
        run = folders.Run(tmp_path / f"net-{number:03}")
        run.folder.mkdir()
        files.write_json(run.status, {"state": "finished", "started": started})
        if number < 3:
            with_checkpoint(run)

    assert "net-002" == folders.newest(tmp_path).folder.name


def test_where_no_run_has_a_checkpoint_the_error_says_what_to_do(tmp_path):
    """
    It is the first error that beginners meet when they evaluate before training.
    """
    with pytest.raises(RunError, match="has no run yet") as caught:
        folders.newest(tmp_path / "nowhere")

    assert "imgcls train CONFIG" == caught.value.hint
    create(tmp_path, "net")
    with pytest.raises(RunError, match=r"has no run with a checkpoint; .*net-001 ended") as caught:
        folders.newest(tmp_path)

    assert "start a new run: imgcls train CONFIG" == caught.value.hint


def test_a_status_keeps_when_the_run_was_started_and_no_older_field(tmp_path):
    """
    A resumed run keeps its start time, and last week's error must not show up today.
    """
    run = create(tmp_path, "net")
    started = folders.read_status(run)["started"]
    folders.set_status(run, "diverged", error="loss became nan", loss=float("nan"))

    assert {"state", "started", "changed", "error", "loss"} == set(folders.read_status(run))
    folders.set_status(run, "running", step=7)
    status = folders.read_status(run)

    assert (started, "running", 7) == (status["started"], status["state"], status["step"])
    assert "error" not in status
    assert status["changed"] > started


def test_metrics_are_appended_read_and_rewound_in_the_run(tmp_path):
    """
    Rows that a resume undoes must stay readable, next to those that count.
    """
    run = create(tmp_path, "net")
    for step in (1, 2, 3):
        rows.append(run.metrics, {"step": step, "loss": np.float32(0.5)})
    rows.sync(run.metrics)
    folders.rewind_metrics(run, 1, 0)

    assert [{"step": 1, "loss": 0.5}] == rows.read(run.metrics)
    assert 2 == len(run.superseded.read_text().splitlines())


def test_the_row_of_an_epoch_whose_end_was_not_saved_is_undone(tmp_path):
    """
    Its step equals that of the previous checkpoint, and the resumed run writes it again.
    """
    run = create(tmp_path, "net")
    for epoch in (1, 2):
        rows.append(run.metrics, {"kind": "epoch", "epoch": epoch, "step": 10 * epoch})
    folders.rewind_metrics(run, 20, 1)

    assert [1] == [row["epoch"] for row in rows.read(run.metrics)]


@pytest.mark.parametrize("name", ["checkpoints", "log.txt", "config.yaml", "run.lock"])
def test_a_run_with_a_link_in_it_is_refused_before_anything_is_written(name, tmp_path):
    """
    In a run from a stranger, a link named `checkpoints` would get the user's own folder pruned.
    """
    run = with_checkpoint(create(tmp_path / "runs", "net"))
    outside = tmp_path / "outside"
    if (run.folder / name).exists():
        (run.folder / name).rename(outside)
    else:
        outside.touch()
    (run.folder / name).symlink_to(outside)
    for find in (lambda: folders.open_run(run.folder), lambda: folders.newest(tmp_path / "runs")):
        with pytest.raises(RunError, match=rf"net-001/{name} is a link; a run's files must be in"):
            find()


def test_a_link_to_a_run_is_the_run(tmp_path):
    """
    Users keep links such as `runs/latest` to the run that matters.
    """
    run = create(tmp_path, "net")
    (tmp_path / "latest").symlink_to(run.folder)

    assert tmp_path / "latest" == folders.open_run(tmp_path / "latest").folder
