"""What `predict` returns for each image: the classes by falling probability, or why it has none."""

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
    """What the network says of one image.

    Attributes:
        file: the image, as it was named.
        ranked: (class name, probability), the most probable first; empty if it was refused.
        error: why it was refused, without its name, or None.
    """

    file: str
    ranked: tuple[tuple[str, float], ...] = ()
    error: str | None = None

    @classmethod
    def of(
        cls, file: str, classes: Sequence[str], probabilities: "NDArray[np.float32]"
    ) -> "Prediction":
        """Returns the prediction of an image from its probabilities, float32 [class].

        Of equal probabilities the class that is listed first comes first, as in the metrics.
        """
        order = (-probabilities).argsort(kind="stable")
        return cls(file, tuple((classes[each], float(probabilities[each])) for each in order))

    def to_json(self, top_k: int = 1) -> dict[str, Any]:
        """Returns it as JSON values; the keys are the same whether it was refused or not.

        `class` and `probability` are the first of `top`, which has the `top_k` most probable.
        """
        top = [
            {"class": name, "probability": _rounded(probability)}
            for name, probability in self.ranked[:top_k]
        ]
        first = top[0] if top else {"class": None, "probability": None}
        return {"file": self.file, **first, "top": top, "error": self.error}

    def to_csv(self, top_k: int = 1) -> list[str]:
        """Returns its row, with as many cells as `csv_header` of the same `top_k`."""
        cells = [self.file]
        for name, probability in self.ranked[:top_k]:
            rounded = _rounded(probability)
            cells += [name, "" if rounded is None else f"{rounded:.{_DIGITS}f}"]
        return [*cells, *[""] * (1 + 2 * top_k - len(cells)), self.error or ""]


@dataclass(frozen=True)
class Predictions:
    """What a run says of images.

    Attributes:
        run: the run folder.
        each: the prediction of each image, in the order given, as they are made.
    """

    run: Path
    each: Iterator[Prediction]


def csv_header(top_k: int = 1) -> list[str]:
    """Returns the names of the columns: file, class, probability, class_2, ..., error."""
    header = ["file", "class", "probability"]
    for rank in range(2, top_k + 1):
        header += [f"class_{rank}", f"probability_{rank}"]
    return [*header, "error"]


def _rounded(probability: float) -> float | None:
    """Returns the probability in 6 digits; None for what JSON has no number for."""
    return round(probability, _DIGITS) if math.isfinite(probability) else None
