"""Moving averages that training is too short for."""

import math
from collections.abc import Iterator, Mapping
from typing import Protocol

from imgcls.training.plan import Plan

FORGOTTEN = 0.05
"""Largest share that the initial mean and variance may have in the moving averages at the end."""

_FITS = 0.01
"""Their share with the momentum that a warning recommends."""


class HasMomentum(Protocol):
    """A layer with moving averages."""

    momentum: float


def warnings(plan: Plan, normalizations: Mapping[str, HasMomentum]) -> Iterator[str]:
    """Yields a warning for each momentum whose averages still contain their initial values.

    Evaluation then uses statistics that are not those of the images: of 36 steps at Keras' default
    momentum, a training accuracy of 0.999 and a validation accuracy of 0.42.

    Args:
        plan: the stages.
        normalizations: the batch normalization layers by key.
    """
    keys: dict[tuple[float, int], list[str]] = {}
    for key, layer in normalizations.items():
        epochs = sum(each.settings.epochs for each in plan.stages if key in each.trained)
        steps = epochs * plan.steps_per_epoch
        if steps and layer.momentum**steps > FORGOTTEN:
            keys.setdefault((layer.momentum, steps), []).append(key)
    for (momentum, steps), layers in keys.items():
        needed = math.ceil(math.log(FORGOTTEN) / math.log(momentum)) if momentum < 1 else math.inf
        others = f" and {len(layers) - 1} more" if len(layers) > 1 else ""
        yield (
            f"{layers[0]}{others}: moving averages with momentum {momentum:g} need about "
            f"{needed:,} steps, but training takes {steps:,}, so evaluation would use the wrong "
            f"mean and variance; write momentum: {fitting(steps):g}, or "
            "training.normalization_statistics: recomputed"
        )


def fitting(steps: int) -> float:
    """Returns the largest momentum, in steps of 0.01, whose averages fit this many steps."""
    return math.floor(100 * math.pow(_FITS, 1 / steps)) / 100
