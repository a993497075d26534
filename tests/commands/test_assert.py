"""`imgcls evaluate --assert`, as used in a CI build."""

import json
from pathlib import Path

import pytest

from imgcls.commands.evaluate import evaluate
from imgcls.commands.train import train
from imgcls.errors import UsageError
from imgcls.evaluation.assertions import Assertion

ROOT = Path(__file__).parents[2]


def ignore(event: object) -> None:
    del event


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """A folder with a run of the smoke config."""
    folder = Path(tmp_path_factory.mktemp("place"))
    train(ROOT / "configs" / "smoke.yaml", ignore, root=folder / "runs")
    return folder


def test_a_missed_assertion_is_exit_code_11_after_the_results(place, imgcls):
    """
    The build must fail, and its log must say why.
    """
    done = imgcls(
        *("evaluate", "--assert", "accuracy>=0.05", "--assert", "images=181"),
        *("--assert", "recall[3]>1", "--json"),
        folder=place,
    )
    found = json.loads(done.stdout)

    assert 11 == done.code
    assert [
        "run runs/smoke-001",
        "assertion failed: images is 180, expected = 181",
        f"assertion failed: recall[3] is {found['per_class'][3]['recall']:.4f}, expected > 1",
        "imgcls: exit=11 error=MISSED run=runs/smoke-001",
    ] == done.stderr.splitlines()
    assert [
        {"assertion": "accuracy>=0.05", "value": found["accuracy"], "holds": True},
        {"assertion": "images=181", "value": 180, "holds": False},
        {"assertion": "recall[3]>1", "value": found["per_class"][3]["recall"], "holds": False},
    ] == found["assertions"]


def test_what_holds_changes_nothing(place, imgcls):
    """
    A build that passes must be as quiet as one without assertions.
    """
    done = imgcls("evaluate", "--assert", "accuracy>=0.05", folder=place)

    assert 0 == done.code
    assert ["run runs/smoke-001", "imgcls: exit=0 run=runs/smoke-001"] == done.stderr.splitlines()
    assert "Confusion matrix" in done.stdout


def test_a_class_that_the_run_lacks_is_refused_before_anything_is_computed(place):
    """
    A typo must fail the build right away, with a message that suggests the correct class.
    """
    run = place / "runs" / "smoke-001"
    stored = run / "evaluation-validation.json"

    with pytest.raises(UsageError, match="the run has no class 33; did you mean 3"):
        evaluate(run, ignore, split="validation", assertions=[Assertion.parse("f1[33]>0.5")])
    assert not stored.exists()
