"""Optimizers match Keras field by field, and each mistake in one has a message."""

import inspect
from pathlib import Path

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from imgcls.config.components.optimizers import SGD, Adam, Optimizer, Rate
from imgcls.config.components.schedules import CosineDecay
from imgcls.config.language import text
from imgcls.config.language.registry import dotted, snake_case

LEFT_OUT = {
    "name": "the variables of the one optimizer need no prefix",
    "use_ema": "training.ema is the same for every optimizer, and is evaluated",
    "ema_momentum": "training.ema.decay",
    "ema_overwrite_frequency": "the raw weights go on being trained",
    "loss_scale_factor": "float16 scales the loss by itself, bfloat16 has the range of float32",
    "gradient_accumulation_steps": "a step is one batch: counters, schedules and resume rely on it",
    "kwargs": "Keras takes them for `decay` only, which it ignores",
}

every = pytest.mark.parametrize("optimizer", Optimizer.named().values(), ids=Optimizer.named())


def read(yaml):
    return Optimizer.read(text.read(yaml, "test.yaml", Path()).value)


def mistakes_in(yaml):
    with pytest.raises(ValidationError) as caught:
        read(yaml)
    return [f"{dotted(each['loc'])}: {each['msg']}" for each in caught.value.errors()]


def steps_of(built):
    """Returns the weights after each of three steps with fixed gradients."""
    import keras

    weights = keras.Variable(np.linspace(-1, 1, 6, dtype="float32"))
    gradients = np.linspace(3, -2, 6, dtype="float32")
    built.build([weights])
    seen = []
    for factor in (1.0, -0.5, 2.0):
        built.apply([weights.value * 0 + gradients * factor])
        seen.append(weights.numpy())
    return np.array(seen)


@every
def test_fields_and_defaults_are_those_of_keras(optimizer):
    """
    Users who know Keras can write a config, and get what Keras would do.
    """
    import keras

    signature = inspect.signature(getattr(keras.optimizers, optimizer.__name__).__init__)
    defaults = {
        name: parameter.default
        for name, parameter in signature.parameters.items()
        if name not in {"self", *LEFT_OUT}
    }

    assert defaults == {name: field.default for name, field in optimizer.model_fields.items()}


@every
def test_the_built_optimizer_steps_as_keras_own_does(optimizer):
    """
    Each field must reach Keras under its own name.
    """
    import keras

    changed = {"weight_decay": 0.1, "learning_rate": 0.05}
    if "beta_1" in optimizer.model_fields:
        changed["beta_1"] = 0.7
    if "momentum" in optimizer.model_fields:
        changed["momentum"] = 0.7
    expected = steps_of(getattr(keras.optimizers, optimizer.__name__)(**changed))

    assert np.array_equal(expected, steps_of(optimizer(**changed).build(7, 3)))
    assert not np.allclose(expected, steps_of(optimizer().build(7, 3)))


@every
def test_clipping_is_left_to_the_engine(optimizer):
    """
    Keras clips before the replicas' gradients are summed; if it did so here, gradients would be
    clipped twice.
    """
    for name in ("clipnorm", "clipvalue", "global_clipnorm"):
        built = optimizer(**{name: 0.5}).build(7, 3)

        assert built.clipnorm is None
        assert built.clipvalue is None
        assert built.global_clipnorm is None


@every
def test_what_a_run_writes_down_is_read_back_equal(optimizer):
    """
    A run is resumed and evaluated from its config.yaml, in which every field is written out.
    """
    schedule = CosineDecay(initial_learning_rate=0.1, warmup_epochs=2)
    for made in (optimizer(), optimizer(learning_rate=schedule, clipnorm=1)):
        written = made.model_dump()

        assert made == Optimizer.read(written)
        assert written == Optimizer.read(written).model_dump()


@every
def test_keras_identifiers_name_the_same_optimizer(optimizer):
    """
    Half of the tutorials write `adam` instead of `Adam`.
    """
    name = optimizer.__name__

    assert {optimizer()} == {read(each) for each in (name, name.lower(), snake_case(name))}


@every
def test_a_schedule_stands_in_the_place_of_a_learning_rate(optimizer):
    """
    The optimizer must follow the schedule over its own run: 3 epochs of 4 steps.
    """
    schedule = CosineDecay(initial_learning_rate=0.5, warmup_epochs=1)
    built = optimizer(learning_rate=schedule).build(4, 3)
    expected = [float(schedule.build(4, 3)(step)) for step in range(3)]
    rates = []
    import keras

    weights = keras.Variable(np.ones(2, "float32"))
    for _ in range(3):
        rates.append(float(built.learning_rate))
        built.apply([weights.value], [weights])

    assert expected == rates
    assert len(set(rates)) == 3


def test_a_whole_number_is_a_learning_rate_too():
    """
    Keras rejects SGD(1) because the rate must be a float.
    """
    assert float(read("SGD: {learning_rate: 1}").build(1, 1).learning_rate) == 1
    assert read("Adam: {learning_rate: 1e-3}") == Adam(learning_rate=0.001)


@pytest.mark.parametrize(
    "yaml",
    [
        "Adam: {learning_rate: 0}",
        "Adam: {learning_rate: nan}",
        "Adam: {learning_rate: inf}",
        "Adam: {learning_rate: fast}",
        "Adam: {learning_rate: }",
        "Adam: {learning_rate: CosineDecy}",
        "Adam: {learning_rate: '1e-3'}",
        "adam: {learning_rate: CosineDecay}",
        "Adam: {learning_rate: {CosineDecay: {initial_learning_rate: 0, alpha: 2, x: 1}}}",
        "SGD: {nesterov: true}",
        "SGD: {momentum: 1.5}",
        "Adam: {beta_1: 1}",
        "AdamW: {weight_decay: }",
        "Lion: {clipnorm: 1, clipvalue: 1, global_clipnorm: 1}",
    ],
)
def test_each_mistake_has_one_message(yaml, recorded):
    """
    A rate is a number or a schedule; a mistake in it must be reported once, not for each
    alternative.
    """
    recorded(yaml, mistakes_in(yaml))


def test_nesterov_with_momentum_is_allowed():
    """
    A rule that rejects valid configs is worse than none.
    """
    assert read("SGD: {nesterov: true, momentum: 0.9}") == SGD(nesterov=True, momentum=0.9)


def test_editors_are_told_of_numbers_and_schedules():
    """
    `schema` replaces the placeholder with a reference to the registry, so that editors accept both.
    """
    expected = [{"type": "number", "exclusiveMinimum": 0}, {"x-registry": "Schedule"}]

    assert expected == TypeAdapter(Rate).json_schema()["anyOf"]
