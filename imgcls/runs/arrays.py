"""Named arrays in one uncompressed `.npz`: written alike for equal arrays, read without trust.

A reader says which arrays it expects, of which type and shape; whatever else an archive claims is
refused before memory is taken for it. There is no pickle and no compression.
"""

import math
import zipfile
from collections.abc import Mapping
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

_NO_CLOCK = (1980, 1, 1, 0, 0, 0)  # equal arrays, equal bytes
_KINDS = "biuf"  # booleans, integers, floats
_UNREADABLE = (
    *(TypeError, KeyError, AttributeError, EOFError, OSError, RuntimeError, SyntaxError),
    *(zipfile.BadZipFile, MemoryError, OverflowError),
)


def describe(array: NDArray[Any]) -> list[Any]:
    """Returns an array's type and shape as JSON has them, such as `["<f4", 3, 3]`.

    Raises:
        TypeError: if it holds anything but booleans, integers or floats.
    """
    array = np.asarray(array)
    if array.dtype.kind not in _KINDS:
        raise TypeError(f"an array of {array.dtype} cannot be saved")
    return [array.dtype.str, *array.shape]


def write_arrays(file: BinaryIO, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Writes the arrays in their order; `file` need not be seekable."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, array in arrays.items():
            member = zipfile.ZipInfo(f"{name}.npy", _NO_CLOCK)
            with archive.open(member, "w", force_zip64=True) as stream:
                whole = np.asarray(array, order="C")  # unlike ascontiguousarray, keeps 0-d
                np.lib.format.write_array(stream, whole, version=(1, 0), allow_pickle=False)


def read_arrays(file: BinaryIO, expected: Mapping[str, list[Any]]) -> dict[str, NDArray[Any]]:
    """Returns the arrays, read-only, that `describe` told of.

    Raises:
        ValueError: if the archive holds anything else.
    """
    size = file.seek(0, 2)
    try:
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
            if [member.filename for member in members] != [f"{name}.npy" for name in expected]:
                raise ValueError("its members are not the expected ones")
            if sum(member.file_size for member in members) > size:
                raise ValueError("its members are larger than itself")
            return {
                name: _read_array(archive, member, kind)
                for member, (name, kind) in zip(members, expected.items(), strict=True)
            }
    except _UNREADABLE as error:
        raise ValueError(f"it is no archive of arrays: {error}") from error


def _read_array(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, expected: list[Any]
) -> NDArray[Any]:
    if member.compress_type != zipfile.ZIP_STORED:
        raise ValueError(f"{member.filename} is compressed")
    kind, *shape = expected
    with archive.open(member) as stream:
        version = np.lib.format.read_magic(stream)
        header = stream.read(int.from_bytes(stream.read(2), "little"))
        # Compared and not parsed: NumPy's parser lets through all kinds of errors and warnings.
        if version != (1, 0) or header.rstrip() != _header(kind, shape):
            raise ValueError(f"{member.filename} is not what was expected, {kind} {shape}")
        dtype = np.dtype(kind)
        if dtype.kind not in _KINDS:
            raise ValueError(f"{member.filename} holds {dtype}, which is not read")
        size = math.prod(shape) * dtype.itemsize
        if member.file_size != stream.tell() + size:
            raise ValueError(f"{member.filename} has {member.file_size:,} bytes")
        return np.ndarray(shape, dtype, buffer=stream.read(size))


def _header(kind: str, shape: list[int]) -> bytes:
    """What version 1.0 of the format has for it, without the padding at its end."""
    return f"{{'descr': {kind!r}, 'fortran_order': False, 'shape': {tuple(shape)!r}, }}".encode()
