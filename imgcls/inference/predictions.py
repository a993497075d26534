"""The prediction for each image: classes by decreasing probability, or an error."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_DIGITS = 6


@dataclass(frozen=True)
class Prediction:
    """The prediction for one image.

    Attributes:
        file: the name of the image, as given.
        ranked: (class name, probability), the most probable first; empty if it was rejected.
        error: why it was rejected, without its name, or None.
    """

    file: str
    ranked: tuple[tuple[str, float], ...] = ()
    error: str | None = None

    @classmethod
    def of(
        cls, file: str, classes: Sequence[str], probabilities: "NDArray[np.float32]"
    ) -> "Prediction":
        """Returns the prediction of an image from its probabilities, float32 [class].

        Classes with equal probabilities are in the order of the data spec, as in the metrics.
        """
        order = (-probabilities).argsort(kind="stable")
        return cls(file, tuple((classes[each], float(probabilities[each])) for each in order))

    def to_json(self, top_k: int = 1) -> dict[str, Any]:
        """Returns JSON values, with the same keys whether or not the image was rejected.

        `class` and `probability` are the first of `top`, which has the `top_k` most probable
        classes.
        """
        top = [
            {"class": name, "probability": _rounded(probability)}
            for name, probability in self.ranked[:top_k]
        ]
        first = top[0] if top else {"class": None, "probability": None}
        return {"file": self.file, **first, "top": top, "error": self.error}

    def to_csv(self, top_k: int = 1) -> list[str]:
        """Returns the CSV row, with as many cells as `csv_header` has for the same `top_k`."""
        cells = [self.file]
        for name, probability in self.ranked[:top_k]:
            rounded = _rounded(probability)
            cells += [name, "" if rounded is None else f"{rounded:.{_DIGITS}f}"]
        return [*cells, *[""] * (1 + 2 * top_k - len(cells)), self.error or ""]


@dataclass(frozen=True)
class Predictions:
    """The predictions of a run for images.

    Attributes:
        run: the run folder.
        classes: the number of classes.
        each: the prediction of each image, in the order given, as they are made.
    """

    run: Path
    classes: int
    each: Iterator[Prediction]


def csv_header(top_k: int = 1) -> list[str]:
    """Returns the names of the columns: file, class, probability, class_2, ..., error."""
    header = ["file", "class", "probability"]
    for rank in range(2, top_k + 1):
        header += [f"class_{rank}", f"probability_{rank}"]
    return [*header, "error"]


def _rounded(probability: float) -> float | None:
    """Returns the probability with 6 decimals; None if it is not finite, which JSON cannot hold."""
    return round(probability, _DIGITS) if math.isfinite(probability) else None
