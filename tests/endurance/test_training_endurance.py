"""A long training run of tiny epochs: what one epoch leaks shows only after hundreds."""

from pathlib import Path

import numpy as np
import pytest
import yaml

from imgcls.commands.train import train
from imgcls.events import EpochEnded

pytestmark = pytest.mark.endurance

PAGE = 4096
WARM = 0.2  # share of the epochs: caches fill, and freed memory is kept for reuse


def test_three_hundred_epochs_take_no_more_memory_and_no_more_files(
    tmp_path, small, amount, figure
):
    """
    A leak of one megabyte per epoch would end a training run in its second week.
    """
    epochs = amount(300)
    training = {"epochs": epochs, "steps_per_epoch": 5, "batch_size": 32}
    config = tmp_path / "small.yaml"
    config.write_text(yaml.safe_dump(small(training=training)), encoding="utf-8")
    memory: list[int] = []
    opened: list[int] = []

    def report(event: object) -> None:
        if isinstance(event, EpochEnded):
            memory.append(int(Path("/proc/self/statm").read_text().split()[1]) * PAGE)
            opened.append(len(list(Path("/proc/self/fd").iterdir())))

    train(config, report, root=tmp_path / "runs")
    warm = round(WARM * epochs)
    slope = float(np.polyfit(np.arange(epochs - warm), memory[warm:], 1)[0])
    growth = 100 * slope / memory[warm]

    assert 1 == len(set(opened[warm:]))
    assert epochs < 100 or growth < 0.01
    figure(
        f"{epochs} epochs in one process: {memory[-1] / 1e6:.0f} MB, {growth:+.4f} % an epoch "
        f"after the first {warm}; {opened[-1]} open files throughout"
    )
