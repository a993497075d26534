"""Conformance of every regularizer with the Keras regularizer of the same name."""

import inspect

import keras
import numpy as np
import pytest
from keras.src import regularizers as keras_regularizers

from imgcls.config.components.regularizers import Regularizer
from imgcls.config.language.documentation import field_docs

every = pytest.mark.parametrize("name", Regularizer.named())

WEIGHTS = np.array([[1.0, -2.0], [0.5, 0.0]], np.float32)


@every
def test_it_has_the_arguments_and_defaults_of_keras(name: str) -> None:
    """
    A model copied line by line from Keras must train in the same way.
    """
    expected = inspect.signature(getattr(keras.regularizers, name)).parameters
    fields = Regularizer.named()[name].model_fields

    assert {key: each.default for key, each in expected.items()} == {
        key: field.default for key, field in fields.items()
    }


@pytest.mark.parametrize(
    ("written", "regularization_loss"),
    [
        ({"L1": {"l1": 0.1}}, 0.35),
        ({"L2": {"l2": 0.1}}, 0.525),
        ({"L1L2": {"l1": 0.1, "l2": 0.2}}, 1.4),
        ("l2", 0.0525),
    ],
)
def test_it_penalises_as_it_says(written: object, regularization_loss: float) -> None:
    """
    Papers define L2 with or without a factor of 1/2; here, as in Keras, there is none.
    """
    assert regularization_loss == pytest.approx(
        float(Regularizer.read(written).build()(WEIGHTS)), rel=1e-6
    )


@every
def test_it_is_dumped_and_documented(name: str) -> None:
    """
    A run saves its resolved config, and the reference page shows these texts.
    """
    component = Regularizer.named()[name]
    regularizer = Regularizer.read(name)

    assert regularizer == Regularizer.read(regularizer.model_dump(mode="json"))
    assert component.__doc__
    assert list(component.model_fields) == list(field_docs(component))


def test_keras_identifiers_name_the_same_thing() -> None:
    """
    Tutorials write `l2` as often as `L2`.
    """
    ours = Regularizer.named()
    for identifier, theirs in keras_regularizers.ALL_OBJECTS_DICT.items():
        if theirs.__name__ in ours:
            assert Regularizer.lookup(identifier) is ours[theirs.__name__], identifier
    assert Regularizer.lookup("l1_l2") is ours["L1L2"]
