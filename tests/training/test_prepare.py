"""What the data and the machine decide: moments, class weights, batch sources, stages, metrics."""

import dataclasses

import numpy as np
import pytest
from sklearn.utils.class_weight import compute_class_weight

from imgcls.config.config import Config
from imgcls.data.dataset import Data, Split
from imgcls.errors import ConfigError
from imgcls.images import buffers
from imgcls.network.weights import values
from imgcls.training import machine
from imgcls.training import prepare as preparing
from imgcls.training.engine import LOSS
from imgcls.training.prepare import Prepared, prepare
from tests.specs import data_of

LABELS = np.array([0] * 6 + [1] * 3 + [2], np.int32)


@pytest.fixture
def data() -> Data:
    pixels = np.random.default_rng(0).integers(0, 256, (10, 4, 6, 3), np.uint8)
    pixels[..., 1] //= 3
    return data_of(pixels, LABELS, ("a", "b", "c"))


def config(small, **changes) -> Config:
    return Config.model_validate(small(**changes))


def test_the_moments_are_those_of_the_images_between_0_and_1(data, monkeypatch):
    """
    They are summed piece by piece, for a set does not fit into memory in float64.
    """
    monkeypatch.setattr(buffers, "BLOCK_BYTES", 3 * 4 * 6 * 3)
    mean, variance = preparing.moments(data.splits["train"])
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

        assert ((value / 255,), (0.0,)) == preparing.moments(split)


def test_moments_are_taken_only_where_a_layer_wants_them(data, small):
    """
    They cost a pass over the data.
    """
    wanting = ["Normalization", "Flatten", {"Dense": {"units": "classes"}}]

    assert () == preparing.with_moments(config(small), data).mean
    assert 3 == len(preparing.with_moments(config(small, layers=wanting), data).mean)
    inside = [{"Residual": {"layers": ["Normalization"]}}, *wanting[1:]]
    assert 3 == len(preparing.with_moments(config(small, layers=inside), data).mean)


def test_auto_weights_make_every_class_count_the_same(data, small):
    """
    One class of 90 % is learnt by always saying it.
    """
    weights = preparing.class_weights(config(small, training={"class_weight": "auto"}), data)

    expected = compute_class_weight("balanced", classes=np.arange(3), y=LABELS)
    assert weights is not None
    np.testing.assert_allclose(expected, weights, rtol=1e-6)


def test_given_weights_are_matched_by_name_and_the_rest_is_1(data, small):
    """
    The order of the classes is the data's business.
    """
    weights = preparing.class_weights(config(small, training={"class_weight": {"c": 2.5}}), data)

    assert weights is not None
    assert [1.0, 1.0, 2.5] == weights.tolist()


def test_an_unknown_class_is_a_mistake_of_the_config(data, small):
    """
    A weight for a class that is not there is a typing mistake.
    """
    with pytest.raises(ConfigError) as error:
        preparing.class_weights(config(small, training={"class_weight": {"d": 2}}), data)
    assert "training.class_weight.d" == error.value.mistakes[0].key


@pytest.mark.parametrize(
    ("training", "key"),
    [
        ({"best": "val_top_5_accuracy"}, "training.best"),
        (
            {"early_stopping": {"monitor": "val_top_5_accuracy"}},
            "training.early_stopping.monitor",
        ),
        (
            {
                "stages": [
                    {"epochs": 1},
                    {"epochs": 1, "reduce_lr_on_plateau": {"monitor": "val_top_5_accuracy"}},
                ]
            },
            "training.stages[1].reduce_lr_on_plateau.monitor",
        ),
    ],
)
def test_top_5_of_three_classes_cannot_be_followed(data, small, training, key):
    """
    It is 1 from the first epoch on.
    """
    with pytest.raises(ConfigError, match="always 1 with 3 classes") as error:
        prepare(config(small, training=training), data, ignore)

    assert key == error.value.mistakes[0].key


def ignore(event: object) -> None:
    del event


def test_smoothing_and_class_weights_are_those_of_the_targets(data, small):
    """
    The loss knows neither; what it is computed against has both.
    """
    weighted = config(
        small,
        loss={"categorical_crossentropy": {"label_smoothing": 0.3}},
        training={"class_weight": {"b": 4}},
    )
    rows, weights = preparing.targets_of(weighted, data).lookup(LABELS)(np.array([0, 6]))

    np.testing.assert_allclose([[0.8, 0.1, 0.1], [0.1, 0.8, 0.1]], rows, atol=1e-6)
    assert [1.0, 4.0] == weights.numpy().tolist()


def test_on_a_gpu_the_step_makes_its_own_batches(data, small, monkeypatch):
    """
    The host's cores would keep the GPU waiting. Tried on a CPU that is called one.
    """
    turned = config(small, augmentation=[{"RandomRotation": {"degrees": 40}}])
    cpu = machine.choose(turned.training)
    losses = []
    for chosen in (cpu, dataclasses.replace(cpu, on_gpu=True)):
        monkeypatch.setattr(machine, "choose", lambda _, chosen=chosen: chosen)
        prepared = prepare(turned, data, ignore)
        engine = prepared.engine(0)
        assert chosen.on_gpu == (prepared.batch_source.finish is not None)
        losses.append(engine.advance(engine.batches(range(4)), 4)[:, LOSS])

    host, device = losses
    np.testing.assert_allclose(host, device, rtol=1e-4)


STAGES = {"stages": [{"epochs": 1, "train": "head"}, {"epochs": 2}], "batch_size": 5}


def moved(prepared: Prepared, stage: int) -> set[str]:
    """Returns the names of the variables that two steps of a stage change."""
    before = values(prepared.network.variables)
    engine = prepared.engine(stage)
    engine.advance(engine.batches(range(2)), 2)
    after = values(prepared.network.variables)
    return {name for name in before if not np.array_equal(before[name], after[name])}


def test_the_engine_of_a_stage_updates_the_layers_of_that_stage_alone(data, small):
    """
    A frozen layer that moves, or whose statistics do, is not the one that was to be kept.
    """
    prepared = prepare(config(small, augmentation=[], training=STAGES), data, ignore)
    dense = {"layers[5].Dense/kernel", "layers[5].Dense/bias"}

    assert dense == {name for name in moved(prepared, 0) if "seed" not in name}
    assert (
        dense
        | {f"layers[0].Conv2D/{each}" for each in ("kernel", "bias")}
        | {
            f"layers[1].BatchNormalization/{each}"
            for each in ("gamma", "beta", "moving_mean", "moving_variance")
        }
        >= {name for name in moved(prepared, 1) if "seed" not in name}
        > dense
    )


def test_a_stage_begins_with_a_fresh_optimizer(data, small):
    """
    The averages of a frozen network's gradients say nothing of those of the whole one.
    """
    prepared = prepare(config(small, training=STAGES), data, ignore)
    first = prepared.engine(0)
    first.advance(first.batches(range(2)), 2)
    second = prepared.engine(1)

    assert [2] == [int(each) for each in first.optimizer_state.values() if each.dtype == "int64"]
    assert {0.0} == {float(np.abs(each).max()) for each in second.optimizer_state.values()}
    assert len(first.optimizer_state) < len(second.optimizer_state)


def test_a_stage_that_would_train_nothing_is_a_mistake(data, small):
    """
    Hours of steps that change no weight look like a training.
    """
    layers = ["Flatten", {"Dense": {"units": "classes", "trainable": False}}]
    with pytest.raises(ConfigError, match="selects no layer whose weights can be trained") as error:
        prepare(config(small, layers=layers), data, ignore)

    assert "training.train" == error.value.mistakes[0].key


def test_an_average_is_updated_at_each_step_only_if_it_is_one_of_steps(data, small):
    """
    SWA of every step would be another average than the one that was asked for.
    """
    for average, expected in (({"EMA": {"decay": 0.5}}, 3), ("SWA", 0)):
        prepared = prepare(
            config(small, training={"average": average, "batch_size": 5}), data, ignore
        )
        engine = prepared.engine(0)
        engine.advance(engine.batches(range(3)), 3)

        assert prepared.averaging is not None
        assert expected == prepared.averaging.count
    assert prepare(config(small), data, ignore).averaging is None


@pytest.mark.parametrize(
    ("large", "training", "warned"),
    [
        (300, {}, True),
        (59, {}, False),
        (300, {"best": "val_macro_f1"}, False),
        (300, {"class_weight": "auto"}, False),
    ],
)
def test_accuracy_of_imbalanced_classes_is_warned_about(small, large, training, warned):
    """
    Of 300 images to 6, always saying the first has an accuracy of 0.98.
    """
    labels = np.repeat(np.arange(2, dtype=np.int32), [large, 6])
    found = data_of(np.zeros((len(labels), 4, 4, 1), np.uint8), labels, ("ok", "torn"))
    message = preparing.imbalance(config(small, training=training).training, found)

    assert warned == (message is not None)
    if message:
        assert "300 training images of 'ok', 6 of 'torn'" in message
