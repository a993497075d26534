"""`imgcls predict`: the classes of images."""

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
    """Returns the prediction for each image, in the order given, as they are made.

    Args:
        images: files, folders (with all images below them) and globs; `-` is an image on stdin.
        report: receives events.
        listed: a file that lists more names; `-` is stdin.
        null: whether the listed names end in NUL bytes instead of newlines.
        run: the run folder; None is the most recently started run.
        checkpoint: `best` or `last`; None is the best or, if it is damaged, the newest undamaged.
        weights: `raw` or `averaged`; None is averaged if the checkpoint has averaged weights.
        precision: the precision of the computation.
        root: the folder that is searched for runs.

    Raises:
        RunError: if there is no run to predict with.
        DataError: if there are no images.
        UsageError: if a name is a URL, or stdin is a terminal.
    """
    inputs = ImageInputs(images, listed, null=null)
    found = inputs.each()
    first = next(found)  # there may be none; check before TensorFlow's start, which takes 3 s
    loaded = load_run(run, root, checkpoint, report, weights)

    def each() -> Iterator[Prediction]:
        yield from _predictions(chain([first], found), loaded, precision)
        if skipped := inputs.notes():
            report(Noted("; ".join(skipped)))

    return Predictions(loaded.run.folder, len(loaded.spec.classes), each())


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
