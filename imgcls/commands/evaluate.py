"""`imgcls evaluate`: the figures of a run on labelled images."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from imgcls import files
from imgcls.errors import DataError, ResourceError
from imgcls.evaluation.assertions import Assertion
from imgcls.evaluation.scores import Evaluation, score
from imgcls.events import Noted, Report, Validating, Warned
from imgcls.inference.loading import Chosen, Weights, choose

if TYPE_CHECKING:
    from imgcls.data.dataset import Split

SplitName = Literal["train", "validation", "test"]


def evaluate(
    run: Path | None,
    report: Report,
    *,
    split: SplitName | None = None,
    data: Path | None = None,
    weights: Weights | None = None,
    precision: str = "float32",
    assertions: Sequence[Assertion] = (),
    root: Path = Path("runs"),
) -> Evaluation:
    """Evaluates a run, every image once, and stores the figures in it.

    Args:
        run: its folder; None is the one started last.
        report: takes events.
        split: of the run's own data; None is test, or validation where there is no test.
        data: other labelled images: a folder, a csv or an npz; classes are matched by name.
        weights: of the best epoch, or the last ones; None is the best, or else what can be used.
        precision: to compute in.
        assertions: are checked for figures that the run cannot have.
        root: where runs are looked for.

    Raises:
        RunError, DataError, ConfigError, UsageError: as their names say.
    """
    chosen = choose(
        run,
        root,
        weights,
        note=lambda message: report(Noted(message)),
        warn=lambda message: report(Warned(message)),
    )
    for each in assertions:
        each.check(chosen.traits.classes)
    from imgcls.ops import startup

    startup.start()
    name, images = _other(chosen, data, report) if data else _own(chosen, split, report)
    evaluation = _evaluated(chosen, name, images, precision, report)
    stored = chosen.run.folder / f"evaluation-{'data' if data else name}.json"
    try:
        files.write_json(stored, evaluation.to_json())
    except ResourceError as error:
        report(Warned(f"the figures were not stored: {error}"))
    return evaluation


def _other(chosen: Chosen, data: Path, report: Report) -> tuple[str, "Split"]:
    from imgcls.data import dataset

    traits = chosen.traits
    split = dataset.load_labelled(
        data,
        classes=traits.classes,
        stored=traits.stored,
        channels=traits.channels,
        resize=traits.resize,
        report=report,
    )
    return str(data), split


def _own(chosen: Chosen, name: SplitName | None, report: Report) -> tuple[str, "Split"]:
    from imgcls.data import dataset

    config, traits = chosen.config, chosen.traits
    record = files.read_object(chosen.run.data, "images", "fingerprint", "made")
    there = record["images"]
    if name is None:
        name = "test" if "test" in there else "validation"
        if name == "validation" and name in there:
            report(Noted("there is no test split; these are the validation images"))
    if name not in there:
        raise DataError(f"the data of {chosen.run} has no {name} split; it has {', '.join(there)}")
    data = dataset.load(config.dataset, config.seed, report, only=(name,), stored=traits.stored)
    if data.classes != traits.classes:
        now, then = ", ".join(data.classes[:20]), ", ".join(traits.classes[:20])
        raise DataError(f"the data has the classes {now} now; {chosen.run} was trained on {then}")
    if _has_changed(record, data.record):
        if name in record["made"]:
            raise DataError(
                f"the data has changed since {chosen.run} was trained: its {name} images would be "
                "drawn anew, with training images among them; give other images with --data"
            )
        report(Warned(f"the data has changed since {chosen.run} was trained"))
    return name, data.splits[name]


def _has_changed(before: dict[str, Any], now: dict[str, Any]) -> bool:
    """Whether images came, went, or are others; of the splits that were read then and now."""
    prints = before["fingerprint"]
    return any(before.get(key) != now.get(key) for key in ("files", "drawn", "counts")) or any(
        prints.get(part, own) != own for part, own in now["fingerprint"].items()
    )


def _evaluated(
    chosen: Chosen, name: str, split: "Split", precision: str, report: Report
) -> Evaluation:
    import numpy as np

    from imgcls.inference.classifier import Classifier

    classifier = Classifier(chosen.config, chosen.traits, chosen.checkpoint, precision)
    probabilities, losses, done = [], [], 0
    for these, their_losses in classifier.scores(split, chosen.config.training.batch_size):
        probabilities.append(these)
        losses.append(their_losses)
        done += len(these)
        report(Validating(done, len(split.labels)))
    return score(
        split.labels,
        np.concatenate(probabilities),
        np.concatenate(losses) + np.float32(classifier.penalty()),
        chosen.traits.classes,
        run=str(chosen.run),
        checkpoint=chosen.name,
        split=name,
    )
