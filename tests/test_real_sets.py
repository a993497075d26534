"""The published data sets, if present: `IMGCLS_DATA` is the folder of their npz files."""

import os
from pathlib import Path

import pytest

from imgcls.commands.train import train
from imgcls.config import reader
from imgcls.data import dataset

HERE = os.environ.get("IMGCLS_DATA", "")
CONFIGS = Path(__file__).parents[1] / "configs"


def needs(name: str) -> pytest.MarkDecorator:
    there = bool(HERE) and (Path(HERE) / f"{name}.npz").is_file()
    return pytest.mark.skipif(not there, reason=f"needs {name}.npz in $IMGCLS_DATA")


def ignore(event: object) -> None:
    del event


@pytest.mark.parametrize(
    ("name", "size", "channels"),
    [
        pytest.param("mnist", (28, 28), 1, marks=needs("mnist")),
        pytest.param("fashion_mnist", (28, 28), 1, marks=needs("fashion_mnist")),
        pytest.param("cifar10", (32, 32), 3, marks=needs("cifar10")),
    ],
)
def test_a_published_set_is_read_as_it_was_published(name, size, channels):
    """
    A tenth is held out for validation, and the published test images are kept for the end.
    """
    config = reader.read(CONFIGS / f"{name}.yaml").config
    data = dataset.load(config.dataset, config.seed, ignore)
    train_images = 50_000 if name == "cifar10" else 60_000

    assert {
        "train": train_images * 9 // 10,
        "validation": train_images // 10,
        "test": 10_000,
    } == {split: len(images.labels) for split, images in data.splits.items()}
    assert (size, channels, 10) == (data.spec.size, data.spec.channels, len(data.spec.classes))


@needs("mnist")
def test_a_few_steps_on_mnist_learn_to_read_digits(tmp_path):
    """
    This accuracy is reached only if everything from the pixels to the metrics is correct.
    """
    quick = ["training.epochs=1", "training.steps_per_epoch=300", "training.batch_size=64"]
    trained = train(CONFIGS / "mnist.yaml", ignore, overrides=quick, root=tmp_path)

    assert trained.best is not None
    assert trained.best["val_accuracy"] > 0.95
