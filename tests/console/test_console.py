"""What each command shows, off a terminal."""

import csv
import io
import json
from pathlib import Path

import pytest

from imgcls.console import Console
from imgcls.errors import ConfigError, Mistake, ResourceError, RunError
from imgcls.events import Cached, EpochEnded, Noted, Saved, Started, Trained, Warned
from imgcls.inference.predictions import Prediction

RUN = Path("runs/pets-001")
ROW = {
    "epoch": 1,
    "step": 704,
    "loss": 1.23451,
    "accuracy": 0.55,
    "learning_rate": 0.001,
    "val_loss": 1.1,
    "val_accuracy": 0.6,
    "train_seconds": 12.3,
    "images_per_second": 3400.4,
}


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (Noted("training on cpu"), "training on cpu"),
        (Cached(3068, 3068), "3,068 images from the cache"),
        (Cached(1, 3068), "1 of 3,068 images from the cache"),
        (Cached(0, 9, "no\x1b"), r"decoded images are not kept for later runs: no\x1b"),
        (Warned("class [b] has 1 image\x1b"), r"warning: class [b] has 1 image\x1b"),
        (
            Started(
                RUN, 10, 704, {"train": 45000, "validation": 5000}, 10, 25578, "cpu", "bf16", 0
            ),
            (
                "runs/pets-001: 10 epochs of 704 steps; images: 45,000 train, 5,000 validation;"
                " 10 classes; 25,578 parameters; cpu, bf16"
            ),
        ),
        (
            Started(RUN, 1, 1704, {"train": 9}, 1, 1, "gpu", "float32", 1200),
            (
                "runs/pets-001: 1 epoch of 1,704 steps, going on after step 1,200; images: 9 train;"
                " 1 class; 1 parameter; gpu, float32"
            ),
        ),
        (
            EpochEnded(1, 10, ROW, best=True),
            (
                "epoch 1/10  loss 1.2345  accuracy 0.5500  val_loss 1.1000  val_accuracy 0.6000"
                "  3,400 images/s  12 s  best"
            ),
        ),
        (EpochEnded(2, 10, {"loss": None}, best=False), "epoch 2/10  loss n/a"),
        (Saved(704), None),
        ("something else", None),
    ],
    ids=lambda value: type(value).__name__,
)
def test_an_event_is_a_line_on_stderr(shown, event, line):
    """
    stdout is for results: a script that reads it must not find chatter there.
    """
    expected = [line] if line else []

    assert ([], expected) == shown(lambda console: console.report(event))


def test_a_config_s_mistakes_are_bare_and_one_a_line(shown):
    """
    Editors and terminals jump to `file:line:column` at the beginning of a line.
    """
    error = ConfigError(
        Mistake("a.yaml:7:14", "layers[1].Conv2D.filtres", "unknown key"),
        Mistake("a.yaml:8:2", "seed", "must be a whole number, got 'x\ny'"),
        hint="imgcls schema",
    )

    expected = [
        "a.yaml:7:14: layers[1].Conv2D.filtres: unknown key",
        r"a.yaml:8:2: seed: must be a whole number, got 'x\ny'",
        "hint: imgcls schema",
    ]
    assert ([], expected) == shown(lambda console: console.error(error))


def test_another_error_has_its_hint_on_a_line_of_its_own(shown):
    """
    The hint is a command to copy.
    """
    error = RunError("runs/pets-003 has no model", hint="imgcls train --resume runs/pets-003")

    expected = [
        "error: runs/pets-003 has no model",
        "hint: imgcls train --resume runs/pets-003",
    ]
    assert ([], expected) == shown(lambda console: console.error(error))


def test_a_reason_of_several_lines_stays_so(shown):
    """
    TensorFlow's own reason for not finding a GPU is several lines long.
    """
    error = ResourceError("no GPU:\n  missing libcudnn")

    expected = ["error: no GPU:", "  missing libcudnn"]
    assert ([], expected) == shown(lambda console: console.error(error))


def test_a_finished_training_names_its_best_epoch_and_what_comes_next(shown):
    """
    It is the only line that many people read.
    """
    trained = Trained(RUN, "finished", 10, 10, 7040, ROW, None, None, 200.0)

    out = [
        "runs/pets-001: trained 10 of 10 epochs in 3 min 20 s",
        "best: epoch 1  val_loss 1.1000  val_accuracy 0.6000",
    ]
    err = [
        "next: imgcls evaluate runs/pets-001",
        "      imgcls predict IMAGE --run runs/pets-001",
    ]
    assert (out, err) == shown(lambda console: console.trained(trained))


def test_an_interrupted_training_says_how_to_go_on(shown):
    """
    The command can be copied into a shell, whatever the folder is called.
    """
    trained = Trained(Path("my runs/pets"), "interrupted", 2, 10, 1760, None, None, 2, 20.0)

    out = ["my runs/pets: interrupted by SIGINT after 2 of 10 epochs, step 1,760"]
    err = ["resume: imgcls train --resume 'my runs/pets'"]
    assert (out, err) == shown(lambda console: console.trained(trained))


def test_an_early_end_has_its_reason_and_no_validation_shows_training_figures(shown):
    """
    A training of 3 epochs where 10 were asked for looks like a fault.
    """
    row = {"epoch": 2, "loss": 1.0, "accuracy": 0.5}
    trained = Trained(RUN, "finished", 3, 10, 30, row, "loss has not improved", None, 9.0)

    out = [
        "runs/pets-001: stopped early after 3 of 10 epochs in 9.0 s: loss has not improved",
        "best: epoch 2  loss 1.0000  accuracy 0.5000",
    ]
    assert out == shown(lambda console: console.trained(trained))[0]


PREDICTIONS = (
    Prediction("a\n.png", (("cat", 0.9876543), ("dog", 0.0123457))),
    Prediction("b.png", error="is no image"),
    Prediction("ü\udcff.png", (("dog", 1.0),)),
)


def test_predictions_are_a_line_an_image_and_refusals_are_messages(shown):
    """
    The lines can be cut and counted; what went wrong is seen even when they go to a file.
    """
    refused = []

    out = [r"a\n.png  cat 0.9877  dog 0.0123", r"ü\udcff.png  dog 1.0000"]
    assert (out, ["error: b.png: is no image"]) == shown(
        lambda console: refused.append(console.predictions(PREDICTIONS, top_k=2))
    )
    assert refused == [1]


def test_predictions_in_json_are_an_object_a_line_in_ascii(shown):
    """
    As many lines as images, right in every locale, and the very bytes of the file's name.
    """
    out, err = shown(lambda console: console.predictions(PREDICTIONS, json=True))

    assert ([json.loads(line) for line in out], err) == ([p.to_json() for p in PREDICTIONS], [])
    assert all(line.isascii() for line in out)


def test_predictions_in_csv_are_read_back_as_they_were(capsys):
    """
    A line break in a file name is legal, and must not shift the table.
    """
    with Console() as console:
        console.predictions(PREDICTIONS, csv=True, top_k=2)

    header, *rows = csv.reader(io.StringIO(capsys.readouterr().out, newline=""))
    assert header == ["file", "class", "probability", "class_2", "probability_2", "error"]
    assert rows[:2] == [each.to_csv(2) for each in PREDICTIONS[:2]]
    assert rows[2][0] == r"ü\udcff.png"


def test_each_prediction_is_shown_before_the_next_is_made(capsys):
    """
    A hundred thousand images take an hour; the first answer should not.
    """
    seen = []

    def slowly():
        for each in PREDICTIONS:
            yield each
            seen.append(capsys.readouterr().out.count("\n"))

    with Console() as console:
        console.predictions(slowly(), json=True)

    assert seen == [1, 1, 1]
