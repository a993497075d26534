"""What may change when a run goes on, and which run goes on."""

import json
import os
import shutil

import numpy as np
import pytest
import yaml

from imgcls.commands.train import train
from imgcls.config import changes, reader
from imgcls.config.config import Config
from imgcls.errors import ImgclsError, LockedError, RunError, UsageError
from imgcls.events import EpochEnded, Noted, Saved, Started, Warned
from imgcls.runs import checkpoints, folders, lock
from imgcls.runs.checkpoints import MODEL, OPTIMIZER
from tests.commands.compared import assert_same, rows
from tests.commands.stopping import StopAt
from tests.new_runs import create

RATE = "optimizer.Adam.learning_rate"


def ignore(event):
    del event


@pytest.fixture
def write(tmp_path, small):
    """Writes the config of a short training."""

    def write(name="short", **parts):
        training = {
            "epochs": 2,
            "steps_per_epoch": 5,
            "batch_size": 16,
            **parts.pop("training", {}),
        }
        path = tmp_path / f"{name}.yaml"
        path.write_text(yaml.safe_dump(small(training=training, **parts)), encoding="utf-8")
        return path

    return write


def interrupted(config, root):
    """A run that Ctrl-C stopped as its first epoch ended."""
    return train(config, StopAt(lambda event: isinstance(event, EpochEnded)), root=root).run


def test_an_extended_run_is_the_longer_run_from_the_start(write, tmp_path):
    """
    Three epochs more tomorrow are worth as much as five epochs today.
    """
    whole = train(write(training={"epochs": 5}), ignore, root=tmp_path / "whole").run
    run = train(write(), ignore, root=tmp_path / "runs").run
    extended = train(None, ignore, resume=run, extend=3)

    assert (5, 5) == (extended.epoch, extended.epochs)
    assert_same(whole, run)


def test_epochs_that_were_added_are_not_forgotten_when_the_run_is_stopped(write, tmp_path):
    """
    After a power cut nobody remembers what was typed the evening before.
    """
    config = write()
    run = train(config, ignore, root=tmp_path / "runs").run
    before = run.joinpath("config.yaml").read_bytes()
    overrides = ["training.epochs=4", "training.checkpoint_seconds=0.5"]
    stop = StopAt(lambda event: isinstance(event, Started))
    train(None, stop, resume=run, overrides=overrides)
    trained = train(None, ignore, resume=run)

    assert (4, "finished") == (trained.epoch, trained.status)
    assert before == run.joinpath("config.yaml").read_bytes()
    assert {"training.epochs", "training.checkpoint_seconds"} == changes.read(
        run / "changes.json"
    ).keys()


def leaves(value, key=""):
    """Every key of a resolved config that has a plain value."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from leaves(inner, f"{key}.{name}".lstrip("."))
    else:
        yield key, value


OTHER = {
    "training.precision": "bfloat16",
    "training.device": "cpu",
    "training.on_divergence": "retry",
    "training.best": "loss",
    "training.class_weight": "auto",
    "training.report_steps": 7,
    "training.steps_per_epoch": 6,
    "training.early_stopping.monitor": "val_accuracy",
    "training.early_stopping.baseline": 0.5,
    "training.average": {"EMA": {"decay": 0.5}},
    "training.train": "head",
    "training.stages": [{"epochs": 2}],
    "training.normalization_statistics": "recomputed",
    "training.reduce_lr_on_plateau": {"monitor": "loss"},
    "training.replicas": 2,
    "optimizer.Adam.weight_decay": 0.5,
    "optimizer.Adam.clipnorm": 0.5,
    "optimizer.Adam.clipvalue": 0.5,
    "optimizer.Adam.global_clipnorm": 0.5,
    "dataset.name": "mnist",
    "dataset.resize": "crop",
    "dataset.validation": 0.3,
    "dataset.test": 0.3,
    "dataset.size": [9, 9],
    "dataset.channels": 3,
    "dataset.subset": 200,
    "augmentation": [],
    "layers": ["Flatten", {"Dense": {"units": "classes"}}],
    "loss": "mean_squared_error",
}


def another(key, value):
    """Another value that the key may have."""
    if key in OTHER:
        return OTHER[key]
    if isinstance(value, bool):
        return not value
    return value + 1 if isinstance(value, int) else value / 2 or 0.5


def test_every_key_is_either_safe_or_refused_never_ignored(write):
    """
    A setting that is silently not applied is the worst of all answers.
    """
    dataset = {"name": "digits", "size": [16, 16]}
    config = write(dataset=dataset, training={"early_stopping": {"patience": 3}})
    resumed = reader.read(config).config
    safe = {changes.length_key(resumed), *changes.SAFE}
    seen = set()
    for leaf, value in leaves(resumed.model_dump(mode="json")):
        key = "loss" if leaf.startswith("loss") else leaf  # it is named, not given by its fields
        also = ["training.epochs=10"] if key == "training.stages" else []  # its default
        now = reader.read(config, [f"{key}={json.dumps(another(key, value))}", *also]).config
        assert changes.differences(resumed, now), key
        seen.add(key)
        if key in safe:
            changes.check(config.parent, resumed, now, {key})
        else:
            with pytest.raises(RunError, match=r"cannot resume .* with other settings"):
                changes.check(config.parent, resumed, now, {key})

    assert seen > safe
    assert {key.split(".")[0] for key in seen} == set(Config.model_fields)


def test_an_unsafe_change_names_the_key_and_both_values_and_leaves_the_run_alone(write, tmp_path):
    """
    Half a run with one rate and half with another is neither.
    """
    run = train(write(), ignore, root=tmp_path / "runs").run
    before = {path: path.read_bytes() for path in run.rglob("*.json*")}
    with pytest.raises(RunError, match=rf"{RATE}: 0\.01 -> 0\.5; seed: 0 -> 1; only training\."):
        train(None, ignore, resume=run, overrides=[f"{RATE}=0.5", "seed=1"])

    assert before == {path: path.read_bytes() for path in run.rglob("*.json*")}


def test_a_schedule_over_the_whole_run_is_given_anew_when_the_run_is_extended(write, tmp_path):
    """
    A cosine that has come down to zero would train no step more; one stretched later is another.
    """
    cosine = {"Adam": {"learning_rate": {"CosineDecay": {"initial_learning_rate": 0.01}}}}
    run = train(write(optimizer=cosine), ignore, root=tmp_path / "runs").run
    with pytest.raises(RunError, match="CosineDecay spans the whole run"):
        train(None, ignore, resume=run, extend=2)
    trained = train(None, ignore, resume=run, extend=2, overrides=[f"{RATE}=0.002"])

    assert "finished" == trained.status
    assert [0.002, 0.002] == [pytest.approx(row["learning_rate"]) for row in rows(run)[2:]]
    train(None, ignore, resume=run, extend=1)
    assert 5 == len(rows(run))


def test_an_extension_with_another_rate_goes_on_with_it_after_a_stop(write, tmp_path):
    """
    The checkpoint has the old rate in it, and must not bring it back.
    """
    run = train(write(), ignore, root=tmp_path / "runs").run
    press = StopAt(lambda event: isinstance(event, Saved))
    train(None, press, resume=run, extend=2, overrides=[f"{RATE}=0.004"])
    train(None, ignore, resume=run)

    assert [0.01, 0.01, 0.004, 0.004] == [pytest.approx(row["learning_rate"]) for row in rows(run)]
    with pytest.raises(RunError, match=r"learning_rate: .* together with the epochs"):
        train(None, ignore, resume=run, overrides=[f"{RATE}=0.1"])


def test_a_run_that_stopped_early_can_be_extended(write, tmp_path):
    """
    Whoever asks for more epochs has seen that it stopped.
    """
    early = {"epochs": 9, "early_stopping": {"monitor": "loss", "min_delta": 100, "patience": 1}}
    first = train(write(training=early), ignore, root=tmp_path / "runs")
    assert first.early
    assert 2 == first.epoch
    second = train(None, ignore, resume=first.run, extend=1)

    assert (3, 3) == (second.epoch, second.epochs)


def test_a_checkpoint_whose_state_is_damaged_is_rejected_in_one_message(write, tmp_path):
    """
    A run folder from elsewhere is data: its sums may be right, and its content nonsense.
    """
    run = folders.open_run(train(write(), ignore, root=tmp_path / "runs").run)
    saved, _ = checkpoints.newest(run.checkpoints)
    assert saved is not None
    forged = {**saved.state, "evaluated": ["two"], "early": "yes"}
    attached = {path.name: path for path in (run.config, run.model)}
    parts = {part: saved.read(part) for part in (MODEL, OPTIMIZER)}
    checkpoints.save(run.checkpoints, saved.step + 1, parts, forged, attached)

    with pytest.raises(RunError, match="the checkpoint's state is damaged: evaluated"):
        train(None, ignore, resume=run.folder, extend=1)


def test_fewer_epochs_than_are_done_are_refused(write, tmp_path):
    """
    A model cannot be untrained.
    """
    run = train(write(), ignore, root=tmp_path / "runs").run
    with pytest.raises(RunError, match="must be at least 2, the epochs that are done"):
        train(None, ignore, resume=run, overrides=["training.epochs=1"])


def test_another_machine_is_told_and_goes_on(write, tmp_path):
    """
    Other versions or threads round otherwise: the user decides whether that matters.
    """
    run = interrupted(write(), tmp_path / "runs")
    environment = run / "environment.json"
    began = json.loads(environment.read_text(encoding="utf-8"))
    other = {"keras": "3.0", "threads": 999, "variables": {"XLA_FLAGS": "--xla_x"}}
    environment.write_text(json.dumps(began | other), encoding="utf-8")
    events: list[object] = []
    trained = train(None, events.append, resume=run)
    # The other warning is that ten steps are too few for the moving averages.
    (told,) = [
        event.message
        for event in events
        if isinstance(event, Warned) and "moving averages" not in event.message
    ]

    assert "finished" == trained.status
    assert told.startswith(
        "the resumed run will not be bit-identical to an uninterrupted one: keras 3.0 -> "
    )
    assert f"threads 999 -> {began['threads']}" in told
    assert "XLA_FLAGS --xla_x -> not set" in told
    assert f"TF_ENABLE_ONEDNN_OPTS not set -> {os.environ['TF_ENABLE_ONEDNN_OPTS']}" in told


def test_a_data_set_that_was_moved_is_the_same_data_set(write, tmp_path):
    """
    The scratch disk of the cluster has another name every week.
    """
    pixels = np.random.default_rng(0).integers(0, 255, (60, 8, 8), np.uint8)
    there = tmp_path / "own.npz"
    np.savez(there, x_train=pixels, y_train=np.arange(60) % 2)
    run = interrupted(write(dataset={"npz": str(there)}), tmp_path / "runs")
    moved = tmp_path / "elsewhere" / "other.npz"
    moved.parent.mkdir()
    shutil.move(there, moved)
    trained = train(None, ignore, resume=run, overrides=[f"dataset.npz={moved}"])

    assert "finished" == trained.status


def test_auto_begins_goes_on_and_begins_again(write, tmp_path):
    """
    One line in a Slurm script or a crontab does the right thing whatever happened before.
    """
    config, root = write(), tmp_path / "runs"
    first = train(config, ignore, resume="auto", root=root)
    second = train(config, ignore, resume="auto", root=root)
    stopped = interrupted(config, root)
    told: list[object] = []
    third = train(config, told.append, resume="auto", root=root)
    whole = train(config, ignore, root=tmp_path / "whole").run

    assert ["short-001", "short-002", "short-003"] == [
        each.name for each in (first.run, second.run, stopped)
    ]
    assert third.run == stopped
    assert Noted(f"resuming {stopped}") in told
    assert_same(whole, stopped)


def test_auto_passes_over_a_run_of_another_config(write, tmp_path):
    """
    A config that was edited since is another experiment; the old one is not bent to it.
    """
    root = tmp_path / "runs"
    told: list[object] = []
    stopped = interrupted(write(), root)
    trained = train(write(seed=5), told.append, resume="auto", root=root)

    assert "short-002" == trained.run.name
    assert Noted(f"{stopped} is passed over: its seed is 0, not 5") in told


@pytest.mark.parametrize("name", ["config.yaml", "status.json"])
def test_auto_says_which_run_it_passes_over_because_it_is_damaged(name, write, tmp_path):
    """
    Beginning anew without a word would hide that a night's work is still there.
    """
    root = tmp_path / "runs"
    stopped = interrupted(write(), root)
    (stopped / name).unlink()
    told: list[object] = []
    trained = train(write(), told.append, resume="auto", root=root)

    assert "short-002" == trained.run.name
    (warned,) = (
        each.message
        for each in told
        if isinstance(each, Warned) and "moving averages" not in each.message
    )
    assert f"{stopped} is passed over: {stopped / name}" in warned


def test_auto_leaves_a_run_alone_that_another_process_trains(write, tmp_path):
    """
    The crontab's next line comes while the last one is still at work.
    """
    root = tmp_path / "runs"
    stopped = folders.open_run(interrupted(write(), root))
    with lock.held(stopped.folder), pytest.raises(LockedError):
        train(write(), ignore, resume="auto", root=root)

    assert ["short-001"] == [path.name for path in root.iterdir()]


def test_a_run_that_was_killed_before_its_first_checkpoint_begins_anew_in_its_folder(
    write, tmp_path
):
    """
    The machine that kills often kills early, too.
    """
    config = write()
    whole = train(config, ignore, root=tmp_path / "whole").run
    run = create(tmp_path / "runs", "short", (whole / "config.yaml").read_bytes())
    told: list[object] = []
    trained = train(None, told.append, resume=run.folder)

    assert "finished" == trained.status
    assert Noted(f"{run} has no checkpoint yet; it begins at its first step") in told
    assert_same(whole, run.folder)


def test_a_run_whose_checkpoints_are_all_damaged_is_refused_and_keeps_them(write, tmp_path):
    """
    Beginning anew in that folder would throw away what an expert could still save.
    """
    run = train(write(), ignore, root=tmp_path / "runs").run
    for manifest in run.glob("checkpoints/step-*/MANIFEST.json"):
        manifest.write_bytes(manifest.read_bytes()[:-9])
    before = sorted(run.rglob("*"))
    with pytest.raises(RunError, match="has no checkpoint that can be used; the damaged ones are"):
        train(None, ignore, resume=run)

    assert before == sorted(run.rglob("*"))


@pytest.mark.parametrize(
    ("config", "options"),
    [
        (False, {}),
        (True, {"resume": "RUN"}),
        (False, {"resume": "auto"}),
        (True, {"extend": 2}),
        (True, {"extend": 2, "resume": "auto"}),
    ],
)
def test_what_does_not_go_together_is_a_usage_error(config, options, write, tmp_path):
    """
    Guessing which of two things was meant would train the wrong one.
    """
    if options.get("resume") == "RUN":
        options = options | {"resume": tmp_path / "run"}
    with pytest.raises(UsageError):
        train(write() if config else None, ignore, root=tmp_path / "runs", **options)


def test_a_refused_start_leaves_no_run_behind(write, tmp_path):
    """
    A folder a typo would make `runs/` a heap of nothing.
    """
    for config in (
        write(dataset={"npz": "missing.npz"}),
        write(layers=[{"Dense": {"units": "classes"}}]),
        write(training={"class_weight": {"cat": 2}}),
    ):
        with pytest.raises(ImgclsError):
            train(config, ignore, root=tmp_path / "runs")

    assert [] == list((tmp_path / "runs").iterdir())
