"""Conformance of every initializer with the Keras initializer of the same name."""

import inspect
from typing import Any

import keras
import numpy as np
import pytest
from keras.src import initializers as keras_initializers
from pydantic import ValidationError

from imgcls.config.components.initializers import Initializer
from imgcls.config.language.documentation import field_docs

LEFT_OUT = {
    "seed": "made from the run's seed, the layer's key and the field",
    "input_axes": "for kernels that no layer here has",
    "output_axes": "for kernels that no layer here has",
}
"""Keras arguments that a config cannot set, each with the reason."""

CONSTANT = {"Zeros", "Ones", "Constant"}

every = pytest.mark.parametrize("name", Initializer.named())


def arguments(name: str) -> dict[str, Any]:
    found = inspect.signature(getattr(keras.initializers, name)).parameters
    return {key: each.default for key, each in found.items()}


@every
def test_it_has_the_arguments_and_defaults_of_keras(name: str) -> None:
    """
    A model copied line by line from Keras must be initialized in the same way.
    """
    fields = Initializer.named()[name].model_fields
    expected = {key: each for key, each in arguments(name).items() if key not in LEFT_OUT}

    assert expected == {key: field.default for key, field in fields.items()}


@every
def test_it_draws_what_keras_draws(name: str) -> None:
    """
    Comparing the engine with Keras requires equal initial weights.
    """
    kind, seeded = getattr(keras.initializers, name), {} if name in CONSTANT else {"seed": 3}
    expected = kind(**seeded)((3, 3, 4, 8))
    initializer = Initializer.read(name).build(3)

    np.testing.assert_array_equal(expected, initializer((3, 3, 4, 8)))


@every
def test_equal_seeds_draw_equal_numbers_and_others_do_not(name: str) -> None:
    """
    Layers that start with equal weights may never differ, and a run with unseeded weights cannot be
    repeated.
    """
    initializer = Initializer.read(name)
    keras.utils.set_random_seed(1)
    first, other = (np.array(initializer.build(seed)((4, 8))) for seed in (5, 6))
    keras.utils.set_random_seed(2)  # Keras' own seed decides nothing

    np.testing.assert_array_equal(first, initializer.build(5)((4, 8)))
    assert np.array_equal(first, other) == (name in CONSTANT)


@every
def test_what_is_dumped_reads_back_equal(name: str) -> None:
    """
    A run saves its resolved config, and every later command reads it.
    """
    initializer = Initializer.read(name)

    assert initializer == Initializer.read(initializer.model_dump(mode="json"))


@every
def test_it_is_documented(name: str) -> None:
    """
    The reference page and editors show these texts, and users have no others.
    """
    component = Initializer.named()[name]

    assert component.__doc__
    assert list(component.model_fields) == list(field_docs(component))


def test_keras_identifiers_name_the_same_thing() -> None:
    """
    Tutorials write `he_normal` as often as `HeNormal`.
    """
    ours = Initializer.named()
    for identifier, theirs in keras_initializers.ALL_OBJECTS_DICT.items():
        if theirs.__name__ in ours:
            assert Initializer.lookup(identifier) is ours[theirs.__name__], identifier


def test_a_uniform_distribution_has_its_bounds_in_order() -> None:
    """
    With swapped bounds, TensorFlow draws numbers from outside the range.
    """
    with pytest.raises(ValidationError, match=r"must be above minval \(0.1\), got -0.1"):
        Initializer.read({"RandomUniform": {"minval": 0.1, "maxval": -0.1}})
