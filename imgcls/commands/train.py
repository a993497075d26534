"""`imgcls train`: a config becomes a run, or a run goes on."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from imgcls import checkpoints, files, runs
from imgcls.config import reader
from imgcls.config.config import Config
from imgcls.errors import DivergedError, ImgclsError, ResourceError, RunError, UsageError
from imgcls.runs import Run
from imgcls.training.events import Noted, Report, Started, Trained, Warned
from imgcls.training.log import Log
from imgcls.training.signals import Stop, heeded

if TYPE_CHECKING:
    from imgcls.data.dataset import Data
    from imgcls.data.traits import Traits
    from imgcls.training.engine import Engine
    from imgcls.training.machine import Machine


@dataclass(frozen=True)
class Prepared:
    """What a training needs, checked."""

    config: Config
    data: "Data"
    traits: "Traits"
    machine: "Machine"
    engine: "Engine"


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
    early: list[object] = []

    def remembered(event: object) -> None:
        early.append(event)
        report(event)

    prepared = _prepared(checked, stop, remembered)
    stop.check()
    run = runs.create(root, checked.name)
    with runs.lock(run):
        try:
            _write_inputs(run, prepared)
        except ImgclsError:
            shutil.rmtree(run.folder, ignore_errors=True)  # it was made a moment ago
            raise
        log = Log(run.log, report)
        for event in early:
            log.write(event)
        return _trained(run, prepared, stop, log)


def _resumed(run: Run, stop: Stop, report: Report) -> Trained:
    with runs.lock(run):
        log = Log(run.log, report)
        checked = reader.read_own(run.config)
        saved, problems = checkpoints.newest(run.checkpoints)
        for problem in problems:
            log(Warned(f"{problem}; an older checkpoint is used"))
        if saved is None:
            raise RunError(
                f"{run.folder} has no checkpoint to go on from", hint="imgcls train CONFIG, anew"
            )
        prepared = _prepared(checked, stop, log)
        _check_unchanged(run, prepared.data)
        _check_environment(run, prepared, log)
        return _trained(run, prepared, stop, log, saved)


def _prepared(checked: reader.Checked, stop: Stop, report: Report) -> Prepared:
    """Everything that a training needs, so that whatever is wrong is said before there is a run."""
    # 2.5 to 5 s; a config that is wrong must not pay for it.
    from imgcls.ops import startup

    startup.start()
    stop.check()
    from imgcls.data import dataset
    from imgcls.training import machine as machines
    from imgcls.training import setup

    config = checked.config
    with checked.locating():
        machine = machines.choose(config.training)
        for warning in machine.warnings:
            report(Warned(warning))
        report(Noted(f"training on {machine.device} in {machine.precision}"))
        data = dataset.load(
            config.dataset,
            config.seed,
            report,
            only=("train", "validation"),  # the test images choose nothing
            stop=lambda: bool(stop),
        )
        stop.check()
        for note in data.record.get("notes", ()):
            report(Warned(note))
        if "validation" not in data.splits and config.training.best.startswith("val_"):
            report(Warned("there is no validation split; the last checkpoint counts as the best"))
        traits = setup.traits_of(config, data)
        engine = setup.engine_of(config, data, traits, machine)
    return Prepared(config, data, traits, machine, engine)


def _write_inputs(run: Run, prepared: Prepared) -> None:
    from imgcls.training.machine import environment

    config = prepared.config
    plain = config.model_dump(mode="json")
    text = yaml.safe_dump(plain, sort_keys=False, allow_unicode=True)
    files.write_whole(run.config, text.encode())
    files.write_json(run.model, prepared.traits.model_dump(mode="json"))
    files.write_json(run.data, prepared.data.record)
    files.write_json(run.environment, environment(prepared.machine, config.seed))


def _check_unchanged(run: Run, data: "Data") -> None:
    before, now = files.read_object(run.data, "fingerprint"), data.record
    if before["fingerprint"] != now["fingerprint"]:
        counts = f"{before.get('counts')} then, {now.get('counts')} now"
        raise RunError(f"the data has changed since {run.folder} began: {counts}")


def _check_environment(run: Run, prepared: Prepared, report: Report) -> None:
    """Warns where the run will not go on bit for bit."""
    from imgcls.training.machine import environment

    before = files.read_object(run.environment)
    now = environment(prepared.machine, prepared.config.seed)
    changed = [
        f"{key} {before.get(key)} -> {now[key]}"
        for key in ("tensorflow", "keras", "device", "replicas", "precision", "threads")
        if before.get(key) != now[key]
    ]
    if changed:
        report(Warned(f"not bit-equal to a run in one go: {', '.join(changed)}"))


def _trained(
    run: Run,
    prepared: Prepared,
    stop: Stop,
    log: Log,
    saved: checkpoints.Checkpoint | None = None,
) -> Trained:
    from imgcls.training.loop import Loop, restore
    from imgcls.training.state import State

    config, data, engine = prepared.config, prepared.data, prepared.engine
    state = State() if saved is None else restore(engine, saved)
    if saved is not None:
        runs.rewind_metrics(run, state.step, state.evaluated)
    loop = Loop(run, config, data, engine, state, stop, log)
    log(
        Started(
            run.folder,
            config.training.epochs,
            loop.steps,
            {name: len(split.labels) for name, split in data.splits.items()},
            len(data.classes),
            engine.model.count_params(),
            prepared.machine.device,
            prepared.machine.precision,
            state.step,
        )
    )
    runs.set_status(run, "running", step=state.step)
    try:
        trained = loop.train()
    except Exception as error:
        diverged = isinstance(error, DivergedError)
        status: runs.State = "diverged" if diverged else "failed"
        runs.set_status(run, status, step=state.step, error=str(error))
        log.write(Warned(f"ended by an error: {error}"))
        raise
    try:
        runs.set_status(run, trained.status, step=trained.step)
    except ResourceError as error:  # all that counts is saved
        log(Warned(str(error)))
    log.write(trained)
    return trained
