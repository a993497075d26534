"""Starts TensorFlow: quietly, with GPU memory that grows, before its first use."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import BinaryIO


@cache
def start() -> str:
    """Imports TensorFlow and Keras and runs a first operation, without their start-up noise.

    Returns:
        What TensorFlow wrote to stderr: the reasons why it cannot use a GPU. Empty where it was
        imported before.
    """
    if "tensorflow" in sys.modules:
        return ""
    # Read when TensorFlow's library is loaded; a level the user has chosen stays.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # TensorFlow has it off where the processor is without AVX512_VNNI: training on AVX2 alone took
    # 1.34 times as long (docs/experiments.md).
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    with tempfile.TemporaryFile() as held:
        with _stderr_held_back(held):
            import tensorflow as tf

            tf.get_logger().setLevel("ERROR")
            for gpu in tf.config.list_physical_devices("GPU"):
                # RuntimeError: devices are initialized already, and with them this choice.
                try:
                    tf.config.experimental.set_memory_growth(gpu, True)
                except RuntimeError:
                    break
            import keras  # noqa: F401  # its import warns too

            tf.zeros(()).numpy()
        held.seek(0)
        return held.read().decode(errors="replace")


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
