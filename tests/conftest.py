"""What tests of several packages share: small configs as files."""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.lanes import (  # noqa: F401  # hooks
    pytest_collection_modifyitems,
    pytest_terminal_summary,
)
from tests.server import server  # noqa: F401  # a fixture
from tests.snapshots import FOLDER, OPTION, Snapshots

# A script's background jobs begin with Ctrl-C ignored, and so would all that tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)
# Else every start of the program would compile it anew, which no user's start but the first does.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
# TensorFlow's start-up noise is no part of what is tested.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")  # as the command line has it
# Tests leave nothing in the cache of whoever runs them; those of the cache have one of their own.
os.environ["IMGCLS_CACHE"] = "0"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds the option that renews the texts which users see."""
    parser.addoption(OPTION, action="store_true", help="store snapshots instead of comparing them")


@pytest.fixture
def snapshot(request: pytest.FixtureRequest) -> Snapshots:
    """Asserts that a text is the one that is stored under a name: `snapshot(name, text)`."""
    path = request.path
    return Snapshots(
        FOLDER / path.stem,
        str(path.relative_to(request.config.rootpath)),
        renew=request.config.getoption(OPTION),
    )


def _small(**changes: Any) -> dict[str, Any]:
    """A config of everything that has a state, on digits, of which sections can be replaced."""
    return {
        "dataset": {"name": "digits"},
        "augmentation": [
            {"RandomRotation": {"degrees": 10}},
            {"RandomTranslation": {"height": 0.1, "width": 0.1}},
        ],
        "layers": [
            {"Conv2D": {"filters": 8, "kernel_size": 3}},
            "BatchNormalization",
            "ReLU",
            {"Dropout": {"rate": 0.2}},
            "Flatten",
            {"Dense": {"units": "classes", "activation": "softmax"}},
        ],
        "optimizer": {"Adam": {"learning_rate": 0.01}},
        "loss": "categorical_crossentropy",
        "training": {"epochs": 3, "batch_size": 64},
        **changes,
    }


@pytest.fixture(scope="session")
def small() -> Callable[..., dict[str, Any]]:
    """Makes a small config with some sections replaced."""
    return _small


@pytest.fixture
def write_config(tmp_path: Path) -> Callable[..., Path]:
    """Writes a small config with some sections replaced, and returns its path."""

    def write(name: str = "small", **changes: Any) -> Path:
        path = tmp_path / f"{name}.yaml"
        path.write_text(yaml.safe_dump(_small(**changes), sort_keys=False), encoding="utf-8")
        return path

    return write
