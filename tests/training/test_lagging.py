"""Moving averages that are longer than the training are known before it starts."""

import pytest

from imgcls.events import Event, Warned
from imgcls.training import lagging
from tests.training.test_frozen import DENSE, prepared


def warned(momentum: float, **training: object) -> list[str]:
    """Returns the warnings for two normalizations; an epoch is two steps."""
    events: list[Event] = []
    norm = {"BatchNormalization": {"momentum": momentum}}
    prepared(["Flatten", norm, norm, DENSE], events.append, **training)
    return [event.message for event in events if isinstance(event, Warned)]


def test_a_momentum_that_is_too_high_for_the_steps_names_one_that_fits() -> None:
    """
    With Keras' default, a short training looks like one that has learned nothing.
    """
    (message,) = warned(0.99, epochs=18)

    assert "layers[1].BatchNormalization and 1 more: moving averages" in message
    assert "need about 299 steps, but training takes 36" in message
    assert "write momentum: 0.87, or training.normalization_statistics: recomputed" in message
    assert [] == warned(0.87, epochs=18)
    assert [] == warned(0.99, epochs=150)


@pytest.mark.parametrize(
    "training",
    [
        {"normalization_statistics": "recomputed"},
        {"average": {"EMA": {"decay": 0.9}}},
    ],
)
def test_where_the_statistics_are_recomputed_there_is_no_warning(training: object) -> None:
    """
    A warning about what does not matter hides those that do.
    """
    assert isinstance(training, dict)
    assert [] == warned(0.99, epochs=18, **training)


def test_only_the_steps_of_the_stages_that_train_the_layer_count() -> None:
    """
    A body that is thawed for one epoch is normalized by almost untouched averages.
    """
    stages = [{"epochs": 200, "train": "layers[2:]"}, {"epochs": 5, "train": "all"}]
    (message,) = warned(0.99, stages=stages)

    assert "layers[1].BatchNormalization: moving averages" in message
    assert "training takes 10" in message


@pytest.mark.parametrize("steps", [1, 2, 5, 36, 115, 1000, 100_000])
def test_the_recommended_momentum_needs_no_warning(steps: int) -> None:
    """
    Advice that leads to the next warning is none.
    """
    assert lagging.fitting(steps) ** steps <= lagging.FORGOTTEN
