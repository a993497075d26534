"""Schedules are Keras' own in epochs instead of steps, preceded by an exact warmup."""

import inspect
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from imgcls.config.components.schedules import (
    CosineDecay,
    ExponentialDecay,
    PiecewiseConstantDecay,
    PolynomialDecay,
    Schedule,
)
from imgcls.config.language import text
from imgcls.config.language.registry import dotted

STEPS = 10  # per epoch
EPOCHS = 6

OURS = {"decay_steps": "decay_epochs", "warmup_steps": "warmup_epochs"}
LEFT_OUT = {
    "name": "nothing is called by it",
    "warmup_target": "initial_learning_rate is where the warmup ends, also with a warmup",
}
WITHOUT_DEFAULT = {"decay_epochs"}  # required in Keras; the rest of the run here

EXAMPLES: dict[str, dict[str, Any]] = {
    "CosineDecay": {"initial_learning_rate": 0.5, "alpha": 0.1, "decay_epochs": 3},
    "ExponentialDecay": {"initial_learning_rate": 0.5, "decay_epochs": 1.5, "decay_rate": 0.5},
    "PiecewiseConstantDecay": {"boundaries": (2, 3.5), "values": (0.5, 0.2, 0.1)},
    "PolynomialDecay": {"initial_learning_rate": 0.5, "power": 0.5, "decay_epochs": 3},
}

every = pytest.mark.parametrize("schedule", Schedule.named().values(), ids=Schedule.named())


def example(schedule, **more):
    return schedule(**EXAMPLES[schedule.identifier()], **more)


def rates(schedule, steps=STEPS * EPOCHS, epochs=EPOCHS):
    import tensorflow as tf

    built = tf.function(schedule.build(STEPS, epochs))
    return np.array([built(tf.constant(step, tf.int64)).numpy() for step in range(steps)])


def keras_rates(name, *arguments, steps=STEPS * EPOCHS):
    import keras

    built = getattr(keras.optimizers.schedules, name)(*arguments)
    return np.array([float(built(step)) for step in range(steps)], "float32")


def mistakes_in(yaml):
    with pytest.raises(ValidationError) as caught:
        Schedule.read(text.read(yaml, "test.yaml", Path()).value)
    return [f"{dotted(each['loc'])}: {each['msg']}" for each in caught.value.errors()]


@every
def test_fields_and_defaults_are_those_of_keras(schedule):
    """
    Users who know Keras' schedules only have to convert steps to epochs.
    """
    import keras

    fields = {name: field.default for name, field in schedule.model_fields.items()}
    signature = inspect.signature(
        getattr(keras.optimizers.schedules, schedule.identifier()).__init__
    )
    for name, parameter in signature.parameters.items():
        if name in {"self", *LEFT_OUT}:
            continue
        ours = OURS.get(name, name)
        assert ours in fields
        if parameter.default is not parameter.empty and ours not in WITHOUT_DEFAULT:
            assert parameter.default == fields[ours], name


@pytest.mark.parametrize(
    ("schedule", "arguments"),
    [
        (CosineDecay(initial_learning_rate=0.5, decay_epochs=3, alpha=0.1), (0.5, 30, 0.1)),
        (CosineDecay(initial_learning_rate=0.5), (0.5, 60)),
        (
            ExponentialDecay(initial_learning_rate=0.5, decay_epochs=1.5, decay_rate=0.5),
            (0.5, 15, 0.5),
        ),
        (
            ExponentialDecay(
                initial_learning_rate=1, decay_epochs=2, decay_rate=0.9, staircase=True
            ),
            (1.0, 20, 0.9, True),
        ),
        (PolynomialDecay(initial_learning_rate=0.5), (0.5, 60)),
        (
            PolynomialDecay(initial_learning_rate=0.5, decay_epochs=2, power=2, cycle=True),
            (0.5, 20, 0.0001, 2.0, True),
        ),
        (PiecewiseConstantDecay(boundaries=[1, 2.5], values=[3, 2, 1]), ([9, 24], [3.0, 2.0, 1.0])),
    ],
    ids=str,
)
def test_a_schedule_is_keras_schedule_in_steps(schedule, arguments):
    """
    Only the unit is ours: the curve must be the one that papers and tutorials mean.
    """
    expected = keras_rates(schedule.identifier(), *arguments)

    assert np.allclose(expected, rates(schedule), rtol=1e-6, atol=1e-7)


@every
def test_a_warm_up_rises_linearly_to_where_the_schedule_starts(schedule):
    """
    Half an epoch of 10 steps is 5 steps, which must rise evenly from warmup_from.
    """
    warm = rates(example(schedule, warmup_epochs=0.5, warmup_from=0.1))

    assert np.allclose(0.1 + np.arange(5) * 0.4 / 5, warm[:5], rtol=1e-6)
    assert warm[5] == pytest.approx(0.5)
    assert np.all(np.isfinite(warm))


@every
def test_a_schedule_follows_its_warm_up_from_its_own_start(schedule):
    """
    The warmup must not cut off the start of the decay; boundaries are still counted from the start
    of the run.
    """
    warm = rates(example(schedule, warmup_epochs=1))
    expected = rates(example(schedule))
    bound_to_the_run = schedule is PiecewiseConstantDecay
    expected = expected[STEPS:] if bound_to_the_run else expected[:-STEPS]

    assert np.array_equal(expected, warm[STEPS:])


def test_the_warm_up_is_that_of_keras_cosine_decay():
    """
    CosineDecay is the only Keras schedule with a warmup; ours must give the same rates.
    """
    ours = CosineDecay(initial_learning_rate=0.5, warmup_epochs=1.5, warmup_from=0.2, alpha=0.1)
    expected = keras_rates("CosineDecay", 0.2, 45, 0.1, "cosine", 0.5, 15)

    assert np.allclose(expected, rates(ours), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("schedule", [CosineDecay, PolynomialDecay])
def test_a_decay_ends_with_the_run_unless_told_otherwise(schedule):
    """
    The last steps of a run must have the lowest rates, however long the run is.
    """
    for epochs in (2, 5):
        made = schedule(initial_learning_rate=0.5, warmup_epochs=0.7)
        seen = rates(made, steps=STEPS * epochs + 3, epochs=epochs)
        last = 0.0 if schedule is CosineDecay else 0.0001

        assert seen[STEPS * epochs - 1] > seen[STEPS * epochs]
        assert np.allclose(last, seen[STEPS * epochs :], atol=1e-8)


def test_a_piece_changes_exactly_where_an_epoch_ends():
    """
    Keras changes the rate one step later, when the next epoch has already begun.
    """
    seen = rates(PiecewiseConstantDecay(boundaries=[1, 2], values=[3, 2, 1]), steps=30)

    assert [3] * 10 + [2] * 10 + [1] * 10 == seen.tolist()


@every
def test_only_a_schedule_without_a_length_of_its_own_is_planned_over_the_whole_run(schedule):
    """
    A schedule that ended with the run cannot simply continue when the run is extended.
    """
    assert not example(schedule).whole_run
    if schedule in {CosineDecay, PolynomialDecay}:
        assert schedule(initial_learning_rate=0.5).whole_run


@pytest.mark.parametrize(
    ("schedule", "epochs", "expected"),
    [
        (CosineDecay(initial_learning_rate=1, decay_epochs=9, warmup_epochs=1), 10, None),
        (
            CosineDecay(initial_learning_rate=1, decay_epochs=9.5, warmup_epochs=1),
            10,
            (
                "warmup_epochs (1) and decay_epochs (9.5) together must be at most training.epochs "
                "(10); leave decay_epochs out to decay until the end of the run"
            ),
        ),
        (
            PolynomialDecay(initial_learning_rate=1, decay_epochs=11),
            10,
            (
                "decay_epochs (11) must be at most training.epochs (10); "
                "leave decay_epochs out to decay until the end of the run"
            ),
        ),
        (CosineDecay(initial_learning_rate=1, warmup_epochs=1.5), 2, None),
        (
            CosineDecay(initial_learning_rate=1, warmup_epochs=2),
            2,
            "warmup_epochs must be less than training.epochs (2), got 2",
        ),
        (ExponentialDecay(initial_learning_rate=1, decay_epochs=99, decay_rate=0.5), 2, None),
        (
            ExponentialDecay(
                initial_learning_rate=1, decay_epochs=9, decay_rate=0.5, warmup_epochs=3
            ),
            2,
            "warmup_epochs must be less than training.epochs (2), got 3",
        ),
        (PiecewiseConstantDecay(boundaries=[1, 1.5], values=[3, 2, 1]), 2, None),
        (
            PiecewiseConstantDecay(boundaries=[1, 2], values=[3, 2, 1]),
            2,
            (
                "boundaries must be less than training.epochs (2), got 2; "
                "the last value would never be used"
            ),
        ),
    ],
    ids=str,
)
def test_lengths_are_held_against_the_run(schedule, epochs, expected):
    """
    If the rate never reaches the value in the config, no loss curve reveals the mistake.
    """
    assert expected == schedule.check_length(epochs)


@pytest.mark.parametrize(
    "yaml",
    [
        "CosineDecay: {initial_learning_rate: 1, warmup_from: 0.1}",
        "CosineDecay: {initial_learning_rate: 0.1, warmup_epochs: 1, warmup_from: 0.2}",
        "PolynomialDecay: {initial_learning_rate: 1e-5, cycle: yes}",
        "ExponentialDecay: {initial_learning_rate: 1, decay_rate: 1.1}",
        "PiecewiseConstantDecay: {boundaries: [3, 2], values: [2, 1], warmup_epochs: 4}",
        (
            "PiecewiseConstantDecay: {boundaries: [3], values: [1, 2], warmup_epochs: 1, "
            "warmup_from: 3}"
        ),
        "CosineDecay: {decay_steps: 1000, initial_learning_rate: 1}",
    ],
)
def test_mistakes_are_reported(yaml, recorded):
    """
    Each of these would run, but not do what it says.
    """
    recorded(yaml, mistakes_in(yaml))


@every
def test_what_a_run_writes_down_is_read_back_equal(schedule):
    """
    In config.yaml every field is written out, including defaults, and none of them may break a
    rule.
    """
    for made in (example(schedule), example(schedule, warmup_epochs=1, warmup_from=0.01)):
        assert made == Schedule.read(made.model_dump())
