"""Reads published pickles without unpickling them, because unpickling may run any code.

Only the opcodes of protocols 2 and 3 that make dicts, lists, tuples, integers, bytes and arrays of
bytes are supported. Nothing is imported or called, whatever names are in the file: the names that
an array needs are compared, and any other name is rejected.

Format: https://github.com/python/cpython/blob/main/Lib/pickletools.py
"""

import math
import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

_MOST_WORDS = 500_000  # CIFAR-100 has 0.2 million; an opcode of 1 byte can need 60 in memory

_NUMBERS = {b"K": "<B", b"M": "<H", b"J": "<i"}
_SIZES = {b"U": "<B", b"T": "<i", b"C": "<B", b"B": "<I", b"X": "<I"}  # number of bytes that follow
_CONSTANTS = {b"N": None, b"\x88": True, b"\x89": False}
_EMPTY: dict[bytes, type] = {b"}": dict, b"]": list, b")": tuple}
_TUPLES = {b"\x85": 1, b"\x86": 2, b"\x87": 3}
_PUTS = {b"q": "<B", b"r": "<I"}
_GETS = {b"h": "<B", b"j": "<I"}

_ARRAY = b"numpy ndarray"
_DTYPE = b"numpy dtype"
_EMPTY_ARRAY = {
    b"numpy.core.multiarray _reconstruct",
    b"numpy._core.multiarray _reconstruct",
}


class _Name:
    """The name of a Python object in the file; it is compared, but never looked up."""

    def __init__(self, text: bytes) -> None:
        self.text = text


class _Dtype:
    """The data type of an array; always uint8, the only one supported."""


class _Array:
    """An array, which is empty until its content has been read."""

    content: NDArray[np.uint8] | None = None


def read(data: bytes) -> dict[bytes, Any]:
    """Returns the dict in a pickle; arrays are uint8.

    Raises:
        ValueError: if the pickle contains anything else or is damaged.
    """
    try:
        found = _Program(data).run()
    except (IndexError, KeyError, TypeError, struct.error) as error:
        raise ValueError("it is damaged") from error
    if type(found) is not dict:
        raise ValueError("it is no dict")
    return {key: each.content if isinstance(each, _Array) else each for key, each in found.items()}


class _Program:
    """Interprets a pickle, one opcode at a time."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0
        self._stack: list[Any] = []
        self._marks: list[int] = []
        self._memo: dict[int, Any] = {}

    def run(self) -> object:
        """Returns the object that the pickle contains."""
        for _ in range(_MOST_WORDS):
            word = self._take(1)
            if word == b".":
                return self._stack.pop()
            if not self._value(word):
                self._action(word)
        raise ValueError(f"it has more than {_MOST_WORDS:,} words")

    def _value(self, word: bytes) -> bool:
        """Handles an opcode that pushes a value onto the stack; returns False for other opcodes."""
        if word in _NUMBERS:
            self._stack.append(self._number(_NUMBERS[word]))
        elif word in _SIZES:
            self._stack.append(self._take(self._number(_SIZES[word])))
        elif word in _CONSTANTS:
            self._stack.append(_CONSTANTS[word])
        elif word in _EMPTY:
            self._stack.append(_EMPTY[word]())
        elif word in _GETS:
            self._stack.append(self._memo[self._number(_GETS[word])])
        elif word == b"c":
            self._stack.append(_Name(self._line() + b" " + self._line()))
        else:
            return False
        return True

    def _action(self, word: bytes) -> None:
        """Handles an opcode that changes the stack or the memo."""
        stack = self._stack
        match word:
            case b"\x80":
                self._take(1)
            case b"(":
                self._marks.append(len(stack))
            case b"q" | b"r":
                self._memo[self._number(_PUTS[word])] = stack[-1]
            case b"t":
                stack.append(tuple(self._above(self._marks.pop())))
            case b"\x85" | b"\x86" | b"\x87":
                stack.append(tuple(self._above(len(stack) - _TUPLES[word])))
            case b"a" | b"e":
                _extend(*self._target(1, all_above=word == b"e"))
            case b"s" | b"u":
                _update(*self._target(2, all_above=word == b"u"))
            case b"R":
                name, arguments = self._above(len(stack) - 2)
                stack.append(_made(name, arguments))
            case b"b":
                state = stack.pop()
                _fill(stack[-1], state)
            case _:
                raise ValueError(f"the word {word!r} has no place in a data set")

    def _target(self, count: int, *, all_above: bool) -> tuple[Any, list[Any]]:
        """Returns the list or dict below the values on top of the stack, and the values."""
        values = self._above(self._marks.pop() if all_above else len(self._stack) - count)
        return self._stack[-1], values

    def _above(self, at: int) -> list[Any]:
        """Removes the items of the stack from a position on and returns them."""
        if not 0 <= at <= len(self._stack):
            raise IndexError
        values = self._stack[at:]
        del self._stack[at:]
        return values

    def _take(self, count: int) -> bytes:
        if not 0 <= count <= len(self._data) - self._at:
            raise ValueError("it ends too early")
        self._at += count
        return self._data[self._at - count : self._at]

    def _number(self, kind: str) -> int:
        return int(struct.unpack(kind, self._take(struct.calcsize(kind)))[0])

    def _line(self) -> bytes:
        line = self._take(self._data.find(b"\n", self._at) - self._at)
        self._take(1)
        return line


def _extend(target: object, values: list[Any]) -> None:
    if type(target) is not list:
        raise TypeError
    target.extend(values)


def _update(target: object, values: list[Any]) -> None:
    keys = values[::2]
    # Only bytes: hashing a million nested tuples would crash the interpreter.
    if type(target) is not dict or len(values) % 2 or any(type(key) is not bytes for key in keys):
        raise TypeError
    target.update(zip(keys, values[1::2], strict=True))


def _made(name: object, arguments: object) -> _Array | _Dtype:
    """Returns the object that represents the result of a call in the file."""
    called = name.text if isinstance(name, _Name) else b""
    if not isinstance(arguments, tuple) or not arguments:
        raise TypeError
    if called in _EMPTY_ARRAY and isinstance(arguments[0], _Name) and arguments[0].text == _ARRAY:
        return _Array()
    if called == _DTYPE:
        if arguments[0] != b"u1":
            raise ValueError("it has an array of something else than bytes")
        return _Dtype()
    raise ValueError(f"{called.decode('ascii', 'backslashreplace')} has no place in a data set")


def _fill(target: object, state: object) -> None:
    """Sets the content of an array; the state of a dtype is ignored."""
    if isinstance(target, _Dtype):
        return
    if not isinstance(target, _Array) or not isinstance(state, tuple):
        raise TypeError
    _, shape, kind, by_columns, content = state
    sides = [side for side in shape if type(side) is int and side >= 0]
    if len(sides) != len(shape) or not isinstance(kind, _Dtype) or type(content) is not bytes:
        raise TypeError
    if by_columns or math.prod(sides) != len(content):
        raise ValueError("it has an array that is not as large as it says")
    target.content = np.frombuffer(content, np.uint8).reshape(sides)
