"""The view of a `Prediction`."""

import csv
import io
from typing import TYPE_CHECKING

from imgcls.console.numbers import printable, probability

if TYPE_CHECKING:
    from imgcls.inference.predictions import Prediction


def line(prediction: "Prediction", top_k: int) -> str:
    """Returns the image and its most probable classes, as `cat.png  cat 0.9877  dog 0.0123`."""
    ranked = (f"{printable(name)} {probability(each)}" for name, each in prediction.ranked[:top_k])
    return "  ".join([printable(prediction.file), *ranked])


def csv_line(cells: list[str]) -> str:
    """Returns a row of CSV without the end of its line."""
    written = io.StringIO()
    # the writer quotes a cell for the line's end only if it holds the very characters given here
    csv.writer(written, lineterminator="\r\n").writerow(cells)
    return written.getvalue().removesuffix("\r\n")
