"""Train, evaluate and run image classifiers described by a YAML file.

The public Python API is `load`; everything else may change from release to release.
"""

from os import PathLike
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from imgcls.inference.classifier import Classifier

__version__ = "0.1.0"
__all__ = ["load"]


def load(
    run: str | PathLike[str],
    *,
    checkpoint: Literal["best", "last"] | None = None,
    weights: Literal["raw", "averaged"] | None = None,
) -> "Classifier":
    """Returns the trained classifier of a run.

    >>> import imgcls
    >>> classifier = imgcls.load("runs/digits-001")
    >>> classifier.classes
    ('0', '1', '2', '3', '4', '5', '6', '7', '8', '9')
    >>> probabilities = classifier.predict(["a.png", "b.png"])  # float32 [2, 10]

    Args:
        run: the run folder.
        checkpoint: `best` is that of the best epoch, `last` the last one; None is the best or, if
            it is damaged, the newest undamaged one.
        weights: `raw` or `averaged`; None is averaged if the checkpoint has averaged weights.

    Raises:
        ImgclsError: if there is no such run, or none of its checkpoints can be used. If a damaged
            checkpoint is skipped, a Python warning is issued.
    """
    from pathlib import Path

    from imgcls.inference.loading import load_run, warn
    from imgcls.ops import startup

    loaded = load_run(Path(run), Path("runs"), checkpoint, warn, weights)
    startup.start()
    from imgcls.inference.classifier import Classifier

    return Classifier(loaded)
