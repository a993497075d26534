"""Several devices take the same steps as one; logical CPU devices stand in for GPUs."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]

CASES = {
    "a plain net": {},
    "synchronised normalisation": {"normalised": True},
    "regularisation": {"regularised": True},
    "clipping by norm": {"clipping": {"clipnorm": 0.01}},
    "clipping by value": {"clipping": {"clipvalue": 0.001}},
    "clipping by global norm": {"clipping": {"global_clipnorm": 0.01}},
    "class weights and averages": {"weighted": True, "averaged": True},
    "a last batch smaller than the rest": {"last": 3},
    "a last batch of one image, synchronised": {"last": 1, "normalised": True},
}


@pytest.fixture(scope="module")
def figures() -> dict[str, dict[str, list[list[float]]]]:
    """Returns losses and weights of each case, on one and on two devices, from a separate process.

    The CPU can be split only before TensorFlow starts.
    """
    done = subprocess.run(
        [sys.executable, "-m", "tests.training.replicas"],
        cwd=ROOT,
        input=json.dumps(CASES),
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)  # type: ignore[no-any-return]


@pytest.mark.parametrize("case", CASES)
def test_two_devices_take_the_steps_of_one(case, figures):
    """
    Moving to a faster machine must not change the experiment.
    """
    one, two = figures[case]["1"], figures[case]["2"]

    assert len(one[0]) == 10
    np.testing.assert_allclose(one[0], two[0], rtol=2e-5)
    np.testing.assert_allclose(one[1], two[1], rtol=2e-4, atol=2e-5)


def test_the_cases_differ_from_each_other(figures):
    """
    A case whose option had no effect would prove nothing.
    """
    weights = [tuple(each["1"][1]) for each in figures.values()]

    assert len(set(weights)) == len(weights)
