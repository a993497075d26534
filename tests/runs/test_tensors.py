"""Arrays in a safetensors file: bit for bit, as the library writes them, and read without trust."""

import io
import json
import os
import random
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of

from imgcls.runs import tensors

TYPES = ["bool", "float16", "float32", "float64"]
TYPES += [f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)]

_views = st.sampled_from(
    [
        lambda array: array,
        lambda array: array.T,
        lambda array: array[::-1] if array.ndim else array,
        lambda array: array[..., ::2] if array.ndim else array,
        lambda array: np.broadcast_to(array, (2, *array.shape)),
        lambda array: array.astype(array.dtype.newbyteorder(">")),
    ]
)
_arrays = st.builds(
    lambda array, view: view(array),
    st.sampled_from(TYPES).flatmap(
        # Any bits, and so every kind of NaN.
        lambda kind: arrays_of.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4).flatmap(
            lambda shape: st.integers(0, 2**32).map(lambda seed: _any_bits(kind, shape, seed))
        )
    ),
    _views,
)
_named = st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=9), _arrays, max_size=5)


def _any_bits(kind, shape, seed):
    dtype, rng = np.dtype(kind), np.random.default_rng(seed)
    if kind == "bool":
        return rng.integers(0, 2, shape).astype(bool)
    size = int(np.prod(shape, dtype=int)) * dtype.itemsize
    return np.frombuffer(rng.bytes(size), dtype).reshape(shape)


def written(arrays):
    file = io.BytesIO()
    tensors.write(file, arrays)
    return file.getvalue()


def plain(array):
    """Returns the array as the library needs it: contiguous, in this machine's byte order."""
    return np.array(array, array.dtype.newbyteorder("="), order="C")


def bits(arrays):
    return {name: (each.dtype.name, each.shape, each.tobytes()) for name, each in arrays.items()}


@settings(max_examples=300)
@given(_named)
def test_arrays_come_back_bit_for_bit(arrays):
    """
    A bit-identical resume needs scalars, views and NaNs to be restored exactly.
    """
    expected = {name: plain(array) for name, array in arrays.items()}
    back = tensors.read(written(arrays))

    assert bits(expected) == bits(back)
    assert not any(array.flags.writeable for array in back.values())


@settings(max_examples=300)
@given(_named, st.randoms())
def test_a_file_is_byte_for_byte_what_the_library_writes_in_whatever_order(arrays, dice):
    """
    Equal runs must have equal files, and the safetensors library must be able to read them.
    """
    names = list(arrays)
    dice.shuffle(names)
    data = written({name: arrays[name] for name in names})
    expected = {name: plain(array) for name, array in arrays.items()}

    assert safetensors.numpy.save(expected) == data
    assert bits(expected) == bits(safetensors.numpy.load(data))


def test_a_file_of_the_library_with_metadata_is_read():
    """
    Other tools store in the metadata which framework wrote the weights.
    """
    arrays = {"a": np.arange(3.0), "b": np.array(7, np.int32)}
    data = safetensors.numpy.save(arrays, {"format": "pt"})

    assert bits(arrays) == bits(tensors.read(data))


def test_a_file_is_written_without_a_copy_of_its_arrays_and_read_with_none():
    """
    It must be possible to save and use a network that fills half of the memory.
    """
    arrays = {"a": np.zeros(2**20, np.float32), "b": np.zeros((2**10, 2**10), np.float32)}

    tracemalloc.start()
    try:
        with Path(os.devnull).open("wb") as nowhere:
            tensors.write(nowhere, arrays)
        writing = tracemalloc.get_traced_memory()[1]
        data = written(arrays)
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        back = tensors.read(data)
        reading = tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()

    assert writing < 2**16
    assert reading < 2**16
    assert all(np.shares_memory(np.frombuffer(data, np.uint8), each) for each in back.values())


@pytest.mark.parametrize("array", [np.array([{}]), np.array(["a"]), np.array([1j])])
def test_what_has_no_name_in_the_format_is_not_written(array):
    """
    Objects would need pickle, and what cannot be restored must not be saved.
    """
    file = io.BytesIO()
    with pytest.raises(TypeError, match=r"an array of .* cannot be saved"):
        tensors.write(file, {"a": array})

    assert b"" == file.getvalue()


def _file(header, body=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + body


def _entry(shape, offsets, dtype="F32"):
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets}


_TWO = {"a": _entry([2], [0, 8]), "b": _entry([2], [8, 16])}
_ONE = json.dumps(_entry([1], [0, 4])).encode()
_HOSTILE = {
    "nothing": b"",
    "no length": b"\x08\0\0",
    "no header": bytes(8),
    "a header that ends too early": _file(_TWO)[:-1],
    "a header of exabytes": b"\xff" * 8 + _file(_TWO)[8:],
    "a header that is too long": _file(json.dumps(_TWO).encode() + b" " * 2**24, bytes(16)),
    "one byte less": _file(_TWO, bytes(15)),
    "one byte more": _file(_TWO, bytes(17)),
    "all of it twice": _file({**_TWO, "b": _entry([2], [0, 8])}, bytes(16)),
    "an overlap": _file({**_TWO, "b": _entry([2], [4, 12])}, bytes(16)),
    "an overlap of the right size": _file(
        {"a": _entry([2], [0, 8]), "b": _entry([2], [4, 12]), "c": _entry([1], [16, 20])}, bytes(20)
    ),
    "a hole": _file({**_TWO, "b": _entry([2], [12, 20])}, bytes(20)),
    "a hole at the beginning": _file({"a": _entry([2], [4, 12])}, bytes(12)),
    "nothing inside another": _file({"a": _entry([1], [0, 4]), "b": _entry([0], [2, 2])}, bytes(4)),
    "the header as an array": _file({"a": _entry([2], [-8, 0])}),
    "backwards": _file({"a": _entry([2], [8, 0])}, bytes(8)),
    "less than nothing": _file({"a": _entry([-1, -2], [0, 8])}, bytes(8)),
    "a billion": _file({"a": _entry([10**9], [0, 4 * 10**9])}, bytes(16)),
    "a billion in eight bytes": _file({"a": _entry([10**9], [0, 8])}, bytes(8)),
    "no bytes of much": _file({"a": _entry([0, 10**30], [0, 0])}),
    "many axes": _file({"a": _entry([1] * 65, [0, 4])}, bytes(4)),
    "a hundred thousand axes": _file({"a": _entry([9] * 10**5, [0, 4])}, bytes(4)),
    "fractions": _file({"a": _entry([2.0], [0, 8])}, bytes(8)),
    "truths": _file({"a": _entry([True], [0, 4])}, bytes(4)),
    "words": _file({"a": _entry("2", [0, 8])}, bytes(8)),
    "a shape without a list": _file({"a": _entry("", [0, 4])}, bytes(4)),
    "three offsets": _file({"a": _entry([2], [0, 8, 8])}, bytes(8)),
    "offsets of two kinds": _file({**_TWO, "b": _entry([2], ["8", 16])}, bytes(16)),
    "objects": _file({"a": _entry([1], [0, 8], "|O")}, bytes(8)),
    "a type of the library that NumPy lacks": _file({"a": _entry([2], [0, 4], "BF16")}, bytes(4)),
    "a list of types": _file({"a": _entry([2], [0, 8], ["F32"])}, bytes(8)),
    "no type": _file({"a": {"shape": [1], "data_offsets": [0, 4]}}, bytes(4)),
    "a name twice": _file(b'{"a":%s,"a":%s}' % (_ONE, _ONE), bytes(4)),
    "a type twice": _file(b'{"a":%s}' % _ONE.replace(b"{", b'{"dtype":"I32",'), bytes(4)),
    "a list": _file([_entry([1], [0, 4])], bytes(4)),
    "a number": _file(b"7"),
    "an entry that is none": _file({"a": 7}),
    "no JSON": _file(b"{'a': 1}"),
    "code": _file(b"__import__('os').abort()"),
    "no UTF-8": _file(b'{"\xff":%s}' % _ONE, bytes(4)),
    "UTF-16": _file(json.dumps(_TWO).encode("utf-16"), bytes(16)),
    "deep brackets": _file(b"[" * 100_000),
    "deep objects": _file(b'{"a":' * 100_000),
    "a number of 5,000 digits": _file(b'{"a":%s}' % _ONE.replace(b"[1]", b"[%s]" % (b"9" * 5000))),
}


@pytest.mark.parametrize("case", _HOSTILE)
def test_a_file_that_was_made_to_deceive_is_a_value_error_without_memory(case):
    """
    A run folder may come from a stranger: it must neither run code, nor fill the memory, nor make
    two arrays share the same bytes.
    """
    data = _HOSTILE[case]
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=r"header|other bytes"):
            tensors.read(data)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert peak < 2**20 + 8 * min(len(data), 2**20)


def test_the_files_above_are_rejected_for_what_is_wrong_with_them():
    """
    If valid files were rejected too, the table would prove nothing.
    """
    assert ["a", "b"] == list(tensors.read(_file(_TWO, bytes(16))))
    assert ["a"] == list(tensors.read(_file(b'{"a":%s}' % _ONE, bytes(4))))


@pytest.mark.parametrize("entry", [b"0", b"[]", b"{}", json.dumps(_entry([9], [0, 0])).encode()])
def test_a_huge_number_of_entries_takes_no_more_than_its_text_justifies(entry):
    """
    The header's length is bounded; so must be the memory that each of its bytes can cost.
    """
    text = b"{%s}" % b",".join(b'"%x":%s' % (number, entry) for number in range(50_000))
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match="header"):
            tensors.read(_file(text))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert peak < 32 * len(text)


def test_of_a_thousand_damaged_files_each_is_a_value_error_or_has_equal_data():
    """
    Any damage must give a ValueError, never an array that is not made of the file's own bytes.
    """
    arrays = {"a": np.arange(20.0), "b": np.array(3), "c": np.arange(6, dtype=np.int16)}
    data = written(arrays)
    begin = 8 + int.from_bytes(data[:8], "little")
    dice = random.Random(0)  # noqa: S311 - no secret
    rejected = 0
    for _ in range(1000):
        changed = bytearray(data)
        for _ in range(dice.choice((1, 1, 4))):
            changed[dice.randrange(begin)] ^= 1 << dice.randrange(8)
        changed = changed[: dice.choice((len(data), len(data), dice.randrange(len(data))))]
        try:
            found = tensors.read(changed)
        except ValueError:
            rejected += 1
        else:
            assert data[begin:] == b"".join(each.tobytes() for each in found.values())

    assert rejected > 500
