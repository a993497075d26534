"""The tables of `evaluate` and `check`."""

import json

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
    per_class=(ClassScore("cat", 1.0, 0.5, 2 / 3, 1234), ClassScore("猫 dog", None, 0.0, 0.0, 1)),
    confusion_matrix=((1234, 0), (1, 0)),
)


def test_an_evaluation_is_tables_for_people(shown):
    """
    Undefined figures are n/a; columns stand in line whatever alphabet the classes are written in.
    """
    expected = """\
run         runs/pets-001
checkpoint  step-12
split       test
images      1,235
loss        0.5000
accuracy    n/a

class   precision  recall      f1  support
cat        1.0000  0.5000  0.6667    1,234
猫 dog        n/a  0.0000  0.0000        1

confusion matrix (rows are the true classes, columns the predicted ones)
              1  2
1 cat     1,234  0
2 猫 dog      1  0
"""

    assert (expected.splitlines(), []) == shown(lambda console: console.evaluation(FOUND))


def test_an_evaluation_is_one_json_object_on_one_line(shown):
    """
    What a script reads.
    """
    out, err = shown(lambda console: console.evaluation(FOUND, json=True))

    assert ([json.loads(line) for line in out], err) == ([FOUND.to_json()], [])


def test_many_classes_show_their_commonest_mistakes(shown):
    """
    A matrix of ten thousand cells is read by nobody; the pairs that are confused are.
    """
    names = tuple(ClassScore(f"class {each}", 1.0, 1.0, 1.0, 1) for each in range(21))
    matrix = [[0] * 21 for _ in range(21)]
    matrix[3][3], matrix[3][5], matrix[20][0] = 99, 7, 1200
    many = Evaluation(
        "r", "c", "test", 1306, 0.5, 0.5, 0.9, names, tuple(tuple(row) for row in matrix)
    )

    out, _ = shown(lambda console: console.evaluation(many))

    expected = [
        "commonest mistakes",
        "true class  images  taken for",
        "class 20     1,200  class 0",
        "class 3          7  class 5",
    ]
    assert expected == out[-4:]
    assert "top-5       0.9000" in out


def test_a_check_is_the_data_the_layers_and_what_training_takes(shown):
    """
    It is read before an hour of computing is spent.
    """
    data = DataSummary(
        ("cat", "dog"),
        {"train": (1000, 10), "test": (5, 6)},
        (224, 224),
        (32, 32),
        3,
        ("made [validation]: 10 %",),
    )
    layers = (
        LayerRow("layers[0].Conv2D", (224, 224, 32), 896, 43352064),
        LayerRow("layers[1].Dense", (2,), 3211266, 3211264),
    )
    found = CheckResult("pets.yaml", data, layers, 0.7, 0.0184, 12.0, 130.0, 3 * 2**29)

    expected = """\
pets.yaml is right

images of 224x224x3, kept as 32x32x3
made [validation]: 10 %
class  train  test
cat    1,000     5
dog       10     6
total  1,010    11

layer                 output  parameters  multiply-adds
layers[0].Conv2D  224x224x32         896     43,352,064
layers[1].Dense            2   3,211,266      3,211,264
total                          3,212,162     46,563,328

loss of one batch  0.7000
one step           18 ms
one epoch, about   12 s
in all, about      2 min 10 s
memory, about      1.5 GiB
"""
    assert (expected.splitlines(), []) == shown(lambda console: console.check(found))
