"""The metrics of an epoch that a config may name, and the direction in which they improve."""

from typing import Literal, get_args

MetricName = Literal[
    "loss",
    "accuracy",
    "val_loss",
    "val_accuracy",
    "val_top_5_accuracy",
    "val_macro_f1",
    "val_balanced_accuracy",
]
"""A metric of the training images or, with the prefix `val_`, of the validation images."""

METRICS: tuple[MetricName, ...] = get_args(MetricName)


def better(metric: MetricName) -> Literal["min", "max"]:
    """Returns the direction in which a metric improves: `min` or `max`, as in Keras."""
    return "min" if metric.endswith("loss") else "max"
