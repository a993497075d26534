"""TensorFlow starts without its noise, which is kept for whoever needs it."""

import json
import os
import subprocess
import sys

import pytest

from tests.nobody import ROOT

PROGRAM = """
import contextlib, os
from imgcls.ops import startup
real = startup.stderr_copy()
said = startup.start()
with contextlib.suppress(OSError):  # it is closed
    os.write(real, b"ours")
assert said is startup.start()
print(len(said))
"""


@pytest.mark.parametrize(("redirection", "shown"), [("", "ours"), ("2>&-", "")])
def test_what_tensorflow_says_is_held_back_and_returned(redirection, shown):
    """
    Twenty lines about CUDA hide the one line that matters; they say why there is no GPU.
    """
    done = subprocess.run(
        ["bash", "-c", f'"$0" -c "$1" {redirection}', sys.executable, PROGRAM],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "0"},
    )

    assert (0, shown) == (done.returncode, done.stderr)
    assert int(done.stdout) > 0


SMOKE = str(ROOT / "configs" / "smoke.yaml")

SETTINGS = """
import json, os, sys
from pathlib import Path
home = Path(sys.argv[1])
before = dict(os.environ)
from imgcls.ops import startup
os.environ.pop("TF_ENABLE_ONEDNN_OPTS", None)
startup.start()
import keras
network = keras.Sequential([keras.Input((3, 8, 8)), keras.layers.Conv2D(2, 3, padding="same")])
print(json.dumps({
    "settings": [getattr(keras.config, name)() for name in startup._DEFAULTS],
    "kernel": list(network.layers[0].kernel.shape),
    "kept": {name: os.environ.get(name) for name in startup._READ_BY_KERAS},
    "files": sorted(str(file.relative_to(home)) for file in home.rglob("*")),
}))
"""


@pytest.mark.parametrize(
    ("text", "variables"),
    [
        (
            json.dumps(
                {
                    "image_data_format": "channels_first",
                    "floatx": "float64",
                    "backend": "jax",
                    "epsilon": 0.1,
                }
            ),
            {},
        ),
        ("[1, 2]", {"KERAS_BACKEND": "jax", "KERAS_MAX_EPOCHS": "x", "TF_USE_LEGACY_KERAS": "1"}),
        (None, {"KERAS_MAX_STEPS_PER_EPOCH": "x"}),
    ],
)
def test_neither_keras_json_nor_the_environment_changes_the_numbers(tmp_path, text, variables):
    """
    The same config and seed must train the same network in every home folder.
    """
    kept = tmp_path / "keras" / "keras.json"
    if text is not None:
        kept.parent.mkdir()
        kept.write_text(text, encoding="utf-8")
    given = {"KERAS_HOME": str(kept.parent), "HOME": str(tmp_path), **variables}
    before = sorted(str(file.relative_to(tmp_path)) for file in tmp_path.rglob("*"))
    done = subprocess.run(
        [sys.executable, "-c", SETTINGS, str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), **given},
    )
    said = json.loads(done.stdout.splitlines()[-1])

    assert ["tensorflow", "float32", 1e-7, "channels_last"] == said["settings"]
    assert [3, 3, 8, 2] == said["kernel"]
    assert {name: given.get(name) for name in said["kept"]} == said["kept"]
    assert before == said["files"]
    assert text is None or text == kept.read_text(encoding="utf-8")


def test_other_settings_of_keras_in_the_same_process_are_rejected():
    """
    A program that has chosen channels_first would get wrong predictions from `imgcls.load`.
    """
    code = """
import keras
keras.config.set_image_data_format("channels_first")
from imgcls.errors import UsageError
from imgcls.ops import startup
try:
    startup.start()
except UsageError as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )

    assert "image_data_format 'channels_first', but imgcls needs 'channels_last'" in done.stdout


def test_too_little_memory_for_tensorflow_is_an_error_and_no_traceback():
    """
    Clusters limit the address space; a shared library that cannot be mapped is not our bug.
    """
    done = subprocess.run(
        ["bash", "-c", 'ulimit -v 700000; "$0" -m imgcls check "$1"', sys.executable, SMOKE],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
    )

    assert 8 == done.returncode, done.stderr
    assert "error: TensorFlow cannot be loaded: " in done.stderr
    assert "Traceback" not in done.stderr
