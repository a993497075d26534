"""Runs of every format that is still supported can be evaluated and resumed.

One run per format is kept in `tests/kept_runs`, all with the same config, stopped in the third of
four epochs, without `log.txt` and `run.lock`:

    imgcls train tests/kept_runs/small.yaml --runs RUNS                 (Ctrl-C)
    imgcls evaluate RUN --checkpoint best --json       (and last; accuracies go to expected.json)
"""

import json
import shutil
from pathlib import Path

import pytest

from imgcls.commands.evaluate import evaluate
from imgcls.commands.train import train
from imgcls.runs import checkpoints, folders, rows
from imgcls.runs.checkpoints import AVERAGED, Checkpoint

KEPT = Path(__file__).parents[1] / "kept_runs"
FORMATS = sorted(path for path in KEPT.iterdir() if path.is_dir())
ONE_IMAGE = 1 / 179  # another processor may round differently


def ignore(event):
    del event


@pytest.fixture(params=FORMATS, ids=[path.name for path in FORMATS])
def kept(request, tmp_path):
    """A copy of a kept run, and its accuracies when it was made."""
    folder = tmp_path / request.param.name
    shutil.copytree(request.param, folder)
    return folders.open_run(folder), json.loads((folder / "expected.json").read_text())


def test_an_old_run_has_the_accuracy_that_it_had(kept):
    """
    An upgrade must not change a model that was good last year.
    """
    run, expected = kept
    for choice in ("best", "last"):
        found = evaluate(run.folder, ignore, checkpoint=choice)

        assert pytest.approx(expected[choice], abs=1.5 * ONE_IMAGE) == found.accuracy


def test_an_old_run_is_resumed(kept):
    """
    An upgrade may happen at night, between two jobs of one training run.
    """
    run, _ = kept
    before = rows.read(run.metrics)
    trained = train(None, ignore, resume=run.folder)

    assert ("finished", 4) == (trained.status, trained.epoch)
    assert before == rows.read(run.metrics)[: len(before)]
    epochs = [row["epoch"] for row in rows.read(run.metrics) if row["kind"] == "epoch"]
    assert [1, 2, 3, 4] == epochs


def test_todays_format_is_among_those_that_are_kept_with_every_kind_of_arrays():
    """
    Without a kept run of each new format, the next change could break it unnoticed.
    """
    formats = set()
    for folder in FORMATS:
        newest, problems = checkpoints.newest(folder / "checkpoints", Checkpoint.verify)
        assert newest is not None
        assert [] == problems
        assert newest.has(AVERAGED)
        formats.add(json.loads((newest.path / "MANIFEST.json").read_text())["format"])

    assert checkpoints.FORMAT in formats
