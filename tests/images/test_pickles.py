"""The contents of a pickle are read, and nothing in it is executed."""

import os
import pickle
import random
import struct

import numpy as np
import pytest

from imgcls.images import pickles


def as_published(content, labels):
    """The exact opcodes in which Python 2 wrote CIFAR-10, around another array."""
    names = b"".join(b"U\x05a.pngr" + struct.pack("<I", 300 + at) for at in range(len(labels)))
    return (
        b"\x80\x02}q\x01(U\x0bbatch_labelq\x02U\x14testing batch 1 of 1q\x03U\x06labelsq\x04]q\x05("
        + b"".join(b"K" + bytes([label]) for label in labels)
        + b"eU\x04dataq\x06cnumpy.core.multiarray\n_reconstruct\nq\x07cnumpy\nndarray\nq\x08"
        b"K\x00\x85U\x01b\x87Rq\x09(K\x01"
        + b"K%cM%s\x86"
        % (len(labels), struct.pack("<H", len(content) // len(labels)))
        + b"cnumpy\ndtype\nq\x0aU\x02u1K\x00K\x01\x87Rq\x0b(K\x03U\x01|NNNJ\xff\xff\xff\xff"
        b"J\xff\xff\xff\xffK\x00tb\x89T" + struct.pack("<i", len(content)) + content + b"tb"
        b"U\x09filenamesq\x0d]q\x0e(" + names + b"eu."
    )


def test_a_batch_is_read_as_python_2_wrote_it():
    """
    The published files date from 2009, and nobody will write them again.
    """
    content = bytes(range(200)) * 6
    found = pickles.read(as_published(content, [3, 8]))

    assert [b"batch_label", b"labels", b"data", b"filenames"] == list(found)
    assert [3, 8] == found[b"labels"]
    assert (2, 600) == found[b"data"].shape
    assert content == found[b"data"].tobytes()
    assert [b"a.png", b"a.png"] == found[b"filenames"]


class Evil:
    """An object that runs code when its pickle is loaded."""

    def __reduce__(self):
        return os.mkdir, ("canary",)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("place", [lambda evil: evil, lambda evil: {b"data": evil}])
def test_a_pickle_runs_nothing(tmp_path, monkeypatch, protocol, place):
    """
    A data set from the network must not be able to run code.
    """
    monkeypatch.chdir(tmp_path)
    data = pickle.dumps(place(Evil()), protocol=protocol)

    with pytest.raises(ValueError, match="has no place in a data set"):
        pickles.read(data)
    pickle.loads(data)  # noqa: S301 - the test's own data
    assert (tmp_path / "canary").exists(), "what was refused would have been harmless"


def program(*words):
    return b"\x80\x02}(U\x04data" + b"".join(words) + b"u."


RECONSTRUCT = b"cnumpy.core.multiarray\n_reconstruct\n"
EMPTY = RECONSTRUCT + b"cnumpy\nndarray\nK\x00\x85U\x01b\x87R"
BYTES = (
    b"cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
)
HUGE = b"J\xff\xff\xff\x7f"
MINUS = b"J\xff\xff\xff\xff"
TRICKS = {
    "an array of objects": pickle.dumps({b"data": np.array([{}, None])}, protocol=3),
    "a dtype of objects": program(b"cnumpy\ndtype\nU\x01OK\x00K\x01\x87R"),
    "a dtype that is told to be of objects": program(
        EMPTY, b"(K\x01K\x01\x85cnumpy\ndtype\nU\x02O8K\x00K\x01\x87R\x89U\x08", bytes(8), b"tb"
    ),
    "another class to be reconstructed": program(
        RECONSTRUCT, b"cbuiltins\nmemoryview\nK\x00\x85U\x01b\x87R"
    ),
    "ndarray called for room": program(b"cnumpy\nndarray\n", HUGE, b"\x85\x85R"),
    "a shape larger than its bytes": program(
        EMPTY, b"(K\x01", HUGE, HUGE, HUGE, b"\x87", BYTES, b"\x89U\x01atb"
    ),
    "a shape below zero": program(EMPTY, b"(K\x01", MINUS, MINUS, b"\x86", BYTES, b"\x89U\x01atb"),
    "a shape that is no number": program(EMPTY, b"(K\x01U\x01a\x85", BYTES, b"\x89U\x01atb"),
    "bytes longer than the file": program(b"B\xff\xff\xff\xff"),
    "bytes of a length below zero": program(b"T\xff\xff\xff\xff"),
    "a place in the memo far out": program(b"Nj\xff\xff\xff\x7f"),
    "a tuple in 300,000 tuples as a key": program(b"N)", b"\x85" * 300_000, b"N"),
    "attributes set on a name": program(EMPTY, b"cnumpy\nndarray\nN}U\x01aU\x01bs\x86b"),
    "the state of a list": program(b"]N}\x86b"),
    "a persistent id": program(b"Pevil\n"),
    "an extension": program(b"\x82\x01"),
    "a list at the top": b"\x80\x02].",
    "nothing at the top": b"\x80\x02.",
    "marks that are not there": b"\x80\x02}uuue.",
    "a name without an end": b"\x80\x02cnumpy\nndarray",
    "an empty file": b"",
}


@pytest.mark.parametrize("trick", TRICKS)
def test_a_trick_is_refused(trick):
    """
    Each of these makes Python or NumPy run code, crash, or exhaust the memory.
    """
    with pytest.raises(ValueError, match=r"^(it |the word |numpy[. ])"):
        pickles.read(TRICKS[trick])


def test_a_file_of_nothing_but_lists_is_refused_before_it_fills_the_memory():
    """
    Each byte of such a file becomes a list of 56 bytes: 160 MB would take 9 GB.
    """
    with pytest.raises(ValueError, match="it has more than 500,000 words"):
        pickles.read(program(b"]" * 600_000))


def test_damage_is_an_error_or_other_content():
    """
    Whatever the bytes are, the interpreter must not crash, and errors must be clear.
    """
    whole = as_published(bytes(range(200)) * 6, [3, 8])
    numbers = random.Random(0)  # noqa: S311 - any bits will do
    refused = 0
    for _ in range(500):
        damaged = bytearray(whole)
        damaged[numbers.randrange(len(whole))] ^= 1 << numbers.randrange(8)
        try:
            pickles.read(bytes(damaged))
        except ValueError:
            refused += 1
    for end in range(len(whole)):
        with pytest.raises(ValueError, match=r"^it "):
            pickles.read(whole[:end])

    assert 0 < refused < 500
