"""Evaluation notices if the data has changed since the run was trained."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from imgcls.commands.evaluate import evaluate
from imgcls.commands.train import train
from imgcls.errors import DataError
from imgcls.events import Warned


def ignore(event: object) -> None:
    del event


def add(folder: Path, name: str) -> None:
    pixels = np.random.default_rng(len(name)).integers(0, 256, (12, 12, 3), np.uint8)
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
