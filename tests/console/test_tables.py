"""The tables of `evaluate` and `check`."""

import json

from imgcls.config.data_spec import DataSpec
from imgcls.evaluation.scores import ClassScore, Evaluation
from imgcls.network.layer_table import LayerRow
from imgcls.training.summary import CheckResult, DataSummary

FOUND = Evaluation(
    run="runs/pets-001",
    checkpoint="step-12",
    split="test",
    images=1235,
    loss=0.5,
    accuracy=float("nan"),
    top_5_accuracy=None,
    macro_f1=0.6,
    balanced_accuracy=0.7,
    per_class=(ClassScore("cat", 1.0, 0.5, 2 / 3, 1234), ClassScore("猫 dog", None, 0.0, 0.0, 1)),
    confusion_matrix=((1234, 0), (1, 0)),
)


def test_an_evaluation_is_tables_for_people(stdout, snapshot):
    """
    Undefined metrics are n/a; columns are aligned whatever alphabet the classes are written in.
    """
    snapshot("evaluation-few", stdout(lambda console: console.evaluation(FOUND)))


def test_ten_digits_cannot_be_mistaken_for_column_numbers(stdout, snapshot):
    """
    The column of class 1 is not that of the first class, which is 0.
    """
    snapshot(
        "evaluation-digits", stdout(lambda console: console.evaluation(diagonal("0123456789")))
    )


def test_the_columns_of_classes_with_long_names_are_numbered_like_the_rows(stdout, snapshot):
    """
    Nobody can read a matrix that is wider than the terminal.
    """
    long = diagonal([f"a class of the name {each}" for each in "abcde"])

    snapshot("evaluation-long", stdout(lambda console: console.evaluation(long)))


def diagonal(names):
    """An evaluation without a mistake."""
    scores = tuple(ClassScore(name, 1.0, 1.0, 1.0, 18) for name in names)
    matrix = tuple(tuple(18 * (row == column) for column in names) for row in names)
    return Evaluation("r", "c", "test", 18 * len(names), 0.5, 1.0, None, 1.0, 1.0, scores, matrix)


def test_an_evaluation_is_one_json_object_on_one_line(shown):
    """
    What a script reads.
    """
    out, err = shown(lambda console: console.evaluation(FOUND, json=True))

    assert ([json.loads(line) for line in out], err) == ([FOUND.to_json()], [])


def test_many_classes_show_the_most_frequent_confusions(stdout, snapshot):
    """
    A matrix of ten thousand cells is read by nobody; the pairs that are confused are.
    """
    names = tuple(ClassScore(f"class {each}", 1.0, 1.0, 1.0, 1) for each in range(21))
    matrix = [[0] * 21 for _ in range(21)]
    matrix[3][3], matrix[3][5], matrix[20][0] = 99, 7, 1200
    many = Evaluation(
        *("r", "c", "test", 1306, 0.5, 0.5, 0.9, 0.4, 0.3, names),
        tuple(tuple(row) for row in matrix),
    )

    snapshot("evaluation-many", stdout(lambda console: console.evaluation(many)))


def test_a_check_is_the_data_the_layers_and_the_cost_of_the_training(stdout, snapshot):
    """
    It is read before an hour of computing is spent.
    """
    spec = DataSpec(
        classes=("cat", "dog"),
        size=(224, 224),
        stored=(32, 32),
        channels=3,
        resize="stretch",
    )
    data = DataSummary(spec, {"train": (1000, 10), "test": (5, 6)}, ("made [validation]: 10 %",))
    layers = (
        LayerRow("layers[0].Residual", 0, (224, 224, 32), 896, 43352064),
        LayerRow("layers[0].Residual.layers[0].Conv2D", 1, (224, 224, 32), 896, 43352064),
        LayerRow("layers[1].Dense", 0, (2,), 3211266, 3211264),
    )
    found = CheckResult("pets.yaml", data, layers, 0.7, 0.0184, 12.0, 130.0, 3 * 2**29)

    snapshot("check", stdout(lambda console: console.check(found)))
