"""An image gives the same tensor in training and in prediction, which uses the best weights."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from imgcls.commands.predict import predict
from imgcls.commands.train import train
from imgcls.config import reader
from imgcls.data import dataset
from imgcls.data.pipeline import evaluation_batches
from imgcls.data.targets import Targets
from imgcls.errors import RunError, UsageError
from imgcls.images.load import load
from imgcls.inference.loading import load_run
from imgcls.ops.pixels import images_of
from imgcls.runs import checkpoints
from imgcls.runs.checkpoints import AVERAGED, MODEL


def ignore(event: object) -> None:
    del event


@pytest.fixture(params=["of one size", "of many sizes", "smaller than the network's"])
def folder(request, tmp_path):
    """Class folders of PNG and JPEG images."""
    rng = np.random.default_rng(0)
    for name in ("bar", "foo"):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for number in range(8):
            sides = rng.integers(30, 90, 2) if request.param == "of many sizes" else (40, 50)
            sides = (8, 10) if request.param == "smaller than the network's" else sides
            pixels = rng.integers(0, 256, (*sides, 3), np.uint8)
            ending = "png" if number % 2 else "jpg"
            Image.fromarray(pixels).save(tmp_path / "photos" / name / f"{number}.{ending}")
    return tmp_path / "photos"


@pytest.fixture
def run(folder, tmp_path, write_config):
    config = write_config(
        "photos",
        dataset={"folder": str(folder), "size": [16, 20], "validation": 0.25, "test": "none"},
        training={"epochs": 2, "batch_size": 4, "average": {"EMA": {"decay": 0.5}}},
    )
    return train(config, ignore, root=tmp_path / "runs").run


def test_a_training_picture_gives_the_tensor_that_it_had_in_training(run):
    """
    Different preprocessing is the most common reason why a model does worse in use than in its
    test.
    """
    loaded = load_run(run, run.parent, "best", ignore)
    spec = loaded.spec
    config = reader.read(run / "config.yaml").config
    split = dataset.load(config.dataset, config.seed, ignore).splits["train"]
    trained = np.concatenate(
        [images.numpy() for images, *_ in evaluation_batches(split, spec.size, 4, Targets(2))]
    )
    for name, image in zip(split.names, trained, strict=True):
        pixels = load(Path(name), spec.stored, spec.channels, spec.resize)

        assert np.array_equal(image, images_of(pixels[None], spec.size)[0])


def test_predictions_are_probabilities_and_those_of_the_averaged_weights(run, folder):
    """
    Predictions must come from the weights that were evaluated as the best.
    """
    from imgcls.inference.classifier import Classifier

    loaded = load_run(run, run.parent, "best", ignore)
    file = folder / "foo" / "0.jpg"
    (found,) = predict([str(file)], ignore, run=run).each
    names = set(loaded.weights)
    classifier = Classifier(loaded)
    averaged = checkpoints.load(run / "checkpoints" / loaded.checkpoint).read(AVERAGED)

    assert sum(probability for _, probability in found.ranked) == pytest.approx(1)
    assert {"bar", "foo"} == {name for name, _ in found.ranked}
    assert averaged.keys() == names
    weights = sorted(np.asarray(weight).tobytes() for weight in classifier.network.variables)
    assert sorted(average.tobytes() for average in averaged.values()) == weights


def test_a_run_from_elsewhere_takes_no_more_memory_than_it_brings(run, folder, tmp_path):
    """
    A config that asks for a terabyte, next to weights of a kilobyte, is an attack or a mix-up.
    """
    saved, _ = checkpoints.newest(run / "checkpoints")
    assert saved is not None
    forged = tmp_path / "forged"
    shutil.copytree(run, forged, ignore=shutil.ignore_patterns("checkpoints"))
    config = yaml.safe_load((forged / "config.yaml").read_text(encoding="utf-8"))
    config["layers"].insert(-1, {"Dense": {"units": 2**30}})
    (forged / "config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    attached = {name: forged / name for name in ("config.yaml", "model.json")}
    parts = {AVERAGED: saved.read(AVERAGED), MODEL: saved.read(MODEL)}
    checkpoints.save(forged / "checkpoints", saved.step, parts, saved.state, attached)

    with pytest.raises(RunError, match="it belongs to another config"):
        list(predict([str(folder / "foo" / "0.jpg")], ignore, run=forged).each)


def test_a_url_is_no_picture(run):
    """
    No connection may be opened that the user did not ask for.
    """
    with pytest.raises(UsageError, match="download it first"):
        predict(["https://example.org/cat.png"], ignore, run=run)
