"""`python -m benchmarks.gpu`: measures how fast the shipped configs train on a GPU.

For each config, in each precision, with and without XLA: images per second of the training and of
its steps alone, whose ratio shows the cost of the input. For some configs also with the dataset on
the GPU, sent to the GPU batch by batch, and with batches made on the host. With `--accuracy`, also
the time to reach this validation accuracy.
"""

import argparse
import itertools
import json
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import machine, page, results
from benchmarks.comparison import Contender
from benchmarks.comparisons import EIGHT, FLOOR_CONFIGS, PHOTOS
from benchmarks.running import Settings, UnmeasuredError, figures_of

PRECISIONS = ("float32", "bfloat16", "float16")
FED = ("configs/cifar10.yaml", EIGHT)
FEEDS = {"on the GPU": (), "sent as bytes": ("resident",), "batches of the host": ("device",)}
"""Where the dataset is kept, and the parts of the engine to disable for it."""

QUICK = "configs/digits.yaml"
"""The config that `--quick` measures; its images are part of scikit-learn."""

SET = ("training.device=gpu", "training.epochs=3", "training.replicas=1")


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs all measurements, or reports that there is no GPU and ends with exit code 0."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu", description=__doc__)
    parser.add_argument("--photos", type=Path, metavar="FOLDER", help="of class folders")
    parser.add_argument("--config", type=Path, help="for the time to an accuracy")
    parser.add_argument("--accuracy", type=float, metavar="SHARE", help="such as 0.94")
    parser.add_argument("--quick", action="store_true", help="digits only, nothing kept")
    options = parser.parse_args(arguments)
    if (options.config is None) != (options.accuracy is None):
        parser.error("--config and --accuracy go together")
    # The kind of processor does not matter, since the precision of each run is given.
    settings = Settings("float32", options.photos, quick=options.quick)
    found = figures_of(Contender("the GPU", ("benchmarks.ours.devices",)), settings)
    if not found["device"]:
        print(f"no GPU to measure: {found['reason']}")
        return
    result = results.new(_words(options), machine.look())
    result["gpu"] = gpu = {"device": found["device"], "rows": [], "feeds": [], "goal": None}
    rows, feeds = plan(quick=options.quick)
    for config, precision, xla in rows:
        row = measured(config, precision, settings, xla=xla)
        gpu["rows"].append(row)
        print(json.dumps(row), flush=True)
        if not options.quick:
            results.save(result)
    for config, place in feeds:
        gpu["feeds"].append(fed(config, place, FEEDS[place], settings))
        print(json.dumps(gpu["feeds"][-1]), flush=True)
    if options.config is not None:
        gpu["goal"] = _goal(options.config, options.accuracy, settings)
        print(gpu["goal"])
    if not options.quick:
        results.save(result)
        page.PAGE.write_text(page.render(results.load()), encoding="utf-8")


def plan(*, quick: bool) -> tuple[list[tuple[str, str, bool]], list[tuple[str, str]]]:
    """Returns the measurements: (config, precision, with XLA) and (config, place of the data)."""
    configs, precisions, fed_configs = (
        ([QUICK], PRECISIONS[:2], [QUICK]) if quick else (FLOOR_CONFIGS, PRECISIONS, FED)
    )
    return (
        list(itertools.product(configs, precisions, (False, True))),
        list(itertools.product(fed_configs, FEEDS)),
    )


def measured(config: str, precision: str, settings: Settings, *, xla: bool) -> dict[str, Any]:
    """Returns a row of the table: its figures, or the reason why they could not be measured."""
    changed = [*SET, f"training.precision={precision}", f"training.xla={str(xla).lower()}"]
    given = [each for change in changed for each in ("--set", change)]
    given += PHOTOS if FLOOR_CONFIGS[config] else ()
    row: dict[str, Any] = {"config": config, "precision": precision, "xla": xla}
    try:
        training = figures_of(
            Contender("training", ("benchmarks.ours.train", config, *given)), settings
        )
        step = figures_of(
            Contender("steps", ("benchmarks.ours.step", config, "--part", "step", *given)),
            settings,
        )
    except UnmeasuredError as error:
        return row | {"reason": str(error).replace("|", "/")}
    return row | {"training": training["images_per_second"], "step": step["images_per_second"]}


def fed(config: str, place: str, without: Sequence[str], settings: Settings) -> dict[str, Any]:
    """Returns the speed of training with the dataset in a place, or why it was not measured."""
    given = [each for change in SET for each in ("--set", change)]
    given += [each for piece in without for each in ("--without", piece)]
    row = {"config": config, "place": place}
    try:
        found = figures_of(Contender(place, ("benchmarks.ours.pieces", config, *given)), settings)
    except UnmeasuredError as error:
        return row | {"reason": str(error).replace("|", "/")}
    return row | {"training": found["images_per_second"]}


def _goal(config: Path, accuracy: float, settings: Settings) -> str:
    command = ("benchmarks.ours.goal", str(config), "--accuracy", str(accuracy))
    found = figures_of(Contender("the goal", command), settings)
    reached = f"{found['best']:.2%} validation accuracy after {found['epochs']} epochs"
    if found["seconds"] is None:
        return f"{config.name} did not reach {accuracy:.0%}: at best {reached}."
    return (
        f"{config.name} reached {accuracy:.0%} in {found['seconds']:.1f} s of training "
        f"({found['wall_seconds']:.1f} s with the start): {reached}."
    )


def _words(options: argparse.Namespace) -> str:
    words = ["python", "-m", "benchmarks.gpu"]
    words += ["--photos", "FOLDER"] if options.photos else []
    if options.config:
        words += ["--config", options.config.name, "--accuracy", str(options.accuracy)]
    return shlex.join(words)


if __name__ == "__main__":
    main()
