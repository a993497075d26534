"""The settings that may change when a run is resumed.

The `config.yaml` of a run is never rewritten: its checkpoints record a digest of it. Changes made
when resuming are kept next to it, in `changes.json`.
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
from imgcls.errors import ConfigError, RunError, UsageError

SAFE = (
    "training.report_steps",
    "training.checkpoint_seconds",
    "training.early_stopping.patience",
    "training.device",
)
"""Keys that `--set` may change when a run is resumed, besides the epochs of its last stage."""

_LENGTH = re.compile(r"training\.(stages\[[0-9]+\]\.)?epochs")
_RATE = re.compile(r"(training\.stages\[[0-9]+\]\.)?optimizer\.(.+\.)?learning_rate")

LOCATIONS = (
    *("dataset.folder", "dataset.csv", "dataset.root", "dataset.npz"),
    *("dataset.validation", "dataset.test"),
)
"""Keys that may change from one path to another; the images are compared separately."""


@dataclass(frozen=True)
class Change:
    """A changed value.

    Attributes:
        value: the new value, as in JSON.
        step: the number of steps trained before the change.
    """

    value: Any
    step: int


Changes = dict[str, Change]


def read(path: Path) -> Changes:
    """Returns the changes to a run by key; empty if the file does not exist.

    Raises:
        RunError: if the file is damaged.
    """
    if not path.exists():
        return {}
    found = {}
    for key, each in files.read_object(path).items():
        if not isinstance(each, dict) or type(each.get("step")) is not int or "value" not in each:
            raise RunError(f"{path}: {key} is not a change; expected value and step")
        found[key] = Change(each["value"], each["step"])
    return found


def write(path: Path, changes: Changes) -> None:
    """Writes the changes to a run.

    Raises:
        ResourceError: if the file cannot be written; a previous file is kept.
    """
    plain = {key: {"value": each.value, "step": each.step} for key, each in changes.items()}
    files.write_json(path, plain)


def current(config: Path, changes: Path, overrides: Sequence[str] = ()) -> reader.CheckedConfig:
    """Returns the current config of a run: the original one with all changes.

    Args:
        config: the run's `config.yaml`.
        changes: the run's `changes.json`, which may not exist.
        overrides: `key=value` each, applied last.

    Raises:
        ConfigError: if an override is invalid.
        RunError: if a change is not allowed, or `changes.json` is damaged.
    """
    before = read(changes)
    # ensure_ascii would write surrogate pairs, which YAML does not read as one character.
    kept = [f"{key}={json.dumps(each.value, ensure_ascii=False)}" for key, each in before.items()]
    resumed = reader.read_own(config).config
    try:
        reader.read_own(config, kept)
    except (ConfigError, UsageError) as error:
        raise RunError(f"{changes} is damaged: {error}") from error
    now = reader.read_own(config, kept, overrides)
    check(config.parent, resumed, now.config, {each.partition("=")[0] for each in overrides})
    return now


def made(before: Config, now: Config, step: int) -> Changes:
    """Returns the differences between two configs as changes made after `step` steps."""
    return {key: Change(value, step) for key, _, value in differences(before, now)}


def differences(before: Config, now: Config) -> list[tuple[str, Any, Any]]:
    """Returns (key, old value, new value) for each difference; a schedule counts as one value."""
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
    """Checks that a run is resumed only with changes that are allowed.

    Args:
        run: the run folder, for the message.
        resumed: the original config.
        now: the config to resume with.
        given: the keys given on this command line.

    Raises:
        RunError: listing the changes that are not allowed.
    """
    differing = differences(resumed, now)
    length = length_key(now)
    longer = any(key == length for key, _, _ in differing)

    def may_replan(key: str) -> bool:
        return _is_rate(key) and longer and (length in given or not _names(given, key))

    safe = (length, *SAFE)
    refused = [
        f"{key}: {_short(before)} -> {_short(value)}"
        for key, before, value in differing
        if not (key in safe or _is_moved(key, before, value) or may_replan(key))
    ]
    if refused:
        raise RunError(
            f"cannot resume {run} with other settings: {'; '.join(refused)}; "
            f"only {', '.join(safe)}, the paths of the data, "
            "and the learning rate together with the epochs can change",
            hint="start a new run: imgcls train CONFIG --set KEY=VALUE",
        )
    last = now.stages[-1]
    rate, key = last.optimizer.learning_rate, last.learning_rate_key
    planned = isinstance(rate, Schedule) and rate.whole_run
    if length in given and longer and planned and not _names(given, key):
        raise RunError(
            f"{run}: {type(rate).__name__} spans the whole run, whose number of epochs changes; "
            "set the learning rate as well",
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
    return text if len(text) <= 60 else f"{text[:57]}..."  # noqa: PLR2004 - two fit on a line
