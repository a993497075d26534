"""`imgcls check`: checks config, data and network with real steps, before training."""

import math
import resource
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from imgcls.config import reader
from imgcls.errors import DivergedError
from imgcls.events import EventSink
from imgcls.training.summary import CheckResult, DataSummary

if TYPE_CHECKING:
    from imgcls.data.dataset import Data
    from imgcls.training.engine import Engine
    from imgcls.training.prepare import Prepared

TIMED_STEPS = 3


def check(
    config: Path, report: EventSink, *, overrides: Sequence[str] = (), offline: bool = False
) -> CheckResult:
    """Checks everything that training needs, and estimates its time and memory.

    Args:
        config: the YAML file.
        report: receives events.
        overrides: `key=value` each, applied to the config.
        offline: whether to raise an error instead of downloading a published dataset.

    Raises:
        ConfigError, DataError, ResourceError: as in training.
        DivergedError: if the first step's loss is not finite.
    """
    checked = reader.read(config, overrides)
    from imgcls.data import dataset
    from imgcls.ops import startup

    startup.start()
    from imgcls.training.prepare import prepare

    with checked.locating():
        data = dataset.load(checked.config.dataset, checked.config.seed, report, fetch=not offline)
        prepared = prepare(checked.config, data, report)
    return _result(config, prepared)


def _result(path: Path, prepared: "Prepared") -> CheckResult:
    from imgcls.data.pipeline import steps_per_pass
    from imgcls.network.layer_table import rows

    config, data = prepared.config, prepared.data
    layers = tuple(rows(prepared.network))
    stages = prepared.plan.stages
    # The stage that trains the most layers; other stages take less time than estimated.
    slowest = max(range(len(stages)), key=lambda stage: len(stages[stage].trained))
    loss, step_seconds = _steps(prepared.engine(slowest))
    training, steps = config.training, prepared.plan.steps_per_epoch
    images = len(data.splits["validation"].labels) if "validation" in data.splits else 0
    # A forward pass takes about a third of a step.
    validation = steps_per_pass(images, training.batch_size) * step_seconds / 3
    epoch_seconds = steps * step_seconds + validation / training.evaluate_every
    return CheckResult(
        config=str(path),
        data=_data(data),
        layers=layers,
        loss=loss,
        step_seconds=step_seconds,
        epoch_seconds=epoch_seconds,
        seconds=epoch_seconds * prepared.plan.epochs,
        memory_bytes=_peak_bytes(),
    )


def _steps(engine: "Engine") -> tuple[float, float]:
    """Returns the loss of the first batch, and the seconds per step after tracing."""
    from imgcls.training.engine import IMAGES, LOSS

    batches = engine.batches(range(1 + TIMED_STEPS))
    first = engine.advance(batches, 1)[0]
    loss = float(first[LOSS] / first[IMAGES])
    if not math.isfinite(loss):
        raise DivergedError(f"the loss of the first batch is {loss}; the layers are wrong")
    began = time.monotonic()
    engine.advance(batches, TIMED_STEPS)
    return loss, (time.monotonic() - began) / TIMED_STEPS


def _data(data: "Data") -> DataSummary:
    import numpy as np

    return DataSummary(
        spec=data.spec,
        images={
            name: tuple(np.bincount(split.labels, minlength=len(data.spec.classes)).tolist())
            for name, split in data.splits.items()
        },
        notes=tuple(data.manifest.get("notes", ())),
    )


def _peak_bytes() -> int:
    """Returns the peak memory of this process: data, network and activations of a step."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
