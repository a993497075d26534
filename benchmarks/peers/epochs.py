"""Measures the time of the epochs of Keras' `fit`."""

import time
from typing import Any

import keras


class Epochs(keras.callbacks.Callback):  # type: ignore[misc]  # Keras has no types
    """Records the time of each epoch's steps, without the time between epochs."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: list[float] = []
        self.began = 0.0

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:  # noqa: ANN401, ARG002
        """Starts the clock."""
        self.began = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:  # noqa: ANN401, ARG002
        """Stops the clock."""
        self.seconds.append(time.perf_counter() - self.began)

    def rate(self, images: int) -> float:
        """Returns images per second from the second epoch on, given the images per epoch."""
        later = self.seconds[1:]
        return images * len(later) / sum(later)
