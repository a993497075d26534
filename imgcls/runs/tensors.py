"""Named arrays in a safetensors file: written alike for equal arrays, read without trust.

The format is the library's (https://github.com/huggingface/safetensors): eight bytes with the
length of a JSON header, the header, the arrays' bytes. The library cannot digest what it writes
or read from memory without a copy, and writes arrays that are not contiguous wrong.
"""

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

_NAMES = {
    "bool": "BOOL",
    "float16": "F16",
    "float32": "F32",
    "float64": "F64",
    **{f"int{bits}": f"I{bits}" for bits in (8, 16, 32, 64)},
    **{f"uint{bits}": f"U{bits}" for bits in (8, 16, 32, 64)},
}
_DTYPES = {name: np.dtype(dtype).newbyteorder("<") for dtype, name in _NAMES.items()}
_LENGTH = 8  # bytes of the header's length
_ALIGNMENT = 8
_LARGEST_HEADER = 16 * 2**20  # of 100,000 arrays


def write(file: BinaryIO, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Writes arrays of booleans, integers or floats; `file` need not be seekable.

    Raises:
        TypeError: if one is of another type.
    """
    header: dict[str, Any] = {}
    end = 0
    for name, array in _ordered(arrays):
        dtype = array.dtype.newbyteorder("=").name
        if dtype not in _NAMES:
            raise TypeError(f"an array of {array.dtype} cannot be saved")
        begin, end = end, end + array.nbytes
        shape = list(array.shape)
        header[name] = {"dtype": _NAMES[dtype], "shape": shape, "data_offsets": [begin, end]}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % _ALIGNMENT)
    file.write(len(text).to_bytes(_LENGTH, "little") + text)
    for _, array in _ordered(arrays):
        # Not `ascontiguousarray`, which makes one axis of none.
        whole = np.asarray(array, array.dtype.newbyteorder("<"), order="C")
        file.write(whole.reshape(-1).view(np.uint8).data)


def _ordered(arrays: Mapping[str, NDArray[Any]]) -> Iterator[tuple[str, NDArray[Any]]]:
    """Yields the widest types first, so that every array is aligned."""
    yield from sorted(arrays.items(), key=lambda each: (-each[1].dtype.itemsize, each[0]))


def read(data: bytes | bytearray) -> dict[str, NDArray[Any]]:
    """Returns the arrays of a file's bytes, without a copy.

    Raises:
        ValueError: if it is no such file. Nothing larger than the file is allocated.
    """
    length = int.from_bytes(data[:_LENGTH], "little")
    if len(data) < _LENGTH + length or length > _LARGEST_HEADER:
        raise ValueError("its header is longer than it may be")
    begin = _LENGTH + length
    try:
        header = json.loads(data[_LENGTH:begin])
        header.pop("__metadata__", None)
        arrays = {str(name): _array(data, begin, each) for name, each in header.items()}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ValueError(f"its header is not that of arrays: {error}") from error
    if begin + sum(array.nbytes for array in arrays.values()) != len(data):
        raise ValueError("it has other bytes than those of its arrays")
    return arrays


def _array(data: bytes | bytearray, begin: int, entry: Mapping[str, Any]) -> NDArray[Any]:
    dtype, shape, (first, last) = _DTYPES[entry["dtype"]], entry["shape"], entry["data_offsets"]
    sizes = [first, last, *shape]
    if not all(type(size) is int and size >= 0 for size in sizes):
        raise ValueError("a size is not a whole number")
    count = math.prod(shape)
    if last - first != count * dtype.itemsize or begin + last > len(data):
        raise ValueError("an array has other bytes than its shape")
    array = np.frombuffer(data, dtype, count, begin + first).reshape(shape)
    array.flags.writeable = False
    return array
