"""What may change in a run that goes on: the few keys that leave what was trained as it is.

A run's `config.yaml` says what was asked when it began and is never rewritten: its checkpoints
vouch for it. What a later start changed stands beside it, in `changes.json`.
"""

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imgcls import files
from imgcls.config import reader
from imgcls.config.components.schedules import Schedule
from imgcls.config.config import Config
from imgcls.errors import RunError

SAFE = (
    "training.report_steps",
    "training.checkpoint_seconds",
    "training.early_stopping.patience",
    "training.device",
)
"""Keys that may change by `--set` when a run is resumed, besides the epochs of its last stage."""

_LENGTH = re.compile(r"training\.(stages\[[0-9]+\]\.)?epochs")
_RATE = re.compile(r"(training\.stages\[[0-9]+\]\.)?optimizer\.(.+\.)?learning_rate")

LOCATIONS = (
    *("dataset.folder", "dataset.csv", "dataset.root", "dataset.npz"),
    *("dataset.validation", "dataset.test"),
)
"""Keys that may change from one path to another: that the images are the same ones is checked."""


@dataclass(frozen=True)
class Change:
    """One key that has another value than the run began with.

    Attributes:
        value: the one it has now, as JSON has it.
        step: how many steps had been trained when it was changed.
    """

    value: Any
    step: int


Changes = dict[str, Change]


def read(path: Path) -> Changes:
    """Returns what was changed in a run so far, by its keys; nothing where there is no file.

    Raises:
        RunError: if the file is damaged.
    """
    if not path.exists():
        return {}
    found = {}
    for key, each in files.read_object(path).items():
        if not isinstance(each, dict) or type(each.get("step")) is not int or "value" not in each:
            raise RunError(f"{path}: {key} is no change; it must have value and step")
        found[key] = Change(each["value"], each["step"])
    return found


def write(path: Path, changes: Changes) -> None:
    """Writes what was changed in a run.

    Raises:
        ResourceError: if it cannot be written; what stood there stays.
    """
    plain = {key: {"value": each.value, "step": each.step} for key, each in changes.items()}
    files.write_json(path, plain)


def current(config: Path, changes: Path, overrides: Sequence[str] = ()) -> reader.CheckedConfig:
    """Returns a run's config as it is now.

    Args:
        config: the run's `config.yaml`.
        changes: the run's `changes.json`; it need not exist.
        overrides: `key=value` each, on top of both.

    Raises:
        ConfigError: if a value is wrong.
        RunError: if something was changed, then or now, that must not.
    """
    before = read(changes)
    # JSON is YAML, but for what is no ASCII and would be written as two halves.
    kept = [f"{key}={json.dumps(each.value, ensure_ascii=False)}" for key, each in before.items()]
    resumed = reader.read_own(config).config
    now = reader.read_own(config, kept, overrides)
    check(config.parent, resumed, now.config, {each.partition("=")[0] for each in overrides})
    return now


def made(before: Config, now: Config, step: int) -> Changes:
    """Returns what differs between two configs, as changed after so many steps."""
    return {key: Change(value, step) for key, _, value in differences(before, now)}


def differences(before: Config, now: Config) -> list[tuple[str, Any, Any]]:
    """Returns (key, value before, value now) of each key that differs; a learning rate is one."""
    return list(_differences("", before.model_dump(mode="json"), now.model_dump(mode="json")))


def _differences(key: str, before: Any, now: Any) -> Iterator[tuple[str, Any, Any]]:  # noqa: ANN401
    if isinstance(before, Mapping) and isinstance(now, Mapping) and not _is_rate(key):
        for name in {**before, **now}:
            inner = f"{key}.{name}".lstrip(".")
            yield from _differences(inner, before.get(name), now.get(name))
    elif isinstance(before, list) and isinstance(now, list) and len(before) == len(now):
        for index, (one, other) in enumerate(zip(before, now, strict=True)):
            yield from _differences(f"{key}[{index}]", one, other)
    elif before != now:
        yield key, before, now


def _is_rate(key: str) -> bool:
    return _RATE.fullmatch(key) is not None


def is_length(key: str) -> bool:
    """Whether a key is the number of epochs of a stage."""
    return _LENGTH.fullmatch(key) is not None


def length_key(config: Config) -> str:
    """Returns the key of the number of epochs of the last stage."""
    return f"{config.stages[-1].key}.epochs"


def check(run: Path, resumed: Config, now: Config, given: Collection[str]) -> None:
    """Checks that only what is safe differs from what the run began with.

    Args:
        run: the folder, for the message.
        resumed: the config that it began with.
        now: the config that it is to go on with.
        given: the keys that were given for this start.
    """
    differing = differences(resumed, now)
    length = length_key(now)
    longer = any(key == length for key, _, _ in differing)

    def is_planned_anew(key: str) -> bool:
        return _is_rate(key) and longer and (length in given or not _names(given, key))

    safe = (length, *SAFE)
    refused = [
        f"{key}: {_short(before)} -> {_short(value)}"
        for key, before, value in differing
        if not (key in safe or _is_moved(key, before, value) or is_planned_anew(key))
    ]
    if refused:
        raise RunError(
            f"{run} cannot go on with other settings: {'; '.join(refused)}; "
            f"only {', '.join(safe)} and where the data lies may change, "
            "and the learning rate together with the epochs",
            hint="imgcls train CONFIG --set KEY=VALUE begins a new run",
        )
    last = now.stages[-1]
    rate, key = last.optimizer.learning_rate, last.learning_rate_key
    planned = isinstance(rate, Schedule) and rate.whole_run
    if length in given and longer and planned and not _names(given, key):
        raise RunError(
            f"{run}: {type(rate).__name__} is planned over the whole run, which is to have other "
            "epochs now; give the learning rate anew",
            hint=f"add --set {key}=0.0001, or a schedule",
        )


def _names(given: Collection[str], key: str) -> bool:
    return any(each.strip() == key or each.strip().startswith(f"{key}.") for each in given)


def _is_moved(key: str, before: object, now: object) -> bool:
    both = (before, now)
    return key in LOCATIONS and all(
        isinstance(each, str) and Path(each).is_absolute() for each in both
    )


def _short(value: object) -> str:
    text = files.to_json(value).decode().strip()
    return text if len(text) <= 60 else f"{text[:57]}..."  # noqa: PLR2004 - a line holds two
