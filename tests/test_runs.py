"""A run's folder belongs to one run, one process at a time, and says how it stands."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from imgcls import checkpoints, files, rows, runs
from imgcls.errors import LockedError, ResourceError, RunError

ENVIRONMENT = os.environ | {
    "PYTHONPATH": str(Path(runs.__file__).parents[1]),
    "OPENBLAS_NUM_THREADS": "1",  # its threads would make a fork complain
}


def child(code, *arguments):
    """Starts Python without TensorFlow."""
    return subprocess.Popen(
        [sys.executable, "-B", "-c", code, *map(str, arguments)],
        env=ENVIRONMENT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip


def names(root):
    return sorted(path.name for path in root.iterdir())


def with_checkpoint(run, step=1):
    checkpoints.save(run.checkpoints, step, {"a": np.zeros(1)}, {})
    return run


def test_runs_are_numbered_from_one_and_kept_apart_by_their_whole_name(tmp_path):
    """
    `cifar10` and `cifar10-2` are two configs; neither may take the other's number.
    """
    made = [
        runs.create(tmp_path, name).folder.name
        for name in ("cifar10-2", "cifar10-2", "cifar10", "cifar10", "cifar10-002", "a (b)+", "10")
    ]

    assert [
        *("cifar10-2-001", "cifar10-2-002", "cifar10-001", "cifar10-002", "cifar10-002-001"),
        *("a (b)+-001", "10-001"),
    ] == made


def test_the_next_number_is_above_the_highest_and_grows_beyond_three_digits(tmp_path):
    """
    A removed run's number is not given again while a later one is there, and 999 is no end.
    """
    for name in ("net-004", "net-998", "net-12", "net-x", "net-001-copy", "other-5000"):
        (tmp_path / name).mkdir()
    (tmp_path / "net-997").write_text("a file")

    assert ["net-999", "net-1000", "net-1001"] == [
        runs.create(tmp_path, "net").folder.name for _ in range(3)
    ]


def test_a_new_run_is_running_and_nothing_else(tmp_path):
    """
    Killed in its first second, it can still be told from a finished one.
    """
    run = runs.create(tmp_path / "runs", "net")

    assert ["status.json"] == names(run.folder)
    assert "running" == runs.read_status(run)["state"]


CREATE = """
import os, sys
from pathlib import Path
from imgcls import runs
for _ in range(16):
    if not os.fork():
        sys.stdin.read()  # until all are there
        for _ in range(8):
            runs.create(Path(sys.argv[1]), "net")
        os._exit(0)
print("ready", flush=True)
sys.exit(any(os.wait()[1] for _ in range(16)))
"""


def test_sixteen_processes_at_once_make_no_run_twice(tmp_path):
    """
    A script starts a run for each seed at the same moment; none may write into another's.
    """
    process = child(CREATE, tmp_path)
    assert "ready\n" == process.stdout.readline()
    process.communicate()

    assert 0 == process.returncode
    assert [f"net-{number:03}" for number in range(1, 129)] == names(tmp_path)


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
    Ten hours later would be too late to hear it.
    """
    (tmp_path / "file").write_text("")
    with pytest.raises(ResourceError) as caught:
        runs.create(tmp_path / root, name)

    assert str(caught.value).endswith(message)


def test_a_path_that_is_no_run_is_answered_with_those_that_may_have_been_meant(
    tmp_path, monkeypatch
):
    """
    Typing `cifar10-01`, or a path into a run, is a slip; the answer has the right words in it.
    """
    monkeypatch.chdir(tmp_path)
    run = runs.create(Path("runs"), "cifar10")
    run.checkpoints.mkdir()

    assert run == runs.open_run(Path("runs/cifar10-001"))
    for path, message in {
        "runs/cifar-001": "does not exist; did you mean runs/cifar10-001?",
        "cifar10-001": "does not exist; did you mean runs/cifar10-001?",
        "runs/cifar10-001/checkpoints": "is no run; did you mean runs/cifar10-001?",
        "runs": "is no run; the runs are in runs/",
        "runs/mnist-7": "does not exist; the runs are in runs/",
    }.items():
        with pytest.raises(RunError) as caught:
            runs.open_run(Path(path))

        assert f"{path} {message}" == str(caught.value)


def test_the_newest_run_is_the_one_that_was_started_last_and_has_a_checkpoint(tmp_path):
    """
    `imgcls evaluate` means what one just did: not what was touched last, nor what never saved.
    """
    first, second, third = (
        with_checkpoint(runs.create(tmp_path, name)) for name in ("b", "a", "c")
    )
    runs.create(tmp_path, "unsaved")
    runs.set_status(first, "finished")
    (tmp_path / "no run").mkdir()
    for age, run in enumerate((third, second, first)):
        os.utime(run.folder, (2e9 + age, 2e9 + age))

    assert third == runs.newest(tmp_path)
    third.status.write_text("damaged")

    assert second == runs.newest(tmp_path)


def test_of_runs_started_at_the_same_time_the_highest_number_is_the_newest(tmp_path):
    """
    A coarse clock, or one that stands still, must not choose by the alphabet.
    """
    for number in (9, 10, 1000, 999):
        run = with_checkpoint(runs.Run(tmp_path / f"net-{number:03}"))
        files.write_json(run.status, {"state": "finished", "started": "2025-01-01"})

    assert "net-1000" == runs.newest(tmp_path).folder.name


def test_where_no_run_has_a_checkpoint_the_error_says_what_to_do(tmp_path):
    """
    It is the first thing a beginner meets who evaluates before training.
    """
    with pytest.raises(RunError, match="has no run yet") as caught:
        runs.newest(tmp_path / "nowhere")

    assert "imgcls train CONFIG" == caught.value.hint
    runs.create(tmp_path, "net")
    with pytest.raises(RunError, match=r"has no run with a checkpoint; .*net-001 ended") as caught:
        runs.newest(tmp_path)

    assert "imgcls train CONFIG, anew" == caught.value.hint


def test_a_status_keeps_when_the_run_was_started_and_no_older_field(tmp_path):
    """
    A resumed run is as old as it is, and last week's error is not today's.
    """
    run = runs.create(tmp_path, "net")
    started = runs.read_status(run)["started"]
    runs.set_status(run, "diverged", error="loss became nan", loss=float("nan"))

    assert {"state", "started", "changed", "error", "loss"} == set(runs.read_status(run))
    runs.set_status(run, "running", step=7)
    status = runs.read_status(run)

    assert (started, "running", 7) == (status["started"], status["state"], status["step"])
    assert "error" not in status
    assert status["changed"] > started


HOLD = """
import sys
from pathlib import Path
from imgcls import runs
with runs.lock(runs.Run(Path(sys.argv[1]))):
    print("locked", flush=True)
    sys.stdin.read()
"""


def test_a_run_in_use_names_its_process_and_a_killed_one_is_free(tmp_path):
    """
    Two trainers in one folder would ruin both; a dead one must not block for ever.
    """
    run = runs.create(tmp_path, "net")
    holder = child(HOLD, run)
    assert "locked\n" == holder.stdout.readline()
    (run.folder / "status.json.tmp-1-0123abcd").write_text("left by a dead one")
    with pytest.raises(LockedError, match=rf"net-001 is in use by process {holder.pid} on \S+ sin"):
        runs.lock(run).__enter__()
    holder.kill()
    holder.communicate()
    with runs.lock(run):
        assert os.getpid() == json.loads((run.folder / "run.lock").read_text())["pid"]
        assert ["run.lock", "status.json"] == names(run.folder)
        with pytest.raises(LockedError, match=str(os.getpid())):
            runs.lock(run).__enter__()


RACE = """
import os, sys, time
from pathlib import Path
from imgcls import runs
from imgcls.errors import LockedError
for _ in range(8):
    if not os.fork():
        sys.stdin.read()  # until all are there
        try:
            held = runs.lock(runs.Run(Path(sys.argv[1])))
            held.__enter__()
        except LockedError:
            os._exit(10)
        os.write(1, b"won ")
        time.sleep(1)  # until the others have tried
        os._exit(0)
print("ready", flush=True)
print(sorted(os.waitstatus_to_exitcode(os.wait()[1]) for _ in range(8)))
"""


def test_of_eight_that_want_a_run_at_once_one_gets_it(tmp_path):
    """
    A scheduler restarts a job that was still alive, eight times.
    """
    process = child(RACE, runs.create(tmp_path, "net"))
    assert "ready\n" == process.stdout.readline()
    output, _ = process.communicate()

    assert "won [0, 10, 10, 10, 10, 10, 10, 10]\n" == output


def test_what_fails_inside_a_locked_run_is_not_blamed_on_the_lock(tmp_path):
    """
    The whole training happens in there; its errors are its own.
    """
    run = runs.create(tmp_path, "net")
    with pytest.raises(FileNotFoundError), runs.lock(run):
        (tmp_path / "missing").read_text()


def test_a_run_that_cannot_be_locked_is_an_error_of_the_machine(tmp_path):
    """
    Its folder was removed, or is read-only.
    """
    with pytest.raises(ResourceError, match=r"gone/run.lock: cannot be written, no such file"):
        runs.lock(runs.Run(tmp_path / "gone")).__enter__()


def test_metrics_are_appended_read_and_rewound_in_the_run(tmp_path):
    """
    What a resume undoes stays readable beside what counts.
    """
    run = runs.create(tmp_path, "net")
    for step in (1, 2, 3):
        rows.append(run.metrics, {"step": step, "loss": np.float32(0.5)})
    rows.sync(run.metrics)
    runs.rewind_metrics(run, 1, 0)

    assert [{"step": 1, "loss": 0.5}] == rows.read(run.metrics)
    assert 2 == len(run.superseded.read_text().splitlines())


def test_the_row_of_an_epoch_whose_end_was_not_saved_is_undone(tmp_path):
    """
    It has the step of the checkpoint before it, and the resume writes it once more.
    """
    run = runs.create(tmp_path, "net")
    for epoch in (1, 2):
        rows.append(run.metrics, {"kind": "epoch", "epoch": epoch, "step": 10 * epoch})
    runs.rewind_metrics(run, 20, 1)

    assert [1] == [row["epoch"] for row in rows.read(run.metrics)]
