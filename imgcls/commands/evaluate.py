"""`imgcls evaluate`: the metrics of a run on labeled images."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from imgcls import files
from imgcls.errors import DataError, ResourceError, RunError
from imgcls.evaluation.assertions import Assertion
from imgcls.evaluation.scores import Evaluation, score
from imgcls.events import EventSink, Noted, Validating, Warned
from imgcls.inference.loading import Choice, LoadedRun, Weights, load_run

if TYPE_CHECKING:
    from imgcls.data.dataset import Split

SplitName = Literal["train", "validation", "test"]


def evaluate(  # noqa: PLR0913  # each is an option
    run: Path | None,
    report: EventSink,
    *,
    split: SplitName | None = None,
    data: Path | None = None,
    checkpoint: Choice | None = None,
    weights: Weights | None = None,
    precision: str = "float32",
    assertions: Sequence[Assertion] = (),
    root: Path = Path("runs"),
) -> Evaluation:
    """Evaluates a run on every image once, and stores the metrics in the run folder.

    Args:
        run: the run folder; None is the most recently started run.
        report: receives events.
        split: a split of the run's own data; None is test, or validation if there is no test split.
        data: other labeled images: a folder, CSV or NPZ; classes are matched by name.
        checkpoint: `best` or `last`; None is the best or, if it is damaged, the newest undamaged.
        weights: `raw` or `averaged`; None is averaged if the checkpoint has averaged weights.
        precision: the precision of the computation.
        assertions: conditions, rejected here if the run has no such metric; not evaluated.
        root: the folder that is searched for runs.

    Raises:
        RunError, DataError, ConfigError, UsageError: see `imgcls.errors`.
    """
    loaded = load_run(run, root, checkpoint, report, weights)
    for each in assertions:
        each.check(loaded.spec.classes)
    from imgcls.ops import startup

    startup.start()
    name, images = _other(loaded, data, report) if data else _own(loaded, split, report)
    if data or name != "train":
        _report_training_images(loaded, images, report)
    evaluation = _evaluated(loaded, name, images, precision, report)
    stored = loaded.run.folder / f"evaluation-{'data' if data else name}.json"
    try:
        files.write_json(stored, evaluation.to_json())
    except ResourceError as error:
        report(Warned(f"the figures were not stored: {error}"))
    return evaluation


def _other(loaded: LoadedRun, data: Path, report: EventSink) -> tuple[str, "Split"]:
    from imgcls.data import dataset

    return str(data), dataset.load_labelled(data, loaded.spec, report)


def _own(loaded: LoadedRun, name: SplitName | None, report: EventSink) -> tuple[str, "Split"]:
    from imgcls.data import dataset

    config, spec = loaded.config, loaded.spec
    manifest = _record(loaded)
    there = manifest["images"]
    if name is None:
        name = "test" if "test" in there else "validation"
        if name == "validation" and name in there:
            report(Noted("there is no test split; these are the validation images"))
    if name not in there:
        raise DataError(f"the data of {loaded.run} has no {name} split; it has {', '.join(there)}")
    data = dataset.load(config.dataset, config.seed, report, only=(name,), stored=spec.stored)
    if data.spec.classes != spec.classes:
        now, then = ", ".join(data.spec.classes[:20]), ", ".join(spec.classes[:20])
        raise DataError(f"the data has the classes {now} now; {loaded.run} was trained on {then}")
    if _has_changed(manifest, data.manifest):
        if name in manifest["made"]:
            raise DataError(
                f"the data has changed since {loaded.run} was trained: its {name} images would be "
                "drawn again, with training images among them; give other images with --data"
            )
        report(Warned(f"the data has changed since {loaded.run} was trained"))
    return name, data.splits[name]


def _report_training_images(loaded: LoadedRun, images: "Split", report: EventSink) -> None:
    from imgcls.data.fingerprint import trained_on

    try:
        manifest = files.read_object(loaded.run.data)
    except RunError:  # not needed for other data
        return
    if seen := trained_on(manifest, images):
        total = len(images.labels)
        report(
            Warned(
                f"{seen:,} of {total:,} images are also training images of {loaded.run}; the "
                "metrics of images that were not used in training may be worse"
            )
        )


def _record(loaded: LoadedRun) -> dict[str, Any]:
    """Returns the run's data.json.

    Raises:
        RunError: if it is missing or damaged.
    """
    keys = ("images", "fingerprint", "made")
    manifest = files.read_object(loaded.run.data, *keys)
    wrong = next((key for key in keys if not isinstance(manifest[key], dict)), None)
    if wrong:
        raise RunError(f"{loaded.run.data} is damaged: {wrong} must be an object")
    return manifest


def _has_changed(before: dict[str, Any], now: dict[str, Any]) -> bool:
    """Returns whether images were added, removed or edited in the splits of both manifests."""
    prints = before["fingerprint"]
    return any(before.get(key) != now.get(key) for key in ("files", "drawn", "counts")) or any(
        prints.get(part, own) != own for part, own in now["fingerprint"].items()
    )


def _evaluated(
    loaded: LoadedRun, name: str, split: "Split", precision: str, report: EventSink
) -> Evaluation:
    from imgcls.inference.classifier import Classifier

    def progress(done: int) -> None:
        report(Validating(done, len(split.labels)))

    classifier = Classifier(loaded, precision)
    found = classifier.predict_split(split, loaded.config.training.batch_size, progress)
    return score(
        found.labels,
        found.probabilities,
        found.losses,
        loaded.spec.classes,
        regularization_loss=found.regularization_loss,
        run=str(loaded.run),
        checkpoint=loaded.checkpoint,
        split=name,
    )
