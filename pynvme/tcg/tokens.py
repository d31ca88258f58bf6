# SPDX-License-Identifier: BSD-3-Clause
"""Streams of tokens (Core 3.2.2): Python values become tokens, and tokens become Python values."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import NamedTuple, Union

__all__ = ["Named", "Token", "Value", "decode", "encode"]


class Token(IntEnum):
    """Control tokens."""

    START_LIST = 0xF0
    END_LIST = 0xF1
    START_NAME = 0xF2
    END_NAME = 0xF3
    CALL = 0xF8
    END_OF_DATA = 0xF9
    END_OF_SESSION = 0xFA
    START_TRANSACTION = 0xFB
    END_TRANSACTION = 0xFC
    EMPTY_ATOM = 0xFF


class Named(NamedTuple):
    """A named value, such as a column and its value, or an optional parameter."""

    name: int | bytes
    value: Value


Value = Union[int, bytes, Token, Named, "Sequence[Value]"]

_TINY_END = 0x40
_SHORT_END = 16
_MEDIUM_END = 2048


def encode(*values: Value) -> bytes:
    """Encode values: a :class:`Token`, an int from 0 to 2^64 - 1, a bool, bytes, a :class:`Named`, or a list.

    Raises ValueError for a negative or larger int, and TypeError for a value of another type.

    >>> encode([1, b"ab", Named(3, True)]).hex()
    'f001a26162f20301f3f1'
    """
    return b"".join(_encode(value) for value in values)


def _encode(value: Value) -> bytes:
    if isinstance(value, Token):
        return bytes([value])
    if isinstance(value, int):
        return _encode_int(int(value))
    if isinstance(value, (bytes, bytearray, memoryview)):
        return _encode_bytes(bytes(value))
    if isinstance(value, Named):
        return encode(Token.START_NAME, value.name, value.value, Token.END_NAME)
    if isinstance(value, (list, tuple)):
        return encode(Token.START_LIST, *value, Token.END_LIST)
    raise TypeError(
        f"a token is an int, bytes, a Token, a Named or a list, not {type(value).__name__}: {value!r}"
    )


def _encode_int(value: int) -> bytes:
    if not 0 <= value < 1 << 64:
        raise ValueError(f"an integer atom is from 0 to 2^64 - 1, not {value}")
    if value < _TINY_END:
        return bytes([value])
    size = next(size for size in (1, 2, 4, 8) if value < 1 << 8 * size)
    return bytes([0x80 | size]) + value.to_bytes(size, "big")


def _encode_bytes(value: bytes) -> bytes:
    size = len(value)
    if size < _SHORT_END:
        return bytes([0xA0 | size]) + value
    if size < _MEDIUM_END:
        return (0xD000 | size).to_bytes(2, "big") + value
    if size < 1 << 24:
        return (0xE2000000 | size).to_bytes(4, "big") + value
    raise ValueError(f"an atom has less than 2^24 bytes, not {size}")


def decode(data: bytes) -> list[Value]:
    """Decode a stream: ints, bytes, :class:`Named`, lists, and a :class:`Token` for each other control token.

    Raises ValueError if the stream is malformed; the text names the byte.

    >>> decode(bytes.fromhex("f001a26162f20301f3f1"))
    [[1, b'ab', Named(name=3, value=1)]]
    """
    reader = _Reader(bytes(data))
    values = []
    while not reader.at_end:
        values.append(reader.value())
    return values


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0
        self._skip_empty()

    @property
    def at_end(self) -> bool:
        return self.at >= len(self.data)

    def _skip_empty(self) -> None:
        while self.at < len(self.data) and self.data[self.at] == Token.EMPTY_ATOM:
            self.at += 1

    def _take(self, count: int) -> bytes:
        piece = self.data[self.at : self.at + count]
        if len(piece) < count:
            raise ValueError(f"the stream ends within the token at byte {self.at}")
        self.at += count
        return piece

    def value(self, depth: int = 0) -> Value:
        """The next value, with all that it contains."""
        if self.at_end:
            raise ValueError("the stream ends within a list or a named value")
        if depth > 32:
            raise ValueError(f"lists are nested more than 32 deep at byte {self.at}")
        first = self.data[self.at]
        value = self._control(depth) if first >= Token.START_LIST else self._atom(first)
        self._skip_empty()
        return value

    def _control(self, depth: int) -> Value:
        place = self.at
        try:
            token = Token(self._take(1)[0])
        except ValueError:
            raise ValueError(f"byte {place} is the reserved token {self.data[place]:02X}h") from None
        self._skip_empty()
        if token == Token.START_LIST:
            return self._list(depth)
        if token == Token.START_NAME:
            name, value = self.value(depth + 1), self.value(depth + 1)
            if not isinstance(name, (int, bytes)) or self.at_end or self._take(1)[0] != Token.END_NAME:
                raise ValueError(f"the named value at byte {place} is not a name and one value")
            return Named(name, value)
        return token

    def _list(self, depth: int) -> list[Value]:
        values: list[Value] = []
        while self.at_end or self.data[self.at] != Token.END_LIST:
            values.append(self.value(depth + 1))
        self._take(1)
        return values

    def _atom(self, first: int) -> Value:
        if first < 0x80:
            self._take(1)
            return first - 0x80 if first & 0x40 and first & 0x20 else first & 0x3F
        if first < 0xC0:
            self._take(1)
            return self._content(bool(first & 0x20), bool(first & 0x10), first & 0x0F)
        if first < 0xE0:
            head = self._take(2)
            return self._content(bool(first & 0x10), bool(first & 0x08), (head[0] & 7) << 8 | head[1])
        if first < 0xE4:
            head = self._take(4)
            return self._content(bool(first & 2), bool(first & 1), int.from_bytes(head[1:], "big"))
        raise ValueError(f"byte {self.at} is the reserved token {first:02X}h")

    def _content(self, is_bytes: bool, is_signed: bool, size: int) -> Value:
        content = self._take(size)
        return content if is_bytes else int.from_bytes(content, "big", signed=is_signed)
