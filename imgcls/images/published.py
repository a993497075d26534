"""Published data sets where they may lie already: in `$IMGCLS_DATA`, and where Keras keeps them.

Nothing is fetched, changed or removed.
"""

import gzip
import os
import pickle
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgcls.errors import DataError
from imgcls.images import arrays
from imgcls.images.pictures import shown

Reader = Callable[[Path], dict[str, NDArray[Any]]]


def read(name: str, places: Mapping[str, Reader]) -> tuple[dict[str, NDArray[Any]], str]:
    """Returns the arrays of a published set, and where they were found.

    Args:
        name: of the set.
        places: what it may be called below a data folder, and who reads it.

    Raises:
        DataError: if it is nowhere, naming the places, or damaged.
    """
    looked = []
    for folder in _folders():
        for place, reader in {f"{name}.npz": arrays.read, **places}.items():
            path = folder / place
            if path.exists():
                return reader(path), shown(path)
            looked.append(shown(path))
    raise DataError(
        f"{name} is not at hand; looked for {', '.join(looked)}; set IMGCLS_DATA to a folder with "
        f"{name}.npz (x_train, y_train, x_test, y_test)",
        hint=f'python -c "import keras; keras.datasets.{name}.load_data()" fetches it',
    )


def _folders() -> list[Path]:
    own = os.environ.get("IMGCLS_DATA")
    keras = os.environ.get("KERAS_HOME") or "~/.keras"
    return [*([Path(own).expanduser()] if own else []), Path(keras).expanduser() / "datasets"]


def idx(folder: Path) -> dict[str, NDArray[Any]]:
    """Returns the arrays of a set in the four gzipped files of the MNIST family.

    Format: http://yann.lecun.com/exdb/mnist, the IDX file format.

    Raises:
        DataError: if a file is missing or damaged.
    """
    return {
        f"{letter}_{split}": _idx_file(folder / f"{stem}-{kind}.gz")
        for split, stem in (("train", "train"), ("test", "t10k"))
        for letter, kind in (("x", "images-idx3-ubyte"), ("y", "labels-idx1-ubyte"))
    }


def _idx_file(file: Path) -> NDArray[np.uint8]:
    try:
        data = gzip.decompress(file.read_bytes())
        # Two zeros, the type (8: uint8), the number of sides; then each side in four bytes.
        shape = np.frombuffer(data, ">u4", data[3], offset=4)
        return np.frombuffer(data, np.uint8, offset=4 + 4 * data[3]).reshape(shape)
    except (OSError, EOFError, zlib.error, ValueError, IndexError) as error:
        raise DataError(f"{shown(file)}: cannot be read: {error}") from error


def cifar10(folder: Path) -> dict[str, NDArray[Any]]:
    """Returns the arrays of the published CIFAR-10 folder."""
    return _cifar(
        folder, [f"data_batch_{number}" for number in range(1, 6)], "test_batch", b"labels"
    )


def cifar100(folder: Path) -> dict[str, NDArray[Any]]:
    """Returns the arrays of the published CIFAR-100 folder, with the fine labels."""
    return _cifar(folder, ["train"], "test", b"fine_labels")


def _cifar(folder: Path, train: list[str], test: str, key: bytes) -> dict[str, NDArray[Any]]:
    """Format: https://www.cs.toronto.edu/~kriz/cifar.html, the Python version."""
    found = {}
    for split, names in (("train", train), ("test", [test])):
        batches = [_unpickled(folder / name) for name in names]
        try:
            flat = np.concatenate([batch[b"data"] for batch in batches])
            found[f"x_{split}"] = flat.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
            found[f"y_{split}"] = np.concatenate([np.asarray(batch[key]) for batch in batches])
        except (KeyError, ValueError, TypeError) as error:
            raise DataError(f"{shown(folder)}: not as published: {error}") from error
    return found


_MULTIARRAY = {"numpy.core.multiarray", "numpy._core.multiarray"}


class _Unpickler(pickle.Unpickler):  # noqa: S301 - it looks up nothing that could run
    """Unpickles arrays, bytes, lists and dicts."""

    def find_class(self, module: str, name: str) -> Any:  # noqa: ANN401
        if (module, name) in {("numpy", "ndarray"), ("numpy", "dtype")}:
            return getattr(np, name)
        if module in _MULTIARRAY and name == "_reconstruct":
            return np.empty(0).__reduce__()[0]
        raise pickle.UnpicklingError(f"{module}.{name} has no place in a data set")


def _unpickled(file: Path) -> Any:  # noqa: ANN401
    try:
        with file.open("rb") as stream:
            return _Unpickler(stream, encoding="bytes").load()
    except (OSError, EOFError, pickle.UnpicklingError, LookupError, TypeError, ValueError) as error:
        raise DataError(f"{shown(file)}: cannot be read: {error}") from error
