"""The commands as a user has them: the real command line, real files, one small run."""

import csv
import io
import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from PIL import Image
from sklearn.datasets import load_digits

from imgcls.commands.train import train
from tests import processor

SMOKE = Path(__file__).parents[2] / "configs" / "smoke.yaml"


def process(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "imgcls", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def ignore(event: object) -> None:
    del event


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """A folder with pictures of digits, and with a run of the smoke config that all tests share."""
    folder = tmp_path_factory.mktemp("place")
    pictures = folder / "pictures"
    pictures.mkdir()
    for number, image in enumerate(load_digits().images[:10]):
        Image.fromarray(np.round(image * 255 / 16).astype(np.uint8)).save(
            pictures / f"{number}.png"
        )
    train(SMOKE, ignore, root=folder / "runs")
    return Path(folder)


@pytest.mark.timing
def test_a_smoke_run_trains_evaluates_and_predicts_within_45_seconds(tmp_path, place):
    """
    What CI runs of other projects can afford.
    """
    commands = [
        ["train", str(SMOKE)],
        ["evaluate"],
        ["predict", str(place / "pictures" / "3.png")],
    ]
    done: list[subprocess.CompletedProcess[str]] = []
    began = time.monotonic()
    done.extend(process(*each, folder=tmp_path) for each in commands)
    seconds = time.monotonic() - began
    trained, evaluated, predicted = done

    assert [0, 0, 0] == [each.returncode for each in done]
    assert seconds < 45
    assert "next: imgcls evaluate runs/smoke-001" in trained.stderr
    assert "imgcls predict IMAGE --run runs/smoke-001" in trained.stderr
    assert "Best epoch: 2" in trained.stdout
    assert "run runs/smoke-001" in evaluated.stderr
    assert predicted.stdout.startswith(str(place / "pictures" / "3.png"))


@pytest.mark.slow
def test_nothing_is_rewritten_before_it_is_traced(tmp_path):
    """
    AutoGraph, left on, takes two thirds of the time to the first step.
    """
    script = (
        "import sys; from imgcls.__main__ import main\n"
        "try: main()\n"
        "finally: print([each for each in sys.modules if 'autograph_generated' in each])\n"
    )
    for command in (["train", str(SMOKE)], ["evaluate"]):
        done = subprocess.run(
            [sys.executable, "-c", script, *command],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        )
        assert "[]" == done.stdout.splitlines()[-1]


def test_a_run_folder_has_what_later_commands_and_people_need(place):
    """
    Everything but the weights can be read by a text editor.
    """
    run = place / "runs" / "smoke-001"
    names = {path.name for path in run.iterdir()}

    assert {
        *("config.yaml", "model.json", "metrics.jsonl", "checkpoints", "environment.json"),
        *("data.json", "status.json", "log.txt", "run.lock"),
    } <= names
    assert yaml.safe_load((run / "config.yaml").read_text())["training"]["batch_size"] == 32
    model = json.loads((run / "model.json").read_text())
    assert [8, 8] == model["size"]
    assert list("0123456789") == model["classes"]
    metrics = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert [1, 2] == [row["epoch"] for row in metrics]
    assert {"loss", "accuracy", "val_loss", "val_accuracy", "learning_rate"} <= metrics[0].keys()
    environment = json.loads((run / "environment.json").read_text())
    assert {"tensorflow", "keras", "device", "threads", "precision", "seed"} <= environment.keys()
    assert "finished" == json.loads((run / "status.json").read_text())["state"]
    assert "EpochEnded epoch=2" in (run / "log.txt").read_text()
    assert 1 <= len(list((run / "checkpoints").iterdir())) <= 3


@pytest.mark.slow
def test_what_is_printed_is_plain_and_has_none_of_tensorflows_noise(tmp_path):
    """
    A log file is read by people and programs.
    """
    said = process("train", str(SMOKE), folder=tmp_path).stderr

    assert "\x1b" not in said
    assert "\r" not in said
    assert "oneDNN" not in said
    assert "absl" not in said
    assert "Device: CPU" in said


def test_evaluate_gives_one_json_object_with_the_promised_keys(place, imgcls):
    """
    Programs read it, and later versions only add to it.
    """
    done = imgcls("evaluate", "--json", folder=place)
    found = json.loads(done.stdout)

    assert [
        *("run", "checkpoint", "split", "images", "loss", "accuracy", "top_5_accuracy"),
        *("macro_f1", "balanced_accuracy", "per_class", "confusion_matrix"),
    ] == list(found)
    assert ("test", 180) == (found["split"], found["images"])
    assert 180 == sum(map(sum, found["confusion_matrix"]))
    right = sum(found["confusion_matrix"][each][each] for each in range(10))
    assert found["accuracy"] == pytest.approx(right / 180)
    assert ["name", "precision", "recall", "f1", "support"] == list(found["per_class"][0])
    stored = place / "runs" / "smoke-001" / "evaluation-test.json"
    assert found == json.loads(stored.read_text())


def test_the_validation_figures_of_training_are_those_of_evaluate(place, imgcls):
    """
    Two programs that score the same images differently would make every figure doubtful.
    """
    rows = (place / "runs" / "smoke-001" / "metrics.jsonl").read_text().splitlines()
    best = max((json.loads(row) for row in rows), key=lambda row: row["val_accuracy"])
    found = json.loads(imgcls("evaluate", "--split", "validation", "--json", folder=place).stdout)

    assert found["accuracy"] == best["val_accuracy"]
    assert found["loss"] == pytest.approx(best["val_loss"], rel=1e-5)


def test_other_labelled_images_are_matched_by_the_names_of_the_classes(place, tmp_path, imgcls):
    """
    Two of ten folders are 7 and 3 there, and class 0 and 1 to whoever counts.
    """
    for name in ("7", "3"):
        (tmp_path / name).mkdir()
        shutil.copy(place / "pictures" / f"{name}.png", tmp_path / name)
    found = json.loads(imgcls("evaluate", "--data", str(tmp_path), "--json", folder=place).stdout)

    assert {"7": 1, "3": 1} == {
        each["name"]: each["support"] for each in found["per_class"] if each["support"]
    }


def test_predict_takes_folders_and_globs_in_order_and_writes_json_lines(place, imgcls):
    """
    The shell's own loops are slower by the start of TensorFlow a picture.
    """
    done = imgcls(
        "predict", "--json", "--top-k", "2", "pictures", "pictures/[12].png", folder=place
    )
    lines = [json.loads(line) for line in done.stdout.splitlines()]

    expected = [f"pictures/{number}.png" for number in [*range(10), 1, 2]]
    assert expected == [line["file"] for line in lines]
    assert all(len(line["top"]) == 2 for line in lines)
    assert lines[1] == lines[10]


def test_a_picture_that_cannot_be_read_is_named_and_the_rest_is_predicted(place, tmp_path, imgcls):
    """
    One bad file in a folder of thousands must not cost the others their answer.
    """
    shutil.copytree(place / "pictures", tmp_path / "mixed")
    (tmp_path / "mixed" / "4.png").write_bytes(b"<html>404</html>")
    (tmp_path / "mixed" / "notes.txt").write_text("no picture")
    done = imgcls("predict", "--csv", str(tmp_path / "mixed"), folder=place)
    rows = list(csv.DictReader(io.StringIO(done.stdout)))

    assert 3 == done.code
    assert 10 == len(rows)
    assert ["4.png"] == [Path(row["file"]).name for row in rows if row["error"]]


WRONG: dict[str, tuple[list[str], int, str]] = {
    "no such run": (["evaluate", "runs/smok-001"], 6, "did you mean runs/smoke-001"),
    "no such picture": (["predict", "none.png"], 3, "none.png"),
    "an empty name": (["predict", ""], 2, "an image has an empty name"),
    "a folder without pictures": (["predict", "runs"], 5, "no picture in runs"),
    "a URL": (["predict", "https://example.org/a.png"], 2, "download it first"),
    "a missing config": (["train", "none.yaml"], 4, "none.yaml: cannot be read"),
    "config and resume": (["train", "a.yaml", "--resume", "runs/smoke-001"], 2, "one config, or"),
    "neither": (["train"], 2, "one config, or"),
    "an unknown option": (["train", "--nonsense"], 2, "No such option"),
    "--split with --data": (["evaluate", "--split", "test", "--data", "."], 2, "--split"),
    "two formats": (["predict", "--json", "--csv", "a.png"], 2, "exclude each other"),
    "a missing data folder": (
        ["train", str(SMOKE), "--set", "dataset={folder: nowhere, size: 8}"],
        5,
        "nowhere",
    ),
    "no GPU": (["train", str(SMOKE), "--set", "training.device=gpu"], 8, "training.device is gpu"),
    "no more devices": (
        ["train", str(SMOKE), "--set", "training.replicas=2"],
        4,
        "--set #1: training.replicas: must be at most 1",
    ),
    "a pooling too many": (
        ["check", str(SMOKE), "--set", "layers[0]={MaxPooling2D: {pool_size: 8}}"],
        4,
        "layers[1].MaxPooling2D: its input is 1x1 and cannot be halved",
    ),
    "a kernel too large": (
        ["check", str(SMOKE), "--set", "layers[0].Conv2D.kernel_size=9"],
        4,
        "layers[0].Conv2D: its input is 8x8, smaller than its 9x9 kernel",
    ),
    "no Flatten": (
        ["check", str(SMOKE), "--set", "layers[2]=Dropout: {rate: 0.1}"],
        4,
        "put Flatten or GlobalAveragePooling2D before it",
    ),
    "a wrong number of classes": (
        ["check", str(SMOKE), "--set", "layers[3].Dense.units=12"],
        4,
        "layers[3].Dense: gives 12 numbers per image, but the data has 10 classes",
    ),
    "an unknown class weight": (
        ["check", str(SMOKE), "--set", "training.class_weight={cat: 2}"],
        4,
        "training.class_weight.cat: unknown class",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_said_in_one_message_with_its_exit_code(case, place, imgcls):
    """
    A traceback is our bug; a script tells a wrong config from a full disk by the exit code.
    """
    arguments, code, message = WRONG[case]
    before = sorted(path.name for path in (place / "runs").iterdir())
    done = imgcls(*arguments, folder=place)

    assert code == done.code, done.stderr
    assert message in done.stderr
    assert before == sorted(path.name for path in (place / "runs").iterdir())


@pytest.mark.slow
def test_a_reader_that_goes_away_does_not_make_a_training_fail(tmp_path):
    """
    `imgcls train ... | head -1` ends well when the run does.
    """
    command = f"set -o pipefail; {sys.executable} -m imgcls train {SMOKE} | true"
    done = subprocess.run(
        ["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert 0 == done.returncode, done.stderr
    assert "next: imgcls evaluate" in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("seconds", [0.9, 2.5])
def test_ctrl_c_while_training_starts_leaves_nothing_and_says_so(tmp_path, seconds):
    """
    Three seconds in which others print a traceback.
    """
    training = subprocess.Popen(
        [sys.executable, "-m", "imgcls", "train", str(SMOKE)],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
    )
    time.sleep(seconds)
    training.send_signal(signal.SIGINT)
    _, said = training.communicate(timeout=60)

    assert -signal.SIGINT == training.returncode
    assert "Traceback" not in said
    assert "absl" not in said
    assert said.splitlines()[-1].startswith("imgcls: exit=130 error=INT")
    runs = list(tmp_path.glob("runs/*"))
    assert not runs or "resume: imgcls train --resume" in said


def test_a_damaged_environment_is_named(place, tmp_path, imgcls):
    """
    A file of a run that somebody has edited is no reason for a traceback.
    """
    shutil.copytree(place / "runs" / "smoke-001", tmp_path / "run")
    (tmp_path / "run" / "environment.json").write_text("[]")
    done = imgcls("train", "--resume", str(tmp_path / "run"), folder=place)

    assert 6 == done.code
    assert "environment.json: is damaged" in done.stderr


def test_diverged_training_stops_with_its_step_and_advice(tmp_path, imgcls):
    """
    A night of nan is worth nothing; the last good checkpoint is.
    """
    wild = ["--set", "optimizer={SGD: {learning_rate: 1e30}}"]
    done = imgcls("train", str(SMOKE), *wild, folder=tmp_path)

    assert 7 == done.code
    assert "at step" in done.stderr
    assert "hint: lower optimizer.SGD.learning_rate" in done.stderr
    status = json.loads((tmp_path / "runs" / "smoke-001" / "status.json").read_text())
    assert "diverged" == status["state"]


def test_check_shows_data_layers_and_costs(place, imgcls):
    """
    What a night of training would have shown in the morning.
    """
    done = imgcls("check", str(SMOKE), folder=place)

    assert 0 == done.code
    for expected in ("layers[0].Conv2D", "6x6x8", "parameters", "multiply-adds", "Estimated total"):
        assert expected in done.stdout
    digits: dict[str, Any] = {"train": 500, "validation": 180, "test": 180}
    for count in digits.values():
        assert str(count) in done.stdout


@pytest.mark.timing
def test_help_is_there_at_once_and_names_every_verb(place):
    """
    Whoever asks for help should not wait for it.
    """
    said = process("--help", folder=place).stdout
    seconds = sorted(processor.seconds(lambda: process("--help", folder=place)) for _ in range(5))

    for verb in ("train", "evaluate", "predict", "check", "schema"):
        assert verb in said
    assert seconds[2] < 0.3
