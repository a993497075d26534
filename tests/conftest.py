"""Shared by the tests of several packages: snapshots, and small configs as files."""

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

# A script's background jobs ignore Ctrl-C, and so would all processes that tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)
# Otherwise every start of the program would compile it; for users, only the first one does.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
# TensorFlow's startup messages are not what is tested.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")  # as on the command line
# Tests must not write to the user's cache; those that test the cache use a separate one.
os.environ["IMGCLS_CACHE"] = "0"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds the option that renews the stored texts."""
    parser.addoption(OPTION, action="store_true", help="store snapshots instead of comparing them")


@pytest.fixture
def snapshot(request: pytest.FixtureRequest) -> Snapshots:
    """Asserts that a text equals the one stored under a name: `snapshot(name, text)`."""
    path = request.path
    return Snapshots(
        FOLDER / path.stem,
        str(path.relative_to(request.config.rootpath)),
        renew=request.config.getoption(OPTION),
    )


def _small(**changes: Any) -> dict[str, Any]:
    """Returns a config on digits that uses everything with a state; sections can be replaced."""
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
    """Returns a function that makes a small config with some sections replaced."""
    return _small


@pytest.fixture
def write_config(tmp_path: Path) -> Callable[..., Path]:
    """Returns a function that writes such a config, and returns its path."""

    def write(name: str = "small", **changes: Any) -> Path:
        path = tmp_path / f"{name}.yaml"
        path.write_text(yaml.safe_dump(_small(**changes), sort_keys=False), encoding="utf-8")
        return path

    return write
