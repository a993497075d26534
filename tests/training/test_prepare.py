"""What the data and the machine decide: moments, class weights, feeds, the metrics there are."""

import dataclasses

import numpy as np
import pytest
from sklearn.utils.class_weight import compute_class_weight

from imgcls.config.config import Config
from imgcls.data.dataset import Data, Split
from imgcls.errors import ConfigError
from imgcls.images import buffers
from imgcls.training import machine, setup
from imgcls.training.engine import LOSS

LABELS = np.array([0] * 6 + [1] * 3 + [2], np.int32)


@pytest.fixture
def data() -> Data:
    pixels = np.random.default_rng(0).integers(0, 256, (10, 4, 6, 3), np.uint8)
    pixels[..., 1] //= 3
    split = Split(pixels, LABELS, tuple(map(str, range(10))))
    return Data(("a", "b", "c"), (4, 6), (4, 6), 3, "stretch", {"train": split}, {})


def config(small, **changes) -> Config:
    return Config.model_validate(small(**changes))


def test_the_moments_are_those_of_the_images_between_0_and_1(data, monkeypatch):
    """
    They are summed piece by piece, for a set does not fit into memory in float64.
    """
    monkeypatch.setattr(buffers, "BLOCK_BYTES", 3 * 4 * 6 * 3)
    mean, variance = setup.moments(data.splits["train"])
    images = data.splits["train"].pixels / 255

    np.testing.assert_allclose(images.mean(axis=(0, 1, 2)), mean, rtol=1e-12)
    np.testing.assert_allclose(images.var(axis=(0, 1, 2)), variance, rtol=1e-12)


def test_a_constant_channel_has_no_variance_at_all():
    """
    A rounding error of it, below 0, would make every weight nan.
    """
    for value in (7, 113, 255):
        pixels = np.full((9, 5, 5, 1), value, np.uint8)
        split = Split(pixels, np.zeros(9, np.int32), tuple(map(str, range(9))))

        assert ((value / 255,), (0.0,)) == setup.moments(split)


def test_moments_are_taken_only_where_a_layer_wants_them(data, small):
    """
    They cost a pass over the data.
    """
    wanting = ["Normalization", "Flatten", {"Dense": {"units": "classes"}}]

    assert () == setup.traits_of(config(small), data).mean
    assert 3 == len(setup.traits_of(config(small, layers=wanting), data).mean)
    inside = [{"Residual": {"layers": ["Normalization"]}}, *wanting[1:]]
    assert 3 == len(setup.traits_of(config(small, layers=inside), data).mean)


def test_auto_weights_make_every_class_count_the_same(data, small):
    """
    One class of 90 % is learnt by always saying it.
    """
    weights = setup.class_weights(config(small, training={"class_weight": "auto"}), data)

    expected = compute_class_weight("balanced", classes=np.arange(3), y=LABELS)
    assert weights is not None
    np.testing.assert_allclose(expected, weights, rtol=1e-6)


def test_given_weights_are_matched_by_name_and_the_rest_is_1(data, small):
    """
    The order of the classes is the data's business.
    """
    weights = setup.class_weights(config(small, training={"class_weight": {"c": 2.5}}), data)

    assert weights is not None
    assert [1.0, 1.0, 2.5] == weights.tolist()


def test_an_unknown_class_is_a_mistake_of_the_config(data, small):
    """
    A weight for a class that is not there is a typing mistake.
    """
    with pytest.raises(ConfigError) as error:
        setup.class_weights(config(small, training={"class_weight": {"d": 2}}), data)
    assert "training.class_weight.d" == error.value.mistakes[0].key


def test_top_5_of_three_classes_cannot_be_the_best(data, small):
    """
    It is 1 from the first epoch on.
    """
    with pytest.raises(ConfigError, match="always 1 with 3 classes"):
        setup.traits_of(config(small, training={"best": "val_top_5_accuracy"}), data)


def test_on_a_gpu_the_step_makes_its_own_batches(data, small):
    """
    The host's cores would keep the GPU waiting. Tried on a CPU that is called one.
    """
    turned = config(small, augmentation=[{"RandomRotation": {"degrees": 40}}])
    cpu = machine.choose(turned.training)
    losses = []
    for chosen in (cpu, dataclasses.replace(cpu, on_gpu=True)):
        engine = setup.engine_of(turned, data, setup.traits_of(turned, data), chosen)
        assert chosen.on_gpu == (engine.batch_source.finish is not None)
        losses.append(engine.advance(iter(engine.batch_source.batches(range(4))), 4)[:, LOSS])

    host, device = losses
    np.testing.assert_allclose(host, device, rtol=1e-4)
