"""Only the weights that are used are read from a run, so damage to others does not matter."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import imgcls
from imgcls.errors import RunError
from imgcls.events import Warned
from imgcls.inference.loading import load_run
from imgcls.runs import checkpoints, manifest
from imgcls.runs.checkpoints import AVERAGED, MODEL, OPTIMIZER, Checkpoint

KEPT = Path(__file__).parents[1] / "kept_runs" / "format-3"
BEST, LAST = "step-46", "step-49"


@pytest.fixture
def run(tmp_path):
    """A run with averaged weights, whose best checkpoint is not its last one."""
    shutil.copytree(KEPT, tmp_path / "run")
    return tmp_path / "run"


def spoil(run, step, name):
    path = run / "checkpoints" / step / name
    path.write_bytes(path.read_bytes()[:-1])
    return path


def load(run, choice=None, weights=None):
    """Returns the run, and the warnings from reading it."""
    events: list[object] = []
    loaded = load_run(run, run.parent, choice, events.append, weights)
    return loaded, [event.message for event in events if isinstance(event, Warned)]


def save(run, step, parts, best):
    """Saves one more checkpoint, with the arrays of the last one."""
    saved, _ = checkpoints.newest(run / "checkpoints")
    assert saved is not None
    state = saved.state | {"step": step, "best": {"step": best}}
    attached = {name: run / name for name in ("config.yaml", "model.json")}
    checkpoints.save(
        run / "checkpoints", step, {part: saved.read(part) for part in parts}, state, attached
    )


READ = """
import sys
from pathlib import Path
from imgcls.inference.loading import load_run

def total():
    return int(Path("/proc/self/io").read_text().split()[1])

run, choice, weights = Path(sys.argv[1]), *(each or None for each in sys.argv[2:])
ignore = lambda event: None
load_run(run, run.parent, choice, ignore, weights)  # imports, and what they read
opened = []
def note(event, arguments):
    if event == "open" and str(arguments[0]).startswith(str(run)):
        opened.append(Path(arguments[0]))
sys.addaudithook(note)
before = total()
load_run(run, run.parent, choice, ignore, weights)
print(total() - before, *("/".join(path.parts[-2:]) for path in opened))
"""


@pytest.mark.parametrize(
    ("choice", "weights", "expected"),
    [
        ("", "", f"{BEST}/averaged.safetensors"),
        ("best", "averaged", f"{BEST}/averaged.safetensors"),
        ("best", "raw", f"{BEST}/model.safetensors"),
        ("last", "", f"{LAST}/averaged.safetensors"),
        ("last", "raw", f"{LAST}/model.safetensors"),
    ],
)
def test_one_file_of_one_checkpoint_is_read_once(run, choice, weights, expected):
    """
    Users must wait only for the network's own weights, not for an optimizer of twice their size,
    the other weights or the other checkpoints.
    """
    large = {"a": np.zeros(10**6, np.float32)}
    attached = {name: run / name for name in ("config.yaml", "model.json")}
    for step in (BEST, LAST):
        state = checkpoints.load(run / "checkpoints" / step).state
        shutil.rmtree(run / "checkpoints" / step)
        parts = dict.fromkeys((MODEL, OPTIMIZER, AVERAGED), large)
        checkpoints.save(run / "checkpoints", int(step[5:]), parts, state, attached)
    done = subprocess.run(
        [sys.executable, "-c", READ, str(run), choice, weights],
        env=os.environ | {"PYTHONPATH": str(Path(imgcls.__path__[0]).parent)},
        check=True,
        capture_output=True,
        text=True,
    )
    size, *opened = done.stdout.split()

    assert [expected] == [name for name in opened if name.endswith(".safetensors")]
    assert 4 * 10**6 < int(size) < 4.1 * 10**6


@pytest.mark.parametrize("step", [BEST, LAST])
def test_a_damaged_optimizer_does_not_stop_a_prediction_but_is_skipped_when_resuming(run, step):
    """
    The weights are intact; only training needs the optimizer.
    """
    path = spoil(run, step, "optimizer.safetensors")

    assert [] == load(run)[1]
    assert [] == load(run, "best")[1]
    assert [] == load(run, "last")[1]
    found, problems = checkpoints.newest(run / "checkpoints", Checkpoint.verify)
    assert found is not None
    assert (BEST if step == LAST else LAST) == found.path.name
    assert [str(path)] * (step == LAST) == [each.split(" ")[0] for each in problems]


def test_damaged_weights_of_the_best_checkpoint_are_replaced_by_the_last_with_a_warning(run):
    """
    The last checkpoint is only a few epochs away and good enough, but users who ask for the best
    one must get an error.
    """
    path = spoil(run, BEST, "averaged.safetensors")
    loaded, warnings = load(run)

    assert LAST == loaded.checkpoint
    assert [True] == [
        each.startswith(f"the best checkpoint cannot be used: {path} is damaged")
        and each.endswith("; the last one is used")
        for each in warnings
    ]
    assert [] == load(run, weights="raw")[1]
    with pytest.raises(RunError, match=r"step-46/averaged\.safetensors is damaged") as caught:
        load(run, "best")
    assert run == caught.value.run


def test_a_damaged_last_checkpoint_that_is_also_the_best_is_one_warning(run):
    """
    Two warnings about one file would look like two damaged files.
    """
    save(run, 50, (MODEL, OPTIMIZER, AVERAGED), best=50)
    path = spoil(run, "step-50", "averaged.safetensors")
    loaded, warnings = load(run)

    assert LAST == loaded.checkpoint
    assert [True] == [
        each.startswith(f"{path} is damaged") and each.endswith("; an older checkpoint is used")
        for each in warnings
    ]
    for choice in ("best", "last"):
        with pytest.raises(RunError, match=r"damaged: .*; without --checkpoint, an older one is"):
            load(run, choice)


def test_a_damaged_manifest_of_the_last_checkpoint_is_a_warning_though_the_best_is_whole(run):
    """
    Only the last checkpoint records which one is best: an older one may name an older best.
    """
    save(run, 50, (MODEL, OPTIMIZER, AVERAGED), best=50)
    path = spoil(run, "step-50", "MANIFEST.json")
    loaded, warnings = load(run)

    assert BEST == loaded.checkpoint
    assert [f"{path} is damaged: its SHA-256 is another; an older checkpoint is used"] == warnings
    for choice in ("best", "last"):
        with pytest.raises(RunError, match=r"damaged: .*; without --checkpoint, an older one is"):
            load(run, choice)


def test_where_no_weights_are_whole_each_damage_is_named(run):
    """
    One look at the messages must be enough to know what to restore from a backup.
    """
    paths = [spoil(run, step, "averaged.safetensors") for step in (LAST, BEST)]
    events: list[object] = []
    with pytest.raises(RunError, match="has no checkpoint that can be used") as caught:
        load_run(run, run.parent, None, events.append)
    warnings = [event.message for event in events if isinstance(event, Warned)]

    assert all(any(str(path) in each for each in warnings) for path in paths)
    assert "start a new run: imgcls train CONFIG" == caught.value.hint


@pytest.mark.parametrize("choice", [None, "best", "last"])
def test_averaged_weights_that_a_run_does_not_have_are_one_error(run, choice):
    """
    Falling back to raw weights would give the figures of another model.
    """
    save(run, 50, (MODEL, OPTIMIZER), best=46)
    events: list[object] = []
    with pytest.raises(RunError, match=r"has no averaged weights; training\.average keeps some"):
        load_run(run, run.parent, choice, events.append, "averaged")

    assert [] == events


def test_raw_and_averaged_weights_are_those_of_their_files(run):
    """
    Users compare both to find out whether averaging pays off.
    """
    saved = checkpoints.load(run / "checkpoints" / BEST)
    name = "layers[4].Dense/kernel"
    raw, averaged = (load(run, weights=weights)[0].weights for weights in ("raw", "averaged"))

    assert np.array_equal(saved.read(MODEL)[name], raw[name])
    assert np.array_equal(saved.read(AVERAGED)[name], averaged[name])
    assert not np.array_equal(raw[name], averaged[name])
    assert averaged.keys() == raw.keys() == load(run)[0].weights.keys()


def test_a_run_of_an_older_format_is_rejected_with_both_formats_and_what_to_do(run):
    """
    The files are intact, and no other imgcls command will help.
    """
    for step in (BEST, LAST):
        path = run / "checkpoints" / step / "MANIFEST.json"
        content = json.loads(path.read_text())
        del content["sha256"]
        path.write_bytes(manifest.to_bytes(content | {"format": 1}))
    events: list[object] = []
    with pytest.raises(RunError, match="has no checkpoint that can be used"):
        load_run(run, run.parent, None, events.append)
    warnings = [event.message for event in events if isinstance(event, Warned)]

    assert 2 == len(warnings)
    for step, warning in zip((LAST, BEST), warnings, strict=True):
        assert warning.endswith(
            f"{step} has format 1, and imgcls 0.1.0 reads format 3 only; train the config again"
        )
