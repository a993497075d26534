"""The figures of an epoch that a config may name, and which way is better."""

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
"""A figure of the training images, or, with `val_` before it, of the validation images."""

METRICS: tuple[MetricName, ...] = get_args(MetricName)


def better(metric: MetricName) -> Literal["min", "max"]:
    """Returns which way a metric improves: `min` where smaller is better, as in Keras."""
    return "min" if metric.endswith("loss") else "max"
