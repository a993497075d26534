"""What `evaluate` returns."""

import json
from typing import Any

import numpy as np

from imgcls.evaluation.scores import ClassScore, Evaluation, score

ABOUT: dict[str, Any] = {"run": "runs/pets-001", "checkpoint": "step-12", "split": "test"}


def scored(labels, predicted, classes):
    probabilities = np.eye(len(classes), dtype=np.float32)[predicted]
    losses = np.arange(len(labels), dtype=np.float32)
    return score(np.array(labels, np.int32), probabilities, losses, classes, **ABOUT)


def test_an_evaluation_has_the_figures_of_every_image_and_class():
    """
    These are what people publish.
    """
    expected = Evaluation(
        run="runs/pets-001",
        checkpoint="step-12",
        split="test",
        images=4,
        loss=1.5,
        accuracy=1 / 4,
        top_5_accuracy=None,
        macro_f1=1 / 3,
        balanced_accuracy=0.25,
        per_class=(
            ClassScore("cat", 1.0, 0.5, 2 / 3, 2),
            ClassScore("dog", None, 0.0, 0.0, 2),
            ClassScore("eel", 0.0, None, None, 0),
        ),
        confusion_matrix=((1, 0, 1), (0, 0, 2), (0, 0, 0)),
    )

    assert expected == scored([0, 0, 1, 1], [0, 2, 2, 2], ["cat", "dog", "eel"])


def test_its_json_has_the_promised_keys_in_their_order():
    """
    Scripts read it: later versions only add keys.
    """
    expected = {
        "run": "runs/pets-001",
        "checkpoint": "step-12",
        "split": "test",
        "images": 2,
        "loss": 0.5,
        "accuracy": 0.5,
        "top_5_accuracy": None,
        "macro_f1": 1 / 3,
        "balanced_accuracy": 0.5,
        "per_class": [
            {"name": "cat", "precision": 0.5, "recall": 1.0, "f1": 2 / 3, "support": 1},
            {"name": "dog", "precision": None, "recall": 0.0, "f1": 0.0, "support": 1},
        ],
        "confusion_matrix": [[1, 0], [1, 0]],
    }

    actual = scored([0, 1], [0, 0], ["cat", "dog"]).to_json()

    assert json.dumps(expected) == json.dumps(actual, allow_nan=False)


def test_what_is_not_finite_is_null_in_json():
    """
    `NaN` is no JSON: browsers, jq and databases refuse the whole file.
    """
    broken = np.full((2, 6), np.nan, np.float32)
    found = score(np.zeros(2, np.int32), broken, broken[:, 0], list("abcdef"), **ABOUT)

    value = json.loads(json.dumps(found.to_json(), allow_nan=False))

    figures = ("loss", "accuracy", "top_5_accuracy", "macro_f1", "balanced_accuracy")
    assert [None] * 5 == [value[key] for key in figures]
    assert value["images"] == 2
    empty = {"precision": None, "recall": None, "f1": None}
    assert {"name": "a", **empty, "support": 2} == value["per_class"][0]
    assert [[0] * 6] * 6 == value["confusion_matrix"]


def test_more_than_five_classes_have_a_top_5_accuracy():
    """
    It is the figure by which sets of many classes are compared.
    """
    found = scored([0, 5], [0, 0], list("abcdef"))

    assert found.top_5_accuracy == 0.5  # of the classes said to be equal, f is the sixth
