"""Named arrays in a safetensors file: deterministic to write, safe to read if untrusted.

The format is that of the library (https://github.com/huggingface/safetensors): eight bytes with the
length of a JSON header, the header, the bytes of the arrays. The library cannot compute a digest
while writing or read from memory without a copy, and writes non-contiguous arrays incorrectly.
"""

import json
import math
from collections.abc import Mapping
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

_NAMES = {
    "uint64": "U64",
    "int64": "I64",
    "float64": "F64",
    "float32": "F32",
    "uint32": "U32",
    "int32": "I32",
    "float16": "F16",
    "uint16": "U16",
    "int16": "I16",
    "int8": "I8",
    "uint8": "U8",
    "bool": "BOOL",
}
"""Data types by NumPy name, in the order in which the library writes them: the widest first, so
that every array is aligned."""

_ORDER = list(_NAMES)
_DTYPES = {name: np.dtype(dtype).newbyteorder("<") for dtype, name in _NAMES.items()}
_LENGTH = 8  # bytes of the header's length
_ALIGNMENT = 8
_LARGEST_HEADER = 16 * 2**20  # of 100,000 arrays
_MOST_AXES = 64  # of NumPy's arrays
_MALFORMED = (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError)


def write(file: BinaryIO, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Writes arrays of booleans, integers or floats; `file` need not be seekable.

    Raises:
        TypeError: if an array has another data type.
    """
    header: dict[str, Any] = {}
    end = 0
    ordered = _ordered(arrays)
    for name, array in ordered:
        begin, end = end, end + array.nbytes
        dtype = _NAMES[_dtype(array)]
        shape = list(array.shape)
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % _ALIGNMENT)
    file.write(len(text).to_bytes(_LENGTH, "little") + text)
    for _, array in ordered:
        # Not `ascontiguousarray`, which turns a scalar into one axis.
        whole = np.asarray(array, array.dtype.newbyteorder("<"), order="C")
        file.write(whole.reshape(-1).view(np.uint8).data)


def _ordered(arrays: Mapping[str, NDArray[Any]]) -> list[tuple[str, NDArray[Any]]]:
    """Returns the arrays in the order in which the library writes them."""
    return sorted(arrays.items(), key=lambda each: (_ORDER.index(_dtype(each[1])), each[0]))


def _dtype(array: NDArray[Any]) -> str:
    name = array.dtype.newbyteorder("=").name
    if name not in _NAMES:
        raise TypeError(f"an array of {array.dtype} cannot be saved")
    return name


def read(data: bytes | bytearray) -> dict[str, NDArray[Any]]:
    """Returns the arrays of a file's bytes, without a copy.

    Raises:
        ValueError: if it is not a valid file; no memory is allocated for sizes that it claims.
    """
    length = int.from_bytes(data[:_LENGTH], "little")
    if len(data) < _LENGTH + length or length > _LARGEST_HEADER:
        raise ValueError("its header is longer than it may be")
    begin = _LENGTH + length
    arrays, end = {}, begin
    try:
        header = json.loads(data[_LENGTH:begin].decode(), object_pairs_hook=_unique)
        header.pop("__metadata__", None)
        for name, entry in sorted(header.items(), key=lambda each: each[1]["data_offsets"]):
            arrays[name] = _array(data, begin, end, entry)
            end += arrays[name].nbytes
    except _MALFORMED as error:
        raise ValueError(f"its header is not that of arrays: {error}") from error
    if end != len(data):
        raise ValueError("it has other bytes than those of its arrays")
    return arrays


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name is there twice")
    return found


def _array(
    data: bytes | bytearray, begin: int, expected: int, entry: Mapping[str, Any]
) -> NDArray[Any]:
    dtype, shape, (first, last) = _DTYPES[entry["dtype"]], entry["shape"], entry["data_offsets"]
    if not isinstance(shape, list) or len(shape) > _MOST_AXES:
        raise ValueError("a shape is not a list of sizes")
    if not all(type(size) is int and size >= 0 for size in (first, last, *shape)):
        raise ValueError("a size is not a whole number")
    if begin + first != expected:
        raise ValueError("arrays overlap, or have a gap between them")
    count = math.prod(shape)
    if last - first != count * dtype.itemsize or begin + last > len(data):
        raise ValueError("an array has other bytes than its shape")
    array = np.frombuffer(data, dtype, count, begin + first).reshape(shape)
    array.flags.writeable = False
    return array
