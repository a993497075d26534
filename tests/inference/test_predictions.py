"""What `predict` returns for each image."""

import json

import numpy as np
import pytest

from imgcls.inference.predictions import Prediction, csv_header

CAT = Prediction("a.png", (("cat", 0.98765432), ("dog", 0.0123457), ("eel", 1e-9)))
REFUSED = Prediction("b.png", error="is no image")


def test_classes_come_by_falling_probability_and_equal_ones_in_their_order():
    """
    The first class is the prediction, and must be the one that the accuracy is computed from.
    """
    probabilities = np.array([0.25, 0.125, 0.5, 0.125], np.float32)

    ranked = Prediction.of("a.png", list("abcd"), probabilities).ranked

    assert (("c", 0.5), ("a", 0.25), ("b", 0.125), ("d", 0.125)) == ranked


def test_json_has_six_digits_and_as_many_classes_as_asked_for():
    """
    Sixteen digits of a float32 would be noise that looks like precision.
    """
    first = {"class": "cat", "probability": 0.987654}
    top = [first, {"class": "dog", "probability": 0.012346}]

    assert {"file": "a.png", **first, "top": top, "error": None} == CAT.to_json(top_k=2)
    assert [first] == CAT.to_json()["top"]


def test_a_refused_image_has_the_same_keys():
    """
    Scripts that read `class` from every line must not fail on the one bad file.
    """
    value = REFUSED.to_json(top_k=2)

    assert list(CAT.to_json()) == list(value)
    assert (None, None, [], "is no image") == tuple(value.values())[1:]


@pytest.mark.parametrize("top_k", [1, 2, 5])
@pytest.mark.parametrize("prediction", [CAT, REFUSED], ids=["good", "refused"])
def test_every_csv_row_has_the_header_s_columns(prediction, top_k):
    """
    R and pandas reject a ragged table, or misalign it. `top_k` may exceed the number of classes.
    """
    assert len(csv_header(top_k)) == len(prediction.to_csv(top_k))


def test_csv_rows_name_the_file_the_classes_and_the_error():
    """
    Small probabilities are written without an exponent: spreadsheets turn 1e-09 into a date or
    text.
    """
    assert ["file", "class", "probability", "class_2", "probability_2", "error"] == csv_header(2)
    assert ["a.png", "cat", "0.987654", "dog", "0.012346", "eel", "0.000000", ""] == CAT.to_csv(3)
    assert ["b.png", "", "", "is no image"] == REFUSED.to_csv()


def test_a_probability_that_is_not_finite_is_null_or_empty():
    """
    `NaN` is not valid JSON.
    """
    broken = Prediction("a.png", (("cat", float("nan")),))

    assert '"probability": null' in json.dumps(broken.to_json(), allow_nan=False)
    assert ["a.png", "cat", "", ""] == broken.to_csv()
