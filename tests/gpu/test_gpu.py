"""A GPU computes the same as the CPU, within rounding.

`IMGCLS_TEST_DEVICE=CPU pytest -m gpu tests/gpu` checks these tests where there is no GPU: the CPU
is then compared with itself.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from numpy.typing import NDArray

from imgcls.commands.train import train
from imgcls.config import reader
from imgcls.config.components.augmentations import Augmentation
from imgcls.config.config import Config
from imgcls.events import Progressed
from tests.commands.compared import rows
from tests.commands.stopping import StopAt

if TYPE_CHECKING:
    from imgcls.data.batch_source import BatchSource

pytestmark = pytest.mark.gpu

DIGITS = Path(__file__).parents[2] / "configs" / "digits.yaml"
STEPS = 10
CLOSE = 1e-3  # cuDNN sums in a different order than oneDNN, and its Winograd rounds differently
TRAINING = {"precision": "float32", "replicas": 1, "epochs": 2, "steps_per_epoch": STEPS}


def ignore(event: object) -> None:
    del event


@pytest.fixture(scope="module")
def device() -> Iterator[str]:
    """The name of a GPU, with TensorFloat-32 off, whose products have only three digits."""
    from imgcls.ops import startup

    startup.start()
    import tensorflow as tf

    found = tf.config.list_logical_devices(os.environ.get("IMGCLS_TEST_DEVICE", "GPU"))
    if not found:
        pytest.skip("no GPU")
    before = tf.config.experimental.tensor_float_32_execution_enabled()
    tf.config.experimental.enable_tensor_float_32_execution(False)
    yield found[0].name
    tf.config.experimental.enable_tensor_float_32_execution(before)


def kind(device: str) -> str:
    return "gpu" if "GPU" in device else "cpu"


@pytest.fixture
def configs(small) -> dict[str, Config]:
    """The digits config, and a small one with batch normalization."""
    digits = reader.read(DIGITS).config
    return {"digits": digits, "normalized": Config.model_validate(small())}


def losses(config: Config, on: str) -> NDArray[np.float64]:
    """Returns the losses of the first training steps on a device."""
    from imgcls.data import dataset
    from imgcls.training.engine import IMAGES, LOSS
    from imgcls.training.prepare import prepare

    training = config.training.model_copy(update=TRAINING | {"device": on})
    config = config.model_copy(update={"training": training})
    data = dataset.load(config.dataset, config.seed, ignore, only=("train",))
    engine = prepare(config, data, ignore).engine(0)
    taken = engine.advance(engine.batches(range(STEPS)), STEPS)
    found: NDArray[np.float64] = taken[:, LOSS] / taken[:, IMAGES]
    return found


@pytest.mark.parametrize("name", ["digits", "normalized"])
def test_ten_steps_are_those_of_the_cpu(name, device, configs):
    """
    A result that depends on the machine cannot be trusted.
    """
    ours, expected = losses(configs[name], kind(device)), losses(configs[name], "cpu")

    assert (STEPS,) == ours.shape
    np.testing.assert_allclose(ours, expected, rtol=CLOSE)


def test_a_stopped_and_resumed_run_equals_one_in_one_go(device, write_config, tmp_path):
    """
    GPUs are rented by the hour, and may be taken away at any time.
    """
    training = TRAINING | {"device": kind(device), "report_steps": 2}
    config = write_config(training=training)
    stop = StopAt(lambda event: isinstance(event, Progressed) and event.epoch == 2)
    whole = train(config, ignore, root=tmp_path / "whole").run
    stopped = train(config, stop, root=tmp_path / "stopped")
    train(None, ignore, resume=stopped.run)

    assert "interrupted" == stopped.status
    assert STEPS < stopped.step <= 2 * STEPS
    for expected, ours in zip(figures(whole), figures(stopped.run), strict=True):
        assert expected.keys() == ours.keys()
        np.testing.assert_allclose(list(ours.values()), list(expected.values()), rtol=CLOSE)


def figures(run: Path) -> list[dict[str, float]]:
    """Returns a run's metrics without the accuracies, which change in steps of one image."""
    kept = {"epoch", "step", "learning_rate", "loss", "val_loss"}
    return [{key: row[key] for key in row if key in kept} for row in rows(run)]


@pytest.mark.parametrize("name", Augmentation.named())
def test_an_augmentation_makes_the_images_of_the_cpu(name, device):
    """
    Otherwise, a network trained on a GPU would see other images than the config describes.
    """
    import tensorflow as tf

    from imgcls.data.augment import augment
    from tests.config.components.augmentations.test_augmentation import FIELDS

    images = np.random.default_rng(0).random((24, 10, 8, 3), dtype=np.float32)
    augmentation = Augmentation.read({name: FIELDS[name]})

    def made(on: str) -> Any:
        with tf.device(on):
            index = tf.range(len(images), dtype=tf.int64)
            apply = tf.function(lambda given: augment([augmentation], given, 1, 2, index))
            return apply(tf.constant(images))

    ours, expected = made(device), made("/device:CPU:0")

    assert ours.device.endswith(device)
    assert np.abs(expected - images).max() > 0.1
    np.testing.assert_allclose(ours, expected, atol=CLOSE)


@pytest.mark.parametrize("resident", [True, False], ids=["resident", "streamed"])
def test_the_batches_of_a_device_are_those_of_the_host(resident, device, monkeypatch):
    """
    What a network learns must not depend on where its batches are made.
    """
    from imgcls.data import batch_source
    from imgcls.data.dataset import Split
    from imgcls.data.targets import Targets
    from tests.config.components.augmentations.test_augmentation import FIELDS

    monkeypatch.setattr(batch_source, "RESIDENT_BYTES", 2**31 if resident else 0)
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (30, 5, 7, 3), np.uint8)  # 105 bytes: not a multiple of an int32
    labels = rng.integers(0, 4, 30).astype(np.int32)
    augmentations = [Augmentation.read({name: fields}) for name, fields in FIELDS.items()]
    targets = Targets(4, 0.1, np.array([0.5, 1, 2, 3], np.float32))
    split = Split(pixels, labels, tuple(map(str, labels)))
    given = (split, (11, 13), augmentations, 8, 3, targets)
    own = batches(batch_source.on_device(*given, device), device)
    pairs = zip(batches(batch_source.on_host(*given), device), own, strict=True)

    assert own[0][0].device.endswith(device)
    for (images, *rest), (our_images, *our_rest) in pairs:
        np.testing.assert_allclose(our_images, images, atol=CLOSE)
        for each, our_each in zip(rest, our_rest, strict=True):
            np.testing.assert_array_equal(each, our_each)


def batches(source: "BatchSource", device: str) -> list[Any]:
    """Returns the batches of some steps, finished on a device if the source requires it."""
    import tensorflow as tf

    found = list(source.batches(range(2, 9)))
    if source.finish is None:
        return found
    with tf.device(device):
        finish = tf.function(source.finish)
        return [finish(*each) for each in found]
