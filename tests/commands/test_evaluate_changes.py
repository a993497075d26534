"""Evaluation notices if the data has changed since the run was trained."""

import itertools
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from imgcls.commands.evaluate import evaluate
from imgcls.commands.train import train
from imgcls.errors import DataError, RunError
from imgcls.events import Warned


def ignore(event: object) -> None:
    del event


def add(folder: Path, name: str) -> None:
    seed = list(f"{folder.name}/{name}".encode())
    pixels = np.random.default_rng(seed).integers(0, 256, (12, 12, 3), np.uint8)
    folder.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(folder / name)


@pytest.fixture
def run(tmp_path, write_config) -> Path:
    for label in ("b", "c"):
        for number in range(20):
            add(tmp_path / "photos" / label, f"{number:02}.png")
    config = write_config(
        dataset={"folder": str(tmp_path / "photos"), "size": 12}, training={"epochs": 1}
    )
    return Path(train(config, ignore, root=tmp_path / "runs").run)


def test_a_drawn_test_split_is_refused_when_the_data_has_changed(run, tmp_path):
    """
    A test split drawn again would contain training images, and the score would be too good.
    """
    assert evaluate(run, ignore).images == 4
    add(tmp_path / "photos" / "b", "one more.png")

    with pytest.raises(DataError, match="would be drawn again"):
        evaluate(run, ignore)


def test_another_set_of_classes_is_refused(run, tmp_path):
    """
    Class 0 of the data would be a different class than class 0 of the network.
    """
    for number in range(20):
        add(tmp_path / "photos" / "a", f"{number:02}.png")

    with pytest.raises(DataError, match="has the classes a, b, c now"):
        evaluate(run, ignore)


def test_a_bad_test_picture_is_named_before_training_starts(tmp_path, write_config):
    """
    After a night of training, it would be too late to learn of it.
    """
    for split in ("train", "test"):
        for label in ("b", "c"):
            for number in range(12):
                add(tmp_path / "photos" / split / label, f"{number:02}.png")
    (tmp_path / "photos" / "test" / "b" / "03.png").write_bytes(b"")
    config = write_config(dataset={"folder": str(tmp_path / "photos"), "size": 12})

    with pytest.raises(DataError, match=r"test/b/03\.png"):
        train(config, ignore, root=tmp_path / "runs")
    assert [] == list(tmp_path.glob("runs/*"))


def test_figures_that_cannot_be_stored_are_returned_with_a_warning(run):
    """
    It must be possible to evaluate a run on a read-only share.
    """
    (run / "evaluation-test.json").mkdir()
    warnings: list[str] = []

    def report(event: object) -> None:
        if isinstance(event, Warned):
            warnings.append(event.message)

    assert evaluate(run, report).images == 4
    assert "were not stored" in warnings[0]


def test_a_run_that_was_moved_is_whole(run, tmp_path):
    """
    A run folder is all that later commands need, wherever it is.
    """
    moved = tmp_path / "elsewhere" / "best model"
    moved.parent.mkdir()
    shutil.move(run, moved)

    assert evaluate(moved, ignore).accuracy >= 0
    assert json.loads((moved / "evaluation-test.json").read_text())["images"] == 4


def warnings(run, **options):
    events: list[object] = []
    evaluate(run, events.append, **options)
    return [event.message for event in events if isinstance(event, Warned)]


def test_training_images_among_those_that_are_scored_are_reported(run, tmp_path):
    """
    Their accuracy is that of what was learned by heart.
    """
    assert [] == warnings(run)
    (message,) = warnings(run, data=tmp_path / "photos")

    assert message.startswith("32 of 40 images are also training images of ")


def test_training_images_in_the_test_split_of_arrays_are_reported(tmp_path, write_config):
    """
    Training never reads the test images, so the evaluation must notice.
    """
    pixels = np.random.default_rng(0).integers(0, 255, (40, 8, 8), np.uint8)
    path = tmp_path / "own.npz"
    labels = np.arange(40) % 2
    np.savez(path, x_train=pixels, y_train=labels, x_test=pixels[:10], y_test=labels[:10])
    config = write_config(dataset={"npz": str(path), "validation": "none"}, training={"epochs": 1})
    run = Path(train(config, ignore, root=tmp_path / "runs").run)
    (message,) = warnings(run)

    assert message.startswith("10 of 10 images are also training images of ")


def test_a_record_of_the_data_that_is_damaged_says_nothing(run, tmp_path):
    """
    data.json of a run from elsewhere may contain anything.
    """
    record = json.loads((run / "data.json").read_text(encoding="utf-8"))
    damaged: list[object] = [None, [], {"train": 3}, {"train": [None, 7, "x"]}]
    for digests in damaged:
        (run / "data.json").write_text(json.dumps(record | {"digests": digests}), encoding="utf-8")
        assert [] == warnings(run, data=tmp_path / "photos")


def test_a_record_of_the_data_of_another_shape_is_an_error(run):
    """
    A damaged or forged file of a run must not end in a traceback.
    """
    record = json.loads((run / "data.json").read_text(encoding="utf-8"))
    for key, value in itertools.product(
        ("images", "fingerprint", "made"), (None, 3, "text", [1], True)
    ):
        (run / "data.json").write_text(json.dumps(record | {key: value}), encoding="utf-8")
        with pytest.raises(RunError, match=rf"data\.json is damaged: {key} must be an object"):
            evaluate(run, ignore)


CHANGES = [
    {"training.epochs": {"value": "many", "step": 1}},
    {"training.epoch": {"value": 3, "step": 1}},
    {"a=b": {"value": 3, "step": 1}},
    {"": {"value": 3, "step": 1}},
    {"training.epochs": {"value": {"a": []}, "step": 1}},
]


def test_damaged_changes_are_an_error_of_the_run(run):
    """
    Nobody has made a mistake in a config or on the command line.
    """
    for changes in CHANGES:
        (run / "changes.json").write_text(json.dumps(changes), encoding="utf-8")
        with pytest.raises(RunError, match=r"changes\.json is damaged: "):
            evaluate(run, ignore)
