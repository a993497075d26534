"""`imgcls predict`: the classes of pictures."""

import glob
import os
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from imgcls.errors import DataError, UsageError
from imgcls.evaluation.chosen import Chosen, Weights, choose
from imgcls.evaluation.predictions import Prediction
from imgcls.images.decode import BadImageError
from imgcls.images.find import pictures
from imgcls.images.load import load
from imgcls.training.events import Noted, Report

BATCH = 32


def predict(
    images: Sequence[str],
    report: Report,
    *,
    run: Path | None = None,
    weights: Weights = "best",
    precision: str = "float32",
    root: Path = Path("runs"),
) -> Iterator[Prediction]:
    """Returns the prediction of each picture, in the order given, as they are made.

    Args:
        images: files, folders (every picture below them) and globs.
        report: takes events.
        run: its folder; None is the one started last.
        weights: of the best epoch, or the last ones.
        precision: to compute in.
        root: where runs are looked for.

    Raises:
        RunError: if there is no run to predict with.
        DataError: if there is no picture.
        UsageError: if one is a URL.
    """
    found = [(image, _files(image)) for image in images]
    if not any(below for _, below in found):
        raise DataError(f"no picture in {', '.join(images) or 'nothing'}")
    # A folder or glob without one is refused by its own name, beside others that have some.
    files = [file for image, below in found for file in below or [image]]
    chosen = choose(run, root, weights, lambda message: report(Noted(message)))
    return _predictions(files, chosen, precision)


def _files(image: str) -> list[str]:
    if not image:
        raise UsageError("an image has an empty name; is a variable of the shell unset?")
    if "://" in image:
        raise UsageError(f"{image}: is a URL; download it first")
    path = Path(image)
    if path.is_dir():
        return [str(file) for file in pictures(path)]
    if not os.path.lexists(path) and glob.has_magic(image):
        return [file for name in sorted(glob.glob(image, recursive=True)) for file in _files(name)]  # noqa: PTH207
    return [image]


def _predictions(files: Sequence[str], chosen: Chosen, precision: str) -> Iterator[Prediction]:
    import numpy as np

    from imgcls.ops import startup

    startup.start()
    from imgcls.classifier import Classifier

    classifier = Classifier(chosen.config, chosen.traits, chosen.checkpoint, precision)
    traits = chosen.traits
    waiting = iter(files)
    while batch := list(islice(waiting, BATCH)):
        loaded, errors = {}, {}
        for file in batch:
            try:
                loaded[file] = load(Path(file), traits.stored, traits.channels, traits.resize)
            except BadImageError as error:
                errors[file] = error.reason
        rows = classifier.probabilities(np.stack(list(loaded.values()))) if loaded else ()
        ranked = dict(zip(loaded, rows, strict=True))
        for file in batch:
            if file in errors:
                yield Prediction(file, error=errors[file])
            else:
                yield Prediction.of(file, traits.classes, ranked[file])
