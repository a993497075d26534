"""Early stopping, plateaus and the best epoch match Keras' callbacks, and survive JSON."""

import json
from typing import Any

import keras
import numpy as np
import pytest

from imgcls.config.components.training import EarlyStopping, ReduceLROnPlateau
from imgcls.training.state import State

LOSSES = [1.0, 0.9, 0.95, 0.9, 0.89, 0.9, 0.7, 0.71, 0.72, 0.69, 0.75, 0.8, 0.9, 0.9, 0.9, 0.9]


class Net:
    """The parts of a model that a Keras callback uses."""

    def __init__(self) -> None:
        self.stop_training = False
        self.optimizer = keras.optimizers.SGD(1.0)

    def get_weights(self) -> list[Any]:
        """Returns no weights."""
        return []


def kerases(callback: Any) -> list[tuple[bool, float]]:
    net = Net()
    callback.set_model(net)
    callback.on_train_begin()
    seen = []
    for epoch, loss in enumerate(LOSSES):
        callback.on_epoch_end(epoch, {"val_loss": loss})
        seen.append((net.stop_training, float(np.asarray(net.optimizer.learning_rate))))
    return seen


def through_json(state: State) -> State:
    """Returns the state as a checkpoint restores it."""
    return State(**json.loads(json.dumps(state.to_json())))


@pytest.mark.parametrize(
    "fields",
    [
        {"patience": 0},
        {"patience": 2},
        {"patience": 3, "min_delta": 0.05},
        {"patience": 2, "start_from_epoch": 3},
        {"patience": 2, "baseline": 0.8},
        {"patience": 4, "baseline": 0.1},
        {"patience": 2, "baseline": 0.7, "min_delta": 0.05},
    ],
)
def test_early_stopping_stops_where_keras_does(fields):
    """
    A patience that is off by one wastes an epoch, or loses the best one.
    """
    theirs = [
        stopped for stopped, _ in kerases(keras.callbacks.EarlyStopping("val_loss", **fields))
    ]
    state, early, mine = State(), EarlyStopping(**fields), []
    for epoch, loss in enumerate(LOSSES, start=1):
        mine.append(state.stops_early({"epoch": epoch, "val_loss": loss}, early))
        state = through_json(state)

    assert True in mine
    assert theirs.index(True) == mine.index(True)


@pytest.mark.parametrize(
    "fields",
    [
        {"patience": 0},
        {"patience": 1, "factor": 0.5},
        {"patience": 1, "factor": 0.5, "cooldown": 2},
        {"patience": 2, "factor": 0.3, "min_delta": 0.05},
        {"patience": 0, "factor": 0.2, "min_lr": 0.05},
    ],
)
@pytest.mark.filterwarnings("ignore:__array__ implementation")  # in Keras' own callback
def test_the_rate_falls_where_keras_lets_it_fall(fields):
    """
    The result of a tutorial depends on the learning rate of each epoch.
    """
    theirs = [rate for _, rate in kerases(keras.callbacks.ReduceLROnPlateau("val_loss", **fields))]
    state, plateau, rate, mine = State(), ReduceLROnPlateau(**fields), 1.0, []
    for epoch, loss in enumerate(LOSSES, start=1):
        rate = state.reduced_rate({"epoch": epoch, "val_loss": loss}, plateau, rate)
        mine.append(rate)
        state = through_json(state)

    assert mine[0] > mine[-1]
    np.testing.assert_allclose(theirs, mine, rtol=1e-6)


def test_the_best_epoch_is_the_first_of_the_best_and_never_nan():
    """
    Every comparison with nan is false, so nan would remain the best value forever.
    """
    state = State()
    values = [float("nan"), 0.5, 0.7, 0.7, None, 0.6]
    best = [
        state.note_best({"epoch": epoch, "val_accuracy": value}, "val_accuracy")
        for epoch, value in enumerate(values, start=1)
    ]

    assert [False, True, True, False, False, False] == best
    assert state.best is not None
    assert 3 == state.best["epoch"]


def test_a_loss_is_better_when_it_is_smaller():
    """
    With the direction of an accuracy, the worst epoch would be kept as the best.
    """
    state = State()

    assert [True, False, True] == [
        state.note_best({"val_loss": value}, "val_loss") for value in (1.0, 2.0, 0.5)
    ]
