"""Reads the images of a split into memory, decoded and resized."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from imgcls.events import Cached, EventSink, Scanning
from imgcls.images import cache
from imgcls.images.load import fit_all
from imgcls.images.pictures import Pictures, shown
from imgcls.images.resize import Mode, to_channels

if TYPE_CHECKING:
    from imgcls.images.decode import BadImageError


@dataclass(frozen=True)
class Split:
    """The labeled images of one split, ready for the input pipeline.

    Attributes:
        pixels: uint8 [n, stored height, stored width, channels].
        labels: int32 [n].
        names: the name of each image: a path, or an index such as `train[17]`.
    """

    pixels: NDArray[np.uint8]
    labels: NDArray[np.int32]
    names: tuple[str, ...]


class Reader:
    """Reads splits one by one, reports progress over all of them, and collects errors of bad files.

    Args:
        total: the number of images in all splits that will be read.
        size: height and width of the resulting images.
        channels: 1 or 3.
        resize: how an image with another aspect ratio is fitted.
        report: receives events.
    """

    def __init__(
        self, total: int, size: tuple[int, int], channels: int, resize: Mode, report: EventSink
    ) -> None:
        self.total = total
        self.size = size
        self.channels = channels
        self.resize = resize
        self.report = report
        self.done = 0
        self.cached = 0
        self.trouble = ""
        self.bad: list[BadImageError] = []

    def read(self, pictures: Pictures, origin: tuple[str, NDArray[np.int64]]) -> Split:
        """Returns the images that can be read.

        Args:
            pictures: the images of a split.
            origin: the split of the source that they come from, and their indices there, int64 [n].
        """
        if pictures.pixels is None:
            split = self._files(pictures)
        else:
            split = self._arrays(pictures.pixels, pictures.labels, origin)
        self.done += len(pictures.labels)
        if self.done == self.total and (self.cached or self.trouble):
            self.report(Cached(self.cached, self.total, self.trouble))
        return split

    def _progress(self, done: int, total: int) -> None:
        del total  # the number in this split
        self.report(Scanning(self.done + done, self.total))

    def _arrays(
        self,
        pixels: NDArray[np.uint8],
        labels: NDArray[np.int32],
        origin: tuple[str, NDArray[np.int64]],
    ) -> Split:
        # Convert to gray before resizing, as `decode` does; otherwise, rounding differs.
        pixels = to_channels(pixels, min(self.channels, pixels.shape[3]))
        fitted = fit_all(pixels, self.size, self.resize, self._progress)
        return Split(
            to_channels(fitted, self.channels),
            labels,
            tuple(f"{origin[0]}[{at}]" for at in origin[1]),
        )

    def _files(self, pictures: Pictures) -> Split:
        loaded = cache.load_cached(
            pictures.files, self.size, self.channels, self.resize, self._progress
        )
        self.cached += loaded.cached
        self.trouble = self.trouble or loaded.trouble
        pixels, bad = loaded.pixels, loaded.bad
        names = tuple(map(shown, pictures.files))
        self.bad += bad
        if not bad:
            return Split(pixels, pictures.labels, names)
        paths = {error.path for error in bad}
        kept = [at for at, file in enumerate(pictures.files) if file not in paths]
        for to, at in enumerate(kept):  # in place: a copy may not fit in memory
            pixels[to] = pixels[at]
        return Split(pixels[: len(kept)], pictures.labels[kept], tuple(names[at] for at in kept))
