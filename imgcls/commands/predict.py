"""`imgcls predict`: the classes of pictures."""

from collections.abc import Iterator, Sequence
from itertools import chain, islice
from pathlib import Path

from imgcls.events import EventSink, Noted
from imgcls.images.decode import BadImageError
from imgcls.images.load import load
from imgcls.inference.inputs import ImageInput, ImageInputs
from imgcls.inference.loading import Choice, LoadedRun, Weights, load_run
from imgcls.inference.predictions import Prediction, Predictions


def predict(  # noqa: PLR0913  # each is an option
    images: Sequence[str],
    report: EventSink,
    *,
    listed: Path | None = None,
    null: bool = False,
    run: Path | None = None,
    checkpoint: Choice | None = None,
    weights: Weights | None = None,
    precision: str = "float32",
    root: Path = Path("runs"),
) -> Predictions:
    """Returns the prediction of each picture, in the order given, as they are made.

    Args:
        images: files, folders (every picture below them) and globs; `-` is a picture on stdin.
        report: takes events.
        listed: a file of more names; `-` is stdin.
        null: these names end in NUL bytes, not in newlines.
        run: its folder; None is the one started last.
        checkpoint: of the best epoch, or the last one; None is the best, or else what can be used.
        weights: raw or averaged; None is averaged where the checkpoint has them.
        precision: to compute in.
        root: where runs are looked for.

    Raises:
        RunError: if there is no run to predict with.
        DataError: if there is no picture.
        UsageError: if one is a URL, or stdin is a terminal.
    """
    inputs = ImageInputs(images, listed, null=null)
    found = inputs.each()
    first = next(found)  # before the 3 s of TensorFlow's start: there may be none
    loaded = load_run(run, root, checkpoint, report, weights)

    def each() -> Iterator[Prediction]:
        yield from _predictions(chain([first], found), loaded, precision)
        if skipped := inputs.notes():
            report(Noted("; ".join(skipped)))

    return Predictions(loaded.run.folder, each())


def _predictions(
    waiting: Iterator[ImageInput], loaded: LoadedRun, precision: str
) -> Iterator[Prediction]:
    import numpy as np

    from imgcls.ops import startup

    startup.start()
    from imgcls.inference.classifier import BATCH, Classifier

    classifier = Classifier(loaded, precision)
    spec = loaded.spec
    while batch := list(islice(waiting, BATCH)):
        pixels, refused = [], []
        for item in batch:
            try:
                if item.refused is None:
                    pixels.append(load(item.source, spec.stored, spec.channels, spec.resize))
                refused.append(item.refused)
            except BadImageError as error:
                refused.append(error.reason)
        rows = iter(classifier.predict_pixels(np.stack(pixels)) if pixels else ())
        for item, reason in zip(batch, refused, strict=True):
            if reason is not None:
                yield Prediction(item.name, error=reason)
            else:
                yield Prediction.of(item.name, spec.classes, next(rows))
