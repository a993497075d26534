"""Published datasets: found in a local folder, or downloaded once to the user's cache.

The places searched are `$IMGCLS_DATA`, the dataset folder of Keras, and the cache. The user's own
files are never changed or removed.
"""

import io
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from imgcls import files
from imgcls.downloads import user_cache
from imgcls.downloads.remote import Publication
from imgcls.downloads.user_cache import expanded
from imgcls.errors import DataError, ResourceError
from imgcls.events import Downloading, EventSink
from imgcls.images import arrays, formats
from imgcls.images.formats import NamedArrays
from imgcls.images.pictures import shown


def read(name: str, publication: Publication) -> tuple[NamedArrays, str]:
    """Returns the arrays of a published dataset, and where they were found.

    Raises:
        DataError: if it is not found, naming the places searched, or if it is damaged.
    """
    for path, reader in _places(name, publication):
        if os.path.exists(path):  # noqa: PTH110 - Path.exists raises in a folder without permission
            return reader(path), shown(path)
    looked = ", ".join(shown(path) for path, _ in _places(name, publication))
    raise DataError(
        f"{name} is not at hand; looked for {looked}; {_remedy(name)}",
        hint=f"imgcls train and imgcls check download it ({publication.bytes / 2**20:,.0f} MiB), "
        "unless --offline or IMGCLS_OFFLINE forbids it",
    )


def fetch(
    name: str,
    publication: Publication,
    report: EventSink,
) -> None:
    """Downloads a dataset that is not found locally to the user's cache.

    Does nothing if IMGCLS_OFFLINE forbids downloads.

    Args:
        name: the name of the dataset.
        publication: the published files and their format.
        report: receives events.

    Raises:
        DataError: if the download fails or its content is not what was published.
        ResourceError: if it cannot be written to the cache.
    """
    found = any(os.path.exists(path) for path, _ in _places(name, publication))  # noqa: PTH110 - as above
    if found or os.environ.get("IMGCLS_OFFLINE", "") not in {"", "0"}:
        return
    target = user_cache.folder() / f"{name}.npz"
    _make_room(target.parent)
    contents = _downloaded(name, publication, target, report)
    if publication.format == "npz":
        ((_, data),) = contents.items()
    else:
        data = _npz(formats.in_memory(publication, contents))
    files.write_whole(target, data)


def _remedy(name: str) -> str:
    return f"set IMGCLS_DATA to a folder with {name}.npz (x_train, y_train, x_test, y_test)"


def _places(
    name: str, publication: Publication
) -> Iterator[tuple[Path, Callable[[Path], NamedArrays]]]:
    """Yields each place where a dataset may be, with the function that reads it."""
    own = os.environ.get("IMGCLS_DATA")
    keras = os.environ.get("KERAS_HOME") or "~/.keras"
    for folder in [*([expanded(own)] if own else []), expanded(keras) / "datasets"]:
        yield folder / f"{name}.npz", arrays.read
        for place in publication.kept:
            yield folder / place, lambda path: formats.in_folder(publication, path)
    yield user_cache.folder() / f"{name}.npz", _cached


def _cached(file: Path) -> NamedArrays:
    try:
        return arrays.read(file)
    except DataError as error:
        raise DataError(f"{error}; remove the file, and it is downloaded again") from error


def _make_room(folder: Path) -> None:
    """Creates the cache folder, and reports problems with it before anything is downloaded."""
    if not folder.is_absolute():
        raise ResourceError("there is no home folder to download to; set XDG_CACHE_HOME")
    with files.writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    if not os.access(folder, os.W_OK | os.X_OK):
        raise ResourceError(f"{shown(folder)}: cannot be written; set XDG_CACHE_HOME to another")
    files.remove_stale(folder)


def _downloaded(
    name: str,
    publication: Publication,
    target: Path,
    report: EventSink,
) -> dict[str, bytes]:
    """Returns the published files by name."""
    from imgcls.downloads import download  # 50 ms for networking modules, rarely needed

    contents: dict[str, bytes] = {}

    def progress(done: int) -> None:
        done += sum(map(len, contents.values()))
        report(Downloading(name, publication.source, shown(target), done, publication.bytes))

    progress(0)
    for remote in publication.files:
        try:
            contents[remote.name] = download.download(remote, progress)
        except download.DownloadError as error:
            raise DataError(
                f"{remote.url}: cannot be downloaded, {error}; try again, or {_remedy(name)}"
            ) from error
    return contents


def _npz(found: NamedArrays) -> bytes:
    stream = io.BytesIO()
    np.savez(stream, allow_pickle=False, **found)
    return stream.getvalue()
