"""`imgcls train`: trains a new run of a config, or resumes a run."""

import shlex
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import yaml

from imgcls import files, filesystem
from imgcls.config import changes, reader
from imgcls.config.config import Config
from imgcls.errors import DivergedError, ImgclsError, ResourceError, UsageError
from imgcls.events import EventSink, Started, Trained, Warned
from imgcls.runs import checkpoints, folders, lock
from imgcls.runs.checkpoints import Checkpoint
from imgcls.runs.folders import Run
from imgcls.training import resuming
from imgcls.training.log import Log
from imgcls.training.signals import Stop, handling

if TYPE_CHECKING:
    from imgcls.training.prepare import Prepared


def train(
    config: Path | None,
    report: EventSink,
    *,
    overrides: Sequence[str] = (),
    resume: Path | Literal["auto"] | None = None,
    extend: int | None = None,
    root: Path = Path("runs"),
    offline: bool = False,
) -> Trained:
    """Trains a new run of a config, or resumes a run that was stopped.

    Args:
        config: the YAML file of a new run.
        report: receives the events of training.
        overrides: `key=value` each, applied to the config; only safe keys if a run is resumed.
        resume: the run to resume, without a config; or `auto`, with a config, for the newest
            unfinished run of that config, or a new one.
        extend: the number of epochs to add to the resumed run.
        root: the folder in which new runs are created.
        offline: whether to raise an error instead of downloading a dataset.

    Returns:
        How far training got, and the metrics of the best epoch.

    Raises:
        ConfigError, DataError, RunError, DivergedError, ResourceError: see `imgcls.errors`.
        KeyboardInterrupt: with the number of a signal received before there was anything to save.
    """
    if (config is None) == (resume is None or resume == "auto"):
        raise UsageError("train takes one config, or --resume RUN, or a config and --resume auto")
    if extend is not None and not isinstance(resume, Path):
        raise UsageError("--extend lengthens a run; it goes with --resume RUN")
    with handling() as stop:
        if config is None:
            assert isinstance(resume, Path), "one of the two is there"
            run, wanted = folders.open_run(resume), resuming.ResumeOptions(overrides, extend)
            with lock.held(run.folder):
                return _in_run(run, wanted, stop, report, offline=offline)
        checked = reader.read(config, overrides)
        unfinished = resuming.unfinished(root, checked, report) if resume == "auto" else None
        if unfinished is not None:
            with lock.held(unfinished.folder):
                return _in_run(unfinished, resuming.ResumeOptions(), stop, report, offline=offline)
        with folders.created(root, checked.name, _text(checked.config)) as run:
            return _in_run(run, checked, stop, report, offline=offline)


def _in_run(
    run: Run,
    wanted: reader.CheckedConfig | resuming.ResumeOptions,
    stop: Stop,
    report: EventSink,
    *,
    offline: bool,
) -> Trained:
    """Trains in a locked run: from the start if `wanted` is a config, else resumes it."""
    log = Log(run.log, report)
    _check_sync(run, log)
    try:
        if isinstance(wanted, reader.CheckedConfig):
            return _new(run, wanted, stop, log, offline=offline)
        return _resumed(run, wanted, stop, log, offline=offline)
    except ImgclsError as error:
        if checkpoints.steps(run.checkpoints):
            error.run = run.folder
            if folders.read_status(run).get("state") != "finished":
                error.resume = f"imgcls train --resume {shlex.quote(str(run.folder))}"
        raise


def _check_sync(run: Run, report: EventSink) -> None:
    with files.writing(run.folder):
        if not filesystem.sync(run.folder):
            report(
                Warned(
                    f"{run.folder}: this file system cannot sync folders; after a power failure, "
                    "the newest checkpoints may be missing"
                )
            )


def _new(
    run: Run, checked: reader.CheckedConfig, stop: Stop, log: Log, *, offline: bool
) -> Trained:
    try:
        prepared = _prepared(checked, stop, log, offline=offline)
        _write_inputs(run, prepared)
    except BaseException:  # an interrupt or a bug of ours, too
        folders.remove_unused(run)
        raise
    return _trained(run, prepared, stop, log)


def _resumed(
    run: Run, wanted: resuming.ResumeOptions, stop: Stop, log: Log, *, offline: bool
) -> Trained:
    resumed = resuming.read(run, wanted, log)
    prepared = _prepared(resumed.checked, stop, log, offline=offline)
    if resumed.saved is None:
        _write_inputs(run, prepared)
    else:
        resuming.check_data(run, prepared.data.manifest)
        _check_environment(run, prepared, log)
    resumed.write_changes(run, log)
    return _trained(run, prepared, stop, log, resumed.saved, resumed.changed)


def _prepared(
    checked: reader.CheckedConfig, stop: Stop, report: EventSink, *, offline: bool
) -> "Prepared":
    """Returns everything that training needs; all mistakes are reported before it starts."""
    from imgcls.data import dataset

    config = checked.config
    with checked.locating():
        data = stop.interrupt(
            lambda: dataset.load(
                config.dataset,
                config.seed,
                report,
                only=("train", "validation"),  # test images are not used in training
                fetch=not offline,
            )
        )
        for note in data.manifest.get("notes", ()):
            report(Warned(note))
        if "validation" not in data.splits and config.training.best.startswith("val_"):
            report(Warned("there is no validation split; the last checkpoint counts as the best"))
        # 2.5 to 5 s; an invalid config or dataset must be reported before that.
        from imgcls.ops import startup

        startup.start()
        stop.check()
        from imgcls.training.prepare import prepare

        prepared = prepare(config, data, report)
        stop.check()
    return prepared


def _text(config: Config) -> bytes:
    """Returns the content of `config.yaml`."""
    text = yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
    return text.encode()


def _write_inputs(run: Run, prepared: "Prepared") -> None:
    from imgcls.training.machine import environment

    files.write_json(run.model, prepared.spec.model_dump(mode="json"))
    files.write_json(run.data, prepared.data.manifest)
    files.write_json(run.environment, environment(prepared.machine, prepared.config.seed))


def _check_environment(run: Run, prepared: "Prepared", report: EventSink) -> None:
    """Warns if the resumed run will not be bit-identical to an uninterrupted one."""
    from imgcls.training.machine import BITS, environment

    before = _flat(files.read_object(run.environment), BITS)
    now = _flat(environment(prepared.machine, prepared.config.seed), BITS)
    changed = [
        f"{key} {before.get(key, 'not set')} -> {now.get(key, 'not set')}"
        for key in {**before, **now}
        if before.get(key) != now.get(key)
    ]
    if changed:
        what = "the resumed run will not be bit-identical to an uninterrupted one"
        report(Warned(f"{what}: {', '.join(changed)}"))


def _flat(environment: Mapping[str, Any], keys: Iterable[str]) -> dict[str, Any]:
    """Returns these keys, with those of `variables` among them."""
    chosen = {key: environment[key] for key in keys if key in environment}
    variables = chosen.pop("variables", None)
    return chosen | (variables if isinstance(variables, dict) else {})


def _trained(
    run: Run,
    prepared: "Prepared",
    stop: Stop,
    log: Log,
    saved: Checkpoint | None = None,
    changed: changes.Changes | None = None,
) -> Trained:
    from imgcls.training.trainer import Trainer

    data, stages = prepared.data, len(prepared.plan.stages)
    state = resuming.state_of(saved, changed or {}, stages)
    folders.rewind_metrics(run, state.step, state.evaluated)
    trainer = Trainer(run, prepared, state, saved, stop, log)
    log(
        Started(
            run.folder,
            prepared.plan.epochs,
            prepared.plan.steps_per_epoch,
            {name: len(split.labels) for name, split in data.splits.items()},
            len(data.spec.classes),
            prepared.network.model.count_params(),
            prepared.machine.device,
            prepared.machine.precision,
            state.step,
        )
    )
    folders.set_status(run, "running", step=state.step)
    try:
        trained = trainer.train()
    except Exception as error:
        diverged = isinstance(error, DivergedError)
        status: folders.RunState = "diverged" if diverged else "failed"
        _set_status(run, status, log, step=trainer.state.step, error=str(error), exit=_code(error))
        log.write(Warned(f"ended by an error: {error}"))
        raise
    code = 0 if trained.signal is None else 128 + trained.signal
    _set_status(run, trained.status, log, step=trained.step, exit=code)
    log.write(trained)
    return trained


def _code(error: Exception) -> int:
    return error.exit_code if isinstance(error, ImgclsError) else 1


def _set_status(run: Run, status: folders.RunState, log: Log, **fields: object) -> None:
    """Writes how the run ended; only warns on failure: all else is saved, or an error is raised."""
    try:
        folders.set_status(run, status, **fields)
    except ResourceError as error:
        log(Warned(str(error)))
