"""How long the epochs of a Keras `fit` take."""

import time
from typing import Any

import keras


class Epochs(keras.callbacks.Callback):  # type: ignore[misc]  # Keras has no types
    """Notes the seconds of each epoch's steps; what comes between epochs is not counted."""

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
        """Returns images a second from the second epoch on, of epochs with so many images."""
        later = self.seconds[1:]
        return images * len(later) / sum(later)
