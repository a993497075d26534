"""Each shipped config loads, builds and takes a step, on random images instead of its data."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from imgcls.config import reader
from imgcls.data.dataset import Data
from imgcls.training.engine import IMAGES, LOSS
from imgcls.training.prepare import prepare
from tests.specs import data_of

CONFIGS = sorted((Path(__file__).parents[1] / "configs").glob("*.yaml"))
STORED = {  # height and width, channels, classes
    "digits": (8, 1, 10),
    "mnist": (28, 1, 10),
    "fashion_mnist": (28, 1, 10),
    "cifar10": (32, 3, 10),
    "cifar100": (32, 3, 100),
    "photos": (150, 3, 10),
}
THE_TUTORIALS = {
    "cifar10": 32 * (27 + 1) + 64 * (9 * 32 + 1) + 10 * (6 * 6 * 64 + 1),
    "cifar10_upscaled": 32 * (27 + 1) + 128 * (111 * 111 * 32 + 1) + 10 * 129,
    "mnist": 32 * 10 + 64 * (9 * 32 + 1) + 64 * (5 * 5 * 64 + 1) + 10 * 65,
    "mnist_choices": 32 * 10 + 64 * (9 * 32 + 1) + 64 * (5 * 5 * 64 + 1) + 10 * 65,
    "photos": 32 * 28
    + 64 * (9 * 32 + 1)
    + 128 * (9 * 64 + 1)
    + 1024 * (17 * 17 * 128 + 1)
    + 10 * 1025,
}


def made(config: reader.CheckedConfig) -> Data:
    """Returns random images of the data set's size, two per class."""
    dataset = config.config.dataset
    kind = dataset.model_dump().get("name", "photos")
    side, channels, classes = STORED[kind]
    rng = np.random.default_rng(0)
    labels = np.arange(2 * classes, dtype=np.int32) % classes
    pixels = rng.integers(0, 256, (len(labels), side, side, channels), np.uint8)
    names = tuple(f"class {number}" for number in range(classes))
    size = dataset.size or (side, side)
    return data_of(pixels, labels, names, size=size, resize=dataset.resize)


@pytest.mark.parametrize("file", CONFIGS, ids=lambda file: file.stem)
def test_a_shipped_config_takes_a_step(file):
    """
    Users start from these configs.
    """
    checked = reader.read(file)
    training = checked.config.training.model_copy(update={"batch_size": 4})
    config = checked.config.model_copy(update={"training": training})
    prepared = prepare(config, made(checked), lambda _: None)
    model, engine = prepared.network.model, prepared.engine(0)
    before = [np.asarray(each) for each in model.trainable_variables]
    # Two steps: a warmup starts with a rate of 0.
    row = engine.advance(engine.batches(range(2)), 2)[1]

    assert row[IMAGES] == 4
    assert 0 < row[LOSS] < 1000
    assert any(
        not np.array_equal(old, new)
        for old, new in zip(before, model.trainable_variables, strict=True)
    )
    if file.stem in THE_TUTORIALS:
        assert THE_TUTORIALS[file.stem] == model.count_params()
    tf.keras.backend.clear_session()
