"""Arrays in an archive: bit for bit, and nothing but what was expected."""

import io
import random
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of
from imgcls.runs.arrays import describe, read_arrays, write_arrays

_types = st.sampled_from(["bool", "int8", "uint8", "int32", "uint32", "int64", "uint64"]) | (
    st.sampled_from(["float16", "float32", "float64", ">f4"])
)


def written(arrays):
    file = io.BytesIO()
    write_arrays(file, arrays)
    return file


def kinds(arrays):
    return {name: describe(array) for name, array in arrays.items()}


@settings(max_examples=50)
@given(
    st.dictionaries(
        st.from_regex(r"[a-z0-9_./]{1,20}", fullmatch=True).filter(lambda name: name != "."),
        _types.flatmap(lambda kind: arrays_of.arrays(kind, arrays_of.array_shapes(min_dims=0))),
        max_size=4,
    )
)
def test_arrays_come_back_bit_for_bit_and_in_order(arrays):
    """
    An exact resume begins here: scalars stay scalars, and a nan keeps its bits.
    """
    back = read_arrays(written(arrays), kinds(arrays))

    assert list(arrays) == list(back)
    for name, array in arrays.items():
        assert (array.dtype, array.shape) == (back[name].dtype, back[name].shape)
        assert array.tobytes() == back[name].tobytes()


def test_views_and_empty_arrays_come_back():
    """
    A transposed kernel is not contiguous, and a metric's list may be empty.
    """
    arrays = {"turned": np.arange(6.0).reshape(2, 3).T, "none": np.zeros((0, 4), np.int32)}
    back = read_arrays(written(arrays), kinds(arrays))

    assert arrays["turned"].tolist() == back["turned"].tolist()
    assert (0, 4) == back["none"].shape


def test_equal_arrays_are_written_with_equal_bytes():
    """
    Two runs can be compared by their files; no clock stands in them.
    """
    arrays = {"a": np.arange(5)}

    assert written(arrays).getvalue() == written(arrays).getvalue()


def test_objects_are_not_written():
    """
    They would need pickle.
    """
    with pytest.raises(TypeError, match="an array of object cannot be saved"):
        describe(np.array([{}]))


def _npy(array, **how):
    file = io.BytesIO()
    np.lib.format.write_array(file, array, **how)
    return file.getvalue()


def _npz(*members, how=zipfile.ZIP_STORED):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", how) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return file


_good = _npy(np.zeros(8, np.float32))
_huge = _npy(np.zeros(0, np.float32)).replace(b"(0,), }" + b" " * 12, b"(1000000000000,), }")


@pytest.mark.parametrize(
    ("archive", "message"),
    [
        (_npz(("a.npy", _npy(np.array([{}] * 8)))), "not what was expected"),
        (_npz(("a.npy", _good), how=zipfile.ZIP_DEFLATED), "a.npy is compressed"),
        (_npz(("a.npy", _good), ("b.npy", _good)), "members are not the expected"),
        (_npz(("../a.npy", _good)), "members are not the expected"),
        (_npz(), "members are not the expected"),
        (_npz(("a.npy", _npy(np.zeros(9, np.float32)))), "not what was expected"),
        (_npz(("a.npy", _npy(np.zeros(8, np.int32)))), "not what was expected"),
        (_npz(("a.npy", _good + b"more")), "a.npy has 164 bytes"),
        (_npz(("a.npy", _good[:-1])), "a.npy has 159 bytes"),
        (_npz(("a.npy", b"no array")), "magic string is not correct"),
        (io.BytesIO(b"no archive"), "it is no archive of arrays"),
    ],
)
def test_anything_else_in_an_archive_is_refused(archive, message):
    """
    A run folder may come from a stranger; none of this is read, let alone unpickled.
    """
    with pytest.raises(ValueError, match=message):
        read_arrays(archive, {"a": ["<f4", 8]})


def test_a_header_that_claims_terabytes_takes_no_memory():
    """
    A header of a few bytes must not be able to end the process, whoever wrote the manifest.
    """
    assert b"1000000000000" in _huge
    with pytest.raises(ValueError, match=r"a.npy has 128 bytes"):
        read_arrays(_npz(("a.npy", _huge)), {"a": ["<f4", 10**12]})
    lying = io.BytesIO()
    with zipfile.ZipFile(lying, "w") as archive:
        archive.writestr("a.npy", _huge)
        archive.filelist[0].file_size = archive.filelist[0].compress_size = 128 + 4 * 10**12
    with pytest.raises(ValueError, match="its members are larger than itself"):
        read_arrays(lying, {"a": ["<f4", 10**12]})


def test_a_damaged_archive_is_a_value_error_whatever_is_damaged():
    """
    The reader of an archive meets all kinds of nonsense, and has one answer to it.
    """
    arrays = {"a": np.arange(20.0), "b": np.int64(3)}
    data = written(arrays).getvalue()
    dice = random.Random(0)  # noqa: S311 - no secret
    refused = 0
    for _ in range(1000):
        changed = bytearray(data)
        for _ in range(dice.choice((1, 1, 4))):
            changed[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
        try:
            read_arrays(io.BytesIO(changed), kinds(arrays))
        except ValueError:
            refused += 1

    assert refused > 500
