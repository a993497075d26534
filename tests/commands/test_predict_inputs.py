"""`imgcls predict` as a tool in a pipeline."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from imgcls.commands.predict import predict
from imgcls.commands.train import train
from imgcls.errors import DataError, RunError
from imgcls.events import Noted, Warned
from imgcls.inference.classifier import BATCH

ROOT = Path(__file__).parents[2]
SMOKE = ROOT / "configs" / "smoke.yaml"
COUNT = BATCH + 5


def ignore(event: object) -> None:
    del event


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """A folder with a run of the smoke config, and more images than fit in a batch."""
    folder = Path(tmp_path_factory.mktemp("place"))
    (folder / "digits").mkdir()
    for number, image in enumerate(load_digits().images[:COUNT]):
        Image.fromarray(np.round(image * 255 / 16).astype(np.uint8)).save(
            folder / "digits" / f"{number:02}.png"
        )
    shutil.copytree(folder / "digits", folder / "mixed")
    (folder / "mixed" / "03.png").write_bytes(b"<html>404</html>")
    (folder / "mixed" / "notes.txt").write_text("no picture")
    train(SMOKE, ignore, root=folder / "runs")
    return folder


def shell(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command}"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "PREDICT": f"{sys.executable} -m imgcls predict",
        },
    )


def test_a_picture_is_predicted_alike_from_a_file_a_folder_a_list_and_in_any_company(
    place, monkeypatch
):
    """
    A prediction that depends on the other images in the request is useless.
    """
    monkeypatch.chdir(place)
    listed = place / "list.txt"
    files = sorted(str(path) for path in Path("digits").iterdir())
    listed.write_text("\n".join(files))
    alone = [next(predict([file], ignore).each) for file in (files[0], files[-1])]
    folder = list(predict(["digits"], ignore).each)
    lines = list(predict([], ignore, listed=listed).each)

    assert files == [each.file for each in folder]
    assert folder == lines
    for one, other in zip(alone, (folder[0], folder[-1]), strict=True):
        assert one.file == other.file
        # in a batch of another size, products are summed in a different order
        assert dict(one.ranked) == pytest.approx(dict(other.ranked), abs=1e-6)


def test_the_first_answers_come_before_the_last_name(place, monkeypatch):
    """
    With names piped in from a slow `find`, predictions must not wait for the last name.
    """
    monkeypatch.chdir(place)
    reading, writing = os.pipe()
    os.write(writing, b"digits/01.png\n" * BATCH)
    found = predict([], ignore, listed=Path(f"/dev/fd/{reading}"))

    assert "digits/01.png" == next(found.each).file
    os.close(writing)
    assert BATCH - 1 == len(list(found.each))
    os.close(reading)


def test_a_mixed_folder_has_a_line_for_every_picture_and_a_note_of_the_rest(place, monkeypatch):
    """
    Every image must get an answer, and nothing may be left out silently.
    """
    monkeypatch.chdir(place)
    events: list[object] = []
    found = list(predict(["mixed", "none.png"], events.append).each)

    assert COUNT + 1 == len(found)
    assert {
        "mixed/03.png": "not an image but an HTML page",
        "none.png": "no such file or directory",
    } == {each.file: each.error for each in found if each.error}
    assert Noted("skipped files that are not images: 1 (.txt)") == events[-1]


@pytest.mark.parametrize("form", ["", "--json"])
def test_refused_pictures_make_it_exit_code_3_in_every_form(form, place):
    """
    A script that counts lines and one that checks the exit code must agree.
    """
    done = shell(f"$PREDICT mixed {form}", place)
    lines = done.stdout.splitlines()

    assert 3 == done.returncode
    assert "imgcls: exit=3 error=PARTIAL run=runs/smoke-001" == done.stderr.splitlines()[-1]
    if form == "--json":
        assert COUNT == len(lines)
        assert [3] == [at for at, line in enumerate(lines) if json.loads(line)["error"]]
        digits = [f"{json.loads(line)['probability']}" for line in lines if '"error": null' in line]
        assert max(map(len, digits)) <= len("0.123456")
    else:
        assert COUNT - 1 == len(lines)
        assert "error: mixed/03.png: not an image but an HTML page" in done.stderr


def test_it_stands_in_a_pipe(place):
    """
    Users pipe in `find -print0`, send an image to stdin, or stop reading after one line.
    """
    command = (
        "find digits -name '0[12].png' -print0 | sort -z"
        " | $PREDICT - --from-file /dev/fd/3 --null 3<&0 < digits/05.png"
    )
    piped = shell(command, place)
    headed = shell("$PREDICT digits | head -1; echo ${PIPESTATUS[0]}", place)

    assert 0 == piped.returncode, piped.stderr
    names = [line.split()[0] for line in piped.stdout.splitlines()]
    assert ["-", "digits/01.png", "digits/02.png"] == names
    assert "digits/00.png" == headed.stdout.split()[0]
    assert "141" == headed.stdout.split()[-1]
    assert "run runs/smoke-001\n" == headed.stderr


def test_a_full_disk_is_an_error(place):
    """
    A file with half of the predictions would be taken for a complete one.
    """
    done = shell("$PREDICT digits > /dev/full", place)

    assert 8 == done.returncode
    assert "error: cannot write the results: no space left on device" in done.stderr
    assert "imgcls: exit=8 error=RESOURCE" == done.stderr.splitlines()[-1]


def test_no_picture_is_found_out_before_the_run_is_looked_for(tmp_path, monkeypatch):
    """
    An empty folder must not cost the seconds in which TensorFlow starts.
    """
    monkeypatch.chdir(tmp_path)

    with pytest.raises(DataError, match="no picture in "):
        predict([str(tmp_path)], ignore)


def test_a_checkpoint_that_was_asked_for_by_name_has_no_substitute(place, tmp_path, monkeypatch):
    """
    By default, an older checkpoint with a warning will do; `--checkpoint last` means that one.
    """
    monkeypatch.chdir(place)
    run = tmp_path / "run"
    shutil.copytree(place / "runs" / "smoke-001", run)
    newest = max((run / "checkpoints").iterdir(), key=lambda path: int(path.name[5:]))
    arrays = newest / "model.safetensors"
    arrays.write_bytes(arrays.read_bytes()[:-1])
    events: list[object] = []

    assert COUNT == len(list(predict(["digits"], events.append, run=run).each))
    warnings = [event.message for event in events if isinstance(event, Warned)]
    assert [True] == [newest.name in message for message in warnings]
    for choice in ("last", "best"):
        with pytest.raises(RunError) as caught:
            predict(["digits"], ignore, run=run, checkpoint=choice)
        assert newest.name in str(caught.value)
        assert run == caught.value.run
