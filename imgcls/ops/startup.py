"""Starts TensorFlow: quietly, with GPU memory that grows, before its first use."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

stderr = 2
"""Where the user reads: file descriptor 2, or its copy while TensorFlow's noise is held back."""

said = ""
"""What TensorFlow wrote to stderr when it was started: the reasons why it cannot use a GPU."""


def start() -> None:
    """Imports TensorFlow and Keras and runs a first operation, without their start-up noise."""
    if "tensorflow" in sys.modules:
        return
    # Read when TensorFlow's library is loaded; a level the user has chosen stays.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # TensorFlow has it off where the processor is without AVX512_VNNI: training on AVX2 alone took
    # 1.34 times as long (docs/experiments.md).
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    with _stderr_held_back():
        import tensorflow as tf

        tf.get_logger().setLevel("ERROR")
        for gpu in tf.config.list_physical_devices("GPU"):
            # RuntimeError: devices are initialised already, and with them this choice.
            try:
                tf.config.experimental.set_memory_growth(gpu, True)
            except RuntimeError:
                break
        import keras  # noqa: F401  # its import warns too

        tf.zeros(()).numpy()


@contextmanager
def _stderr_held_back() -> Iterator[None]:
    """Keeps what is written to file descriptor 2 from the user, unless an exception passes.

    TensorFlow 2.21 writes two lines before its log level counts
    (https://github.com/tensorflow/tensorflow/issues/100442).
    """
    sys.stderr.flush()
    try:
        kept = os.dup(2)
    except OSError:  # there is no stderr
        yield
        return
    global said, stderr  # noqa: PLW0603  # of the one start of a process
    stderr = kept
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except Exception:
            os.dup2(kept, 2)
            held.seek(0)
            os.write(2, held.read())
            raise
        finally:
            stderr = 2
            os.dup2(kept, 2)
            os.close(kept)
            held.seek(0)
            said = held.read().decode(errors="replace")
