"""Starts TensorFlow and Keras: quietly, and unaffected by the user's settings of Keras."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from types import ModuleType
from typing import Any, BinaryIO

from imgcls.errors import ResourceError, UsageError

_DEFAULTS: dict[str, str | float] = {
    "backend": "tensorflow",
    "floatx": "float32",
    "epsilon": 1e-7,
    "image_data_format": "channels_last",
}
"""What imgcls relies on, by the names of `keras.config`'s functions and of keras.json's keys."""

_READ_BY_KERAS = (
    *("KERAS_BACKEND", "KERAS_HOME", "KERAS_MAX_EPOCHS", "KERAS_MAX_STEPS_PER_EPOCH"),
    *("KERAS_NNX_ENABLED", "TF_USE_LEGACY_KERAS"),
)
"""Environment variables that Keras and tf.keras read while they are imported."""


@cache
def start() -> str:
    """Imports TensorFlow and Keras and runs a first operation, without their start-up noise.

    The same config gives the same numbers whatever keras.json and the environment say: Keras is
    imported with its defaults.

    Returns:
        What TensorFlow wrote to stderr: the reasons why it cannot use a GPU. Empty where it was
        imported before.

    Raises:
        UsageError: if Keras was imported before with other settings than its defaults.
        ResourceError: if TensorFlow cannot be loaded, for lack of memory or because it is damaged.
    """
    if "tensorflow" in sys.modules:
        import keras

        _check_defaults(keras)
        return ""
    # Read when TensorFlow's library is loaded; a level the user has chosen stays.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # TensorFlow has it off where the processor is without AVX512_VNNI: training on AVX2 alone took
    # 1.34 times as long (docs/experiments.md).
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    with tempfile.TemporaryFile() as held:
        with _stderr_held_back(held), _keras_defaults():
            tf = _tensorflow()
            tf.get_logger().setLevel("ERROR")
            for gpu in tf.config.list_physical_devices("GPU"):
                # RuntimeError: devices are initialized already, and with them this choice.
                try:
                    tf.config.experimental.set_memory_growth(gpu, True)
                except RuntimeError:
                    break
            import keras  # its import warns too

            _check_defaults(keras)
            tf.zeros(()).numpy()
        held.seek(0)
        return held.read().decode(errors="replace")


def _tensorflow() -> Any:  # noqa: ANN401  # a module without types
    try:
        import tensorflow as tf
    except ImportError as error:
        first = str(error).partition("\n")[0]
        raise ResourceError(
            f"TensorFlow cannot be loaded: {first}",
            hint="it needs about 2 GiB of address space (ulimit -v); if there is enough, install "
            "tensorflow again",
        ) from error
    return tf


@contextmanager
def _keras_defaults() -> Iterator[None]:
    """Hides the user's settings from Keras while it is imported, and restores them.

    Keras also creates its home folder, with a keras.json in it, which may be called `~` where there
    is no home.
    """
    before = {name: os.environ.pop(name) for name in _READ_BY_KERAS if name in os.environ}
    try:
        with tempfile.TemporaryDirectory() as empty:
            os.environ["KERAS_HOME"] = empty
            os.environ["KERAS_BACKEND"] = "tensorflow"
            yield
    finally:
        for name in ("KERAS_HOME", "KERAS_BACKEND"):
            os.environ.pop(name, None)
        os.environ.update(before)


def _check_defaults(keras: ModuleType) -> None:
    for name, wanted in _DEFAULTS.items():
        if (found := getattr(keras.config, name)()) != wanted:
            raise UsageError(
                f"Keras was imported with {name} {found!r}, but imgcls needs {wanted!r}; change "
                "keras.json or KERAS_BACKEND"
            )


def stderr_copy() -> int:
    """Returns a copy of file descriptor 2, which holds while `start` points that one elsewhere.

    Where stderr is closed it is -1, to which nothing can be written.
    """
    try:
        return os.dup(2)
    except OSError:
        return -1


@contextmanager
def _stderr_held_back(held: BinaryIO) -> Iterator[None]:
    """Sends what is written to file descriptor 2 to a file, and to the user if an exception passes.

    TensorFlow 2.21 writes two lines before its log level counts
    (https://github.com/tensorflow/tensorflow/issues/100442).
    """
    if sys.stderr is not None:
        sys.stderr.flush()
    if (kept := stderr_copy()) < 0:
        yield
        return
    os.dup2(held.fileno(), 2)
    try:
        yield
    except Exception:
        held.seek(0)
        os.write(kept, held.read())
        raise
    finally:
        os.dup2(kept, 2)
        os.close(kept)
