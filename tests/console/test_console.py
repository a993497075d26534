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


STARTED = Started(RUN, 10, 704, {"train": 45000, "validation": 5000}, 10, 25578, "cpu", "bf16", 0)
EVENTS = (
    Noted("all is well"),
    Cached(3068, 3068),
    Cached(1, 3068),
    Cached(0, 9, "no\x1b"),
    Warned("class [b] has 1 image\x1b"),
    STARTED,
    Started(RUN, 1, 1704, {"train": 9}, 1, 1, "gpu", "float32", 1200),
    EpochEnded(1, 10, ROW, best=True),
    EpochEnded(2, 10, {"loss": None}, best=False),
)


def test_each_event_is_a_line_on_stderr(stderr, snapshot):
    """
    stdout is for results: a script that reads it must not find chatter there.
    """
    text = stderr(lambda console: [console.report(event) for event in EVENTS])

    assert len(EVENTS) == text.count("\n")
    snapshot("events", text)


@pytest.mark.parametrize("event", [Saved(704), "something else"], ids=["saved", "unknown"])
def test_some_events_are_not_shown(shown, event):
    """
    A checkpoint comes with every epoch and needs no attention.
    """
    assert ([], []) == shown(lambda console: console.report(event))


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


ENDINGS = {
    "finished": Trained(RUN, "finished", 10, 10, 7040, ROW, None, None, 200.0),
    "early": Trained(
        *(RUN, "finished", 3, 10, 30, {"epoch": 2, "loss": 1.0, "accuracy": 0.5}),
        *("val_loss has not improved for 2 evaluations", None, 9.0),
    ),
    "interrupted": Trained(Path("my runs/pets"), "interrupted", 2, 10, 1760, None, None, 2, 20.0),
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_training_ends_with_its_best_epoch_and_the_commands_that_come_next(
    shown, snapshot, ending
):
    """
    These are the only lines that many people read. The result goes to stdout, advice to stderr.
    """
    out, err = shown(lambda console: console.trained(ENDINGS[ending]))

    snapshot(f"trained-{ending}", "\n".join(["stdout:", *out, "", "stderr:", *err, ""]))


PREDICTIONS = (
    Prediction("a\n.png", (("cat", 0.9876543), ("dog", 0.0123457))),
    Prediction("b.png", error="is no image"),
    Prediction("ü\udcff.png", (("dog", 1.0),)),
)


def test_predictions_are_a_line_per_image_and_rejected_images_are_messages(shown, snapshot):
    """
    The lines can be cut and counted; what went wrong is seen even when they go to a file.
    """
    rejected = []
    out, err = shown(lambda console: rejected.append(console.predictions(PREDICTIONS, top_k=2)))

    assert ["error: b.png: is no image", "rejected 1 image of 3"] == err
    assert [1] == rejected
    snapshot("predictions-text", "".join(f"{line}\n" for line in out))


def test_predictions_in_json_are_an_object_per_line_in_ascii(shown, snapshot):
    """
    As many lines as images, right in every locale, and the very bytes of the file's name.
    """
    out, err = shown(lambda console: console.predictions(PREDICTIONS, json=True))

    assert [each.to_json() for each in PREDICTIONS] == [json.loads(line) for line in out]
    assert ["rejected 1 image of 3"] == err
    assert all(line.isascii() for line in out)
    snapshot("predictions-json", "".join(f"{line}\n" for line in out))


def test_predictions_in_csv_are_read_back_as_they_were(capsys, snapshot):
    """
    A line break in a file name is legal, and must not shift the table.
    """
    with Console() as console:
        console.predictions(PREDICTIONS, csv=True, top_k=2)

    text = capsys.readouterr().out
    header, *rows = csv.reader(io.StringIO(text, newline=""))
    assert header == ["file", "class", "probability", "class_2", "probability_2", "error"]
    assert rows[:2] == [each.to_csv(2) for each in PREDICTIONS[:2]]
    assert rows[2][0] == r"ü\udcff.png"
    snapshot("predictions-csv", text)


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
