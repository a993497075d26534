"""Each shipped config loads, builds and takes a step; on made images, so that no set is needed."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from imgcls.config import reader
from imgcls.data.dataset import Data, Split
from imgcls.data.pipeline import train_batches
from imgcls.training import machine, setup
from imgcls.training.engine import IMAGES, LOSS

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
    """Random images of the set's size, a few a class."""
    dataset = config.config.dataset
    kind = dataset.model_dump().get("name", "photos")
    side, channels, classes = STORED[kind]
    rng = np.random.default_rng(0)
    labels = np.arange(2 * classes, dtype=np.int32) % classes
    pixels = rng.integers(0, 256, (len(labels), side, side, channels), np.uint8)
    split = Split(pixels, labels, tuple(map(str, labels)))
    names = tuple(f"class {number}" for number in range(classes))
    size = dataset.size or (side, side)
    return Data(names, size, (side, side), channels, dataset.resize, {"train": split}, {})


@pytest.mark.parametrize("file", CONFIGS, ids=lambda file: file.stem)
def test_a_shipped_config_takes_a_step(file):
    """
    They are what people start from.
    """
    checked = reader.read(file)
    config, data = checked.config, made(checked)
    engine = setup.engine_of(
        config, data, setup.traits_of(config, data), machine.choose(config.training)
    )
    before = [np.asarray(each) for each in engine.model.trainable_variables]
    split = data.splits["train"]
    batches = train_batches(split, data.size, config.augmentation, 4, 0, range(2))
    # Two steps: a warm-up begins with a rate of 0.
    row = engine.advance(iter(batches), 2)[1]

    assert row[IMAGES] == 4
    assert 0 < row[LOSS] < 1000
    assert any(
        not np.array_equal(old, new)
        for old, new in zip(before, engine.model.trainable_variables, strict=True)
    )
    if file.stem in THE_TUTORIALS:
        assert THE_TUTORIALS[file.stem] == engine.model.count_params()
    tf.keras.backend.clear_session()
