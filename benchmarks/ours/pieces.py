"""Trains without one optimization of the engine, to measure its gain.

Trains in this process, so that the optimization can be disabled.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from benchmarks.lines import say

QUICK = ("training.epochs=2", "training.steps_per_epoch=3", "dataset.subset=1600")


def _replace(module: ModuleType, name: str, value: object) -> None:
    if not hasattr(module, name):
        raise SystemExit(f"{module.__name__} has no {name} any more")
    setattr(module, name, value)


def _onednn() -> None:
    os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"


def _fused() -> None:
    import keras

    from imgcls.ops import normalization

    _replace(normalization, "BatchNormalization", keras.layers.BatchNormalization)


def _compiled() -> None:
    from imgcls.config.components import activations

    _replace(activations, "CHAINS", frozenset())


def _winograd() -> None:
    from imgcls.ops import convolution

    _replace(convolution, "is_faster", lambda _: False)


def _calls() -> None:
    from imgcls.training import trainer

    _replace(trainer, "CALL_SECONDS", 0.0)


def _update() -> None:
    from imgcls.training import engine

    _replace(engine, "COMPILED_WEIGHTS", 10**12)


def _warp() -> None:
    from imgcls.config.components.augmentations.augmentation import Color
    from imgcls.data import augment

    def alone(augmentations: list[Any]) -> list[Any]:
        return [one if isinstance(one, Color) else [one] for one in augmentations]

    _replace(augment, "grouped", alone)


def _untuned() -> None:
    import tensorflow as tf

    from imgcls.data import pipeline

    def tuned(indices: Any, batch: Callable[..., Any]) -> Any:  # noqa: ANN401  # no types
        return indices.map(batch, num_parallel_calls=tf.data.AUTOTUNE).prefetch(tf.data.AUTOTUNE)

    _replace(pipeline, "parallel", tuned)


def _resident() -> None:
    from imgcls.data import batch_source

    _replace(batch_source, "RESIDENT_BYTES", 0)


def _device() -> None:
    from imgcls.data import batch_source

    def on_host(*given: Any) -> batch_source.BatchSource:  # noqa: ANN401  # the arguments of `on_device`
        return batch_source.on_host(*given[:-1])

    _replace(batch_source, "on_device", on_host)


WITHOUT: dict[str, Callable[[], None]] = {
    "onednn": _onednn,
    "fused": _fused,
    "compiled": _compiled,
    "winograd": _winograd,
    "calls": _calls,
    "update": _update,
    "warp": _warp,
    "untuned": _untuned,
    "resident": _resident,
    "device": _device,
}
"""The function that disables each optimization; the last two are for GPUs."""


def main() -> None:
    """Trains and prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("config", type=Path)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--activation", default="relu", help="in place of relu, wherever that is")
    parser.add_argument("--without", choices=sorted(WITHOUT))
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    from imgcls.ops import startup

    if options.without == "onednn":
        _onednn()  # must run before TensorFlow is imported
    startup.start()
    if options.without:
        WITHOUT[options.without]()
    text = options.config.read_text(encoding="utf-8").replace("relu", options.activation)
    overrides = [*options.set, *(QUICK if options.quick else ())]
    with tempfile.TemporaryDirectory() as name:
        config = Path(name) / options.config.name
        config.write_text(text, encoding="utf-8")
        say(**_trained(config, overrides))


def _trained(config: Path, overrides: list[str]) -> dict[str, float]:
    """Returns images per second from the second epoch on, and the total seconds of training."""
    from imgcls.commands.train import train
    from imgcls.events import EpochEnded, Started

    began = 0.0
    epochs: list[dict[str, Any]] = []

    def report(event: object) -> None:
        nonlocal began
        if isinstance(event, Started):
            began = time.perf_counter()
        elif isinstance(event, EpochEnded):
            epochs.append(dict(event.metrics))

    train(config, report, overrides=overrides, root=config.parent / "runs")
    seconds = time.perf_counter() - began
    later = epochs[1:]
    images = sum(each["images_per_second"] * each["train_seconds"] for each in later)
    return {
        "images_per_second": images / sum(each["train_seconds"] for each in later),
        "seconds": seconds,
    }


if __name__ == "__main__":
    main()
