"""`imgcls train`: a config becomes a run, or a run goes on."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from imgcls import checkpoints, files, runs
from imgcls.config import reader
from imgcls.config.config import Config
from imgcls.errors import DivergedError, ImgclsError, RunError, UsageError
from imgcls.runs import Run
from imgcls.training.events import Noted, Report, Started, Trained, Warned
from imgcls.training.signals import Stop, heeded

if TYPE_CHECKING:
    from imgcls.data.dataset import Data
    from imgcls.data.traits import Traits
    from imgcls.training.engine import Engine
    from imgcls.training.machine import Machine


def train(
    config: Path | None,
    report: Report,
    *,
    overrides: Sequence[str] = (),
    resume: Path | None = None,
    root: Path = Path("runs"),
) -> Trained:
    """Trains a new run of a config, or goes on with a run that was stopped.

    Args:
        config: the YAML file of a new run.
        report: takes the events of the training.
        overrides: `key=value` each, on top of the config.
        resume: the run to go on with; then there is no config.
        root: where new runs are made.

    Returns:
        How far it got, and the best figures.

    Raises:
        ConfigError, DataError, RunError, DivergedError, ResourceError: as their names say.
    """
    if (config is None) == (resume is None):
        raise UsageError("train takes one config, or --resume RUN")
    with heeded() as stop:
        if config is not None:
            return _new(reader.read(config, overrides), root, stop, report)
        if overrides:
            raise UsageError("--set does not go with --resume; a run goes on as it was begun")
        assert resume is not None, "one of the two is there"
        return _resumed(runs.open_run(resume), stop, report)


def _new(checked: reader.Checked, root: Path, stop: Stop, report: Report) -> Trained:
    config = checked.config
    with checked.locating():
        data = _data(config, stop, report)
        traits, machine, engine = _built(config, data, report)
    run = runs.create(root, checked.name)
    with runs.lock(run):
        _write_inputs(run, config, data, traits, machine)
        return _trained(run, config, data, engine, machine, stop, report)


def _resumed(run: Run, stop: Stop, report: Report) -> Trained:
    with runs.lock(run):
        checked = reader.read(run.config)
        saved, problems = checkpoints.newest(run.checkpoints)
        for problem in problems:
            report(Warned(f"{problem}; an older checkpoint is used"))
        if saved is None:
            raise RunError(
                f"{run.folder} has no checkpoint to go on from",
                hint=f"imgcls train {run.config} begins anew",
            )
        config = checked.config
        with checked.locating():
            data = _data(config, stop, report)
            _check_unchanged(run, data)
            _, machine, engine = _built(config, data, report)
        _check_environment(run, machine, config, report)
        return _trained(run, config, data, engine, machine, stop, report, saved)


def _data(config: Config, stop: Stop, report: Report) -> "Data":
    # 2.5 to 5 s; a config that is wrong must not pay for it.
    from imgcls.data import dataset
    from imgcls.ops import startup

    startup.start()
    data = dataset.load(
        config.dataset,
        config.seed,
        report,
        only=("train", "validation"),  # the test images choose nothing
        stop=lambda: bool(stop),
    )
    for note in data.record.get("notes", ()):
        report(Warned(note))
    if "validation" not in data.splits and config.training.best.startswith("val_"):
        report(Warned("there is no validation split; the last checkpoint counts as the best"))
    return data


def _built(config: Config, data: "Data", report: Report) -> tuple["Traits", "Machine", "Engine"]:
    from imgcls.training import machine as machines
    from imgcls.training import setup

    machine = machines.choose(config.training)
    for warning in machine.warnings:
        report(Warned(warning))
    report(Noted(f"training on {machine.device} in {machine.precision}"))
    traits = setup.traits_of(config, data)
    return traits, machine, setup.engine_of(config, data, traits, machine)


def _write_inputs(
    run: Run, config: Config, data: "Data", traits: "Traits", machine: "Machine"
) -> None:
    from imgcls.training.machine import environment

    plain = config.model_dump(mode="json")
    text = yaml.safe_dump(plain, sort_keys=False, allow_unicode=True)
    files.write_whole(run.config, text.encode())
    files.write_json(run.model, traits.model_dump(mode="json"))
    files.write_json(run.data, data.record)
    files.write_json(run.environment, environment(machine, config.seed))


def _check_unchanged(run: Run, data: "Data") -> None:
    before, now = files.read_json(run.data), data.record
    if before.get("fingerprint") != now["fingerprint"]:
        counts = f"{before.get('counts')} then, {now.get('counts')} now"
        raise RunError(f"the data has changed since {run.folder} began: {counts}")


def _check_environment(run: Run, machine: "Machine", config: Config, report: Report) -> None:
    """Warns where the run will not go on bit for bit."""
    from imgcls.training.machine import environment

    before: dict[str, Any] = files.read_json(run.environment)
    now = environment(machine, config.seed)
    changed = [
        f"{key} {before.get(key)} -> {now[key]}"
        for key in ("tensorflow", "keras", "device", "replicas", "precision", "threads")
        if before.get(key) != now[key]
    ]
    if changed:
        report(Warned(f"not bit-equal to a run in one go: {', '.join(changed)}"))


def _trained(
    run: Run,
    config: Config,
    data: "Data",
    engine: "Engine",
    machine: "Machine",
    stop: Stop,
    report: Report,
    saved: checkpoints.Checkpoint | None = None,
) -> Trained:
    from imgcls.training.log import Log
    from imgcls.training.loop import Loop, restore
    from imgcls.training.state import State

    report = Log(run.log, report)
    state = State() if saved is None else restore(engine, saved)
    if saved is not None:
        runs.rewind_metrics(run, state.step, state.evaluated)
    loop = Loop(run, config, data, engine, state, stop, report)
    report(
        Started(
            run.folder,
            config.training.epochs,
            loop.steps,
            {name: len(split.labels) for name, split in data.splits.items()},
            len(data.classes),
            engine.model.count_params(),
            machine.device,
            machine.precision,
            state.step,
        )
    )
    runs.set_status(run, "running", step=state.step)
    try:
        trained = loop.train()
    except ImgclsError as error:
        diverged = isinstance(error, DivergedError)
        runs.set_status(
            run, "diverged" if diverged else "failed", step=state.step, error=str(error)
        )
        report(Warned(f"ended by an error: {error}"))
        raise
    runs.set_status(run, trained.status, step=trained.step)
    report(trained)
    return trained
