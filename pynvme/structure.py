# SPDX-License-Identifier: BSD-3-Clause
"""Memory with a layout. This is the base of the classes of `pynvme.spec`.

A structure is a view of the memory of another object, such as a Buffer, bytes, a bytearray, a memoryview, or
a numpy array. Its fields are attributes. Reading an attribute reads the memory, and setting it writes to the
memory, unless that is read-only.

    ns = spec.IdentifyNamespace(buf)
    ns.nsze                          # 2097152
    ns.lbaf[0].lbads                 # 9
    ns.flbas.lbafil                  # bits by their names; ns.flbas is an int as well
    ns                               # all fields, with units and meaning; in a notebook, a table
    dict(ns), ns.to_dict()           # the second one without any classes of ours
    copy.copy(ns)                    # a structure with memory of its own; pickle makes one as well

The same holds for the bits of a word. A name that is not a field is an AttributeError, also when it is set.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from enum import IntEnum
from operator import index
from typing import TYPE_CHECKING, Any, ClassVar, Generic, NamedTuple, TypeVar, Union, cast, overload

from pynvme import near

T = TypeVar("T")
S = TypeVar("S", bound="Structure")
W = TypeVar("W", bound="Word")


class _Strict:
    """Refuses attributes that do not exist: `ns.nsez = 1` would otherwise change nothing, without a word."""

    if not TYPE_CHECKING:

        def __setattr__(self, name: str, value: object) -> None:
            if not name.startswith("_") and not hasattr(getattr(type(self), name, None), "__set__"):
                raise AttributeError(_no_attribute(self, name))
            object.__setattr__(self, name, value)

        def __getattr__(self, name: str) -> object:
            raise AttributeError(_no_attribute(self, name))

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{name} cannot be deleted: a {type(self).__name__} is a view of memory")


class Kelvin(int):
    """A temperature in Kelvin."""

    @property
    def celsius(self) -> int:
        """The same in degrees Celsius, as drives and tools round it: 313 K is 40 °C."""
        return int(self) - 273

    def __repr__(self) -> str:
        return f"{int(self)} K ({self.celsius} °C)" if self else "0 K"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return format(int(self), spec) if spec else repr(self)


class Bit:
    """Some bits of a word, as an attribute of it. It is an int, or a member of `values` if that has one."""

    def __init__(
        self,
        low: int,
        high: int,
        text: str = "",
        unit: str = "",
        zeroes_based: bool = False,
        values: type[int] | None = None,
    ) -> None:
        self.low = low
        self.mask = (1 << (high - low + 1)) - 1
        self.text = text
        self.unit = unit
        self.zeroes_based = zeroes_based
        self.values = values
        self.__doc__ = _document(f"bits {high}:{low}" if high > low else f"bit {low}", self)

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, word: None, owner: type) -> Bit: ...

    @overload
    def __get__(self, word: Word, owner: type) -> int: ...

    def __get__(self, word: Word | None, owner: type) -> Bit | int:
        if word is None:
            return self
        return _named(int(word) >> self.low & self.mask, self.values)

    def __set__(self, word: Word, value: int) -> None:
        if word._home is None:
            kind = type(word).__name__
            raise AttributeError(f"this {kind} is a number, not memory: use replace({self.name}={value!r})")
        structure, field = word._home
        now = type(word)(field.__get__(structure, type(structure)))
        field.__set__(structure, now.replace(**{self.name: value}))


class Word(_Strict, int):
    """An int with an attribute for each of its named bits.

    If it was read from a structure, setting an attribute changes the memory, but not this number.
    """

    BITS: ClassVar[dict[str, Bit]] = {}
    _home: tuple[Structure, Any] | None = None

    def __init_subclass__(cls) -> None:
        cls.BITS = {name: bit for name, bit in vars(cls).items() if isinstance(bit, Bit)}

    def replace(self: W, **bits: int) -> W:
        """A copy with other values of some bits. TypeError for unknown bits, ValueError for large values."""
        number = int(self)
        for name, value in bits.items():
            bit = self.BITS.get(name)
            if bit is None:
                raise TypeError(
                    f"{type(self).__name__} has no bits called {name}: it has {', '.join(self.BITS)}"
                )
            value = _in_range(f"{type(self).__name__}.{name}", value, bit.mask)
            number = number & ~(bit.mask << bit.low) | value << bit.low
        return type(self)(number)

    def keys(self) -> list[str]:
        """Names of the bits, so that dict(word) has the names and values."""
        return list(self.BITS)

    def __iter__(self) -> Iterator[str]:
        return iter(self.BITS)

    def __contains__(self, name: object) -> bool:
        return name in self.BITS

    def __getitem__(self, name: str) -> int:
        if name not in self.BITS:
            raise KeyError(name)
        return cast(int, getattr(self, name))

    def __reduce__(self) -> tuple[type[Word], tuple[int]]:
        """A copy is a number of its own, without the memory that this one was read from."""
        return type(self), (int(self),)

    def to_dict(self) -> dict[str, int]:
        """Names of the bits and their values as plain numbers."""
        return {name: int(getattr(self, name)) for name in self.BITS}

    def __repr__(self) -> str:
        parts = [
            name if bit.mask == 1 else f"{name}={_plain(value)}"
            for name, bit in self.BITS.items()
            if (value := getattr(self, name))
        ]
        return f"{int(self):#x} ({' '.join(parts)})" if parts else f"{int(self):#x}"

    __str__ = __repr__


class Item(Generic[T]):
    """Reads and writes one value at a place in memory. The classes below are for the kinds of values."""

    size: int

    def read(self, structure: Structure, at: int) -> T:
        raise NotImplementedError

    def write(self, view: memoryview, at: int, value: T, name: str) -> None:
        raise NotImplementedError


class Number(Item[int]):
    """A little-endian number, or a member of `values` if that has one."""

    def __init__(self, size: int, values: type[int] | None = None) -> None:
        self.size = size
        self.values = values

    def read(self, structure: Structure, at: int) -> int:
        return _named(int.from_bytes(structure._view[at : at + self.size], "little"), self.values)

    def write(self, view: memoryview, at: int, value: int, name: str) -> None:
        view[at : at + self.size] = _in_range(name, value, (1 << 8 * self.size) - 1).to_bytes(
            self.size, "little"
        )


class WordAt(Item[W]):
    """A little-endian number whose bits have names."""

    def __init__(self, size: int, kind: type[W]) -> None:
        self.size = size
        self.kind = kind

    def read(self, structure: Structure, at: int) -> W:
        return self.kind(int.from_bytes(structure._view[at : at + self.size], "little"))

    def write(self, view: memoryview, at: int, value: int, name: str) -> None:
        view[at : at + self.size] = _in_range(name, value, (1 << 8 * self.size) - 1).to_bytes(
            self.size, "little"
        )


class Text(Item[str]):
    """Characters, padded at their end with `padding`, which reading removes."""

    def __init__(self, size: int, padding: str = " ") -> None:
        self.size = size
        self.padding = padding

    def read(self, structure: Structure, at: int) -> str:
        raw = bytes(structure._view[at : at + self.size])
        return raw.decode("utf-8", "backslashreplace").rstrip(" \0")

    def write(self, view: memoryview, at: int, value: str, name: str) -> None:
        if not isinstance(value, str):
            raise TypeError(f"{name} takes a str, not {type(value).__name__}")
        raw = value.encode("utf-8")
        if len(raw) > self.size:
            raise ValueError(f"{name} takes {self.size} characters at most, not {len(raw)}: {value!r}")
        view[at : at + self.size] = raw.ljust(self.size, self.padding.encode())


class Raw(Item[bytes]):
    """Bytes as they are."""

    def __init__(self, size: int) -> None:
        self.size = size

    def read(self, structure: Structure, at: int) -> bytes:
        return bytes(structure._view[at : at + self.size])

    def write(self, view: memoryview, at: int, value: bytes, name: str) -> None:
        raw = _bytes(name, value)
        if len(raw) != self.size:
            raise ValueError(f"{name} takes {self.size} bytes, not {len(raw)}")
        view[at : at + self.size] = raw


class Nested(Item[S]):
    """Another structure in the same memory."""

    def __init__(self, kind: type[S]) -> None:
        self.size = kind.SIZE
        self.kind = kind

    def read(self, structure: Structure, at: int) -> S:
        return self.kind._at(structure._view, at, structure._end_of(at, self.kind))

    def write(self, view: memoryview, at: int, value: S, name: str) -> None:
        if not isinstance(value, self.kind) or len(value) != self.size:
            raise TypeError(
                f"{name} takes a {self.kind.__name__} of {self.size} bytes, not {type(value).__name__}"
            )
        view[at : at + self.size] = bytes(value)


class Field(Generic[T]):
    """A field of a structure, which is an attribute at byte `offset`."""

    def __init__(
        self,
        offset: int,
        item: Item[T],
        text: str = "",
        unit: str = "",
        zeroes_based: bool = False,
        hex: bool = False,
    ) -> None:
        self.offset = offset
        self.hex = hex
        self.item = item
        self.text = text
        self.unit = unit
        self.zeroes_based = zeroes_based
        self.values = getattr(item, "values", None)
        self.__doc__ = _document(_span(offset, item.size), self)

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, structure: None, owner: type) -> Field[T]: ...

    @overload
    def __get__(self, structure: Structure, owner: type) -> T: ...

    def __get__(self, structure: Structure | None, owner: type) -> Field[T] | T:
        if structure is None:
            return self
        value = self.item.read(structure, structure._start + self.offset)
        if isinstance(value, Word):
            object.__setattr__(value, "_home", (structure, self))
        return value

    def __set__(self, structure: Structure, value: T) -> None:
        name = f"{type(structure).__name__}.{self.name}"
        self.item.write(structure._writable(name), structure._start + self.offset, value, name)


class Alias:
    """Another name of a field, such as composite_temperature for ctemp."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.__doc__ = f"the same as {name}"

    def __get__(self, structure: Structure | None, owner: type) -> Any:
        return getattr(owner if structure is None else structure, self.name)

    def __set__(self, structure: Structure, value: Any) -> None:
        setattr(structure, self.name, value)


class Array(_Strict, Sequence[T]):
    """Elements of a structure, in its memory, which can be read and written by an index or a slice."""

    def __init__(self, structure: Structure, item: Item[T], places: Sequence[int], name: str) -> None:
        self._structure = structure
        self._item = item
        self._places = places
        self._name = name

    def __len__(self) -> int:
        return len(self._places)

    @overload
    def __getitem__(self, index: int) -> T: ...

    @overload
    def __getitem__(self, index: slice) -> list[T]: ...

    def __getitem__(self, index: int | slice) -> T | list[T]:
        if isinstance(index, slice):
            return [self._read(place, number) for number, place in enumerate(self._places[index])]
        return self._read(self._place(index), index)

    def _read(self, place: int, index: int) -> T:
        value = self._item.read(self._structure, place)
        if isinstance(value, Word):
            home = (self._structure, _Element(self._item, place, f"{self._name}[{index}]"))
            object.__setattr__(value, "_home", home)
        return value

    def _place(self, index: int) -> int:
        try:
            return self._places[index]
        except IndexError:
            raise IndexError(f"{self._name} has {len(self)} elements, and no index {index}") from None
        except TypeError:
            raise TypeError(f"an index of {self._name} is an int, not {type(index).__name__}") from None

    @overload
    def __setitem__(self, index: int, value: T) -> None: ...

    @overload
    def __setitem__(self, index: slice, value: Sequence[T]) -> None: ...

    def __setitem__(self, index: int | slice, value: T | Sequence[T]) -> None:
        if isinstance(index, slice):
            indices = range(len(self))[index]
            self._write(indices, cast("Sequence[T]", value), f"this slice of {self._name}")
            return
        name = f"{self._name}[{index}]"
        self._item.write(self._structure._writable(name), self._place(index), cast(T, value), name)

    def _write(self, indices: Sequence[int], values: Sequence[T], name: str) -> None:
        """Write all values, or, if one of them does not fit, none."""
        view = self._structure._writable(self._name)
        if not isinstance(values, Iterable):
            raise TypeError(f"{name} takes {len(indices)} elements, not {type(values).__name__}")
        values = list(values)
        if len(values) != len(indices):
            raise ValueError(f"{name} has {len(indices)} elements, not {len(values)}")
        scratch = memoryview(bytearray(self._item.size))
        pieces = []
        for number, value in zip(indices, values):
            self._item.write(scratch, 0, value, f"{self._name}[{number}]")
            pieces.append(bytes(scratch))
        for number, piece in zip(indices, pieces):
            place = self._places[number]
            view[place : place + len(piece)] = piece

    def __reduce__(self) -> tuple[type[list[T]], tuple[list[T]]]:
        return list, (list(self),)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"[{', '.join(_plain(value) for value in self)}]"


class _Element(Generic[T]):
    """An element of an array, as the origin of a word."""

    def __init__(self, item: Item[T], place: int, name: str) -> None:
        self.item, self.place, self.name = item, place, name

    def __get__(self, structure: Structure, owner: type) -> T:
        return self.item.read(structure, self.place)

    def __set__(self, structure: Structure, value: T) -> None:
        self.item.write(structure._writable(self.name), self.place, value, self.name)


class Elements(Generic[T]):
    """A field that is an array of `count` elements, or of as many as the memory holds if that is None.

    The value of the field `counted_by` limits their number. If the member `ends_with` of an element is 0, the
    array ends there.
    """

    def __init__(
        self,
        offset: int,
        item: Item[T],
        count: int | None,
        text: str = "",
        unit: str = "",
        counted_by: str = "",
        ends_with: str = "",
        zeroes_based: bool = False,
        hex: bool = False,
    ) -> None:
        self.offset = offset
        self.hex = hex
        self.item = item
        self.count = count
        self.text = text
        self.unit = unit
        self.counted_by = counted_by
        self.ends_with = ends_with
        self.zeroes_based = zeroes_based
        self.values = getattr(item, "values", None)
        what = f"array of {count}" if count else "array"
        self.__doc__ = _document(f"{what} from byte {offset} on, {item.size} bytes each", self)

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, structure: None, owner: type) -> Elements[T]: ...

    @overload
    def __get__(self, structure: Structure, owner: type) -> Array[T]: ...

    def __get__(self, structure: Structure | None, owner: type) -> Elements[T] | Array[T]:
        if structure is None:
            return self
        name = f"{type(structure).__name__}.{self.name}"
        return Array(structure, self.item, self._places(structure), name)

    def __set__(self, structure: Structure, value: Sequence[T]) -> None:
        array = self.__get__(structure, type(structure))
        array._write(range(len(array)), value, array._name)

    def _places(self, structure: Structure) -> Sequence[int]:
        start = structure._start + self.offset
        most = self._most(structure)
        if isinstance(self.item, Nested) and (self.item.kind.VARIES or self.ends_with):
            return list(self._walk(structure, start, most))
        room = max(0, structure._end - start) // self.item.size
        return range(start, start + min(most, room) * self.item.size, self.item.size)

    def _most(self, structure: Structure) -> int:
        """The greatest number of elements, from the field that counts them, and at most that of the array."""
        limits = [self.count] if self.count is not None else []
        if self.counted_by:
            field = getattr(type(structure), self.counted_by)
            limits.append(int(getattr(structure, self.counted_by)) + field.zeroes_based)
        return min(limits) if limits else structure._end

    def _is_cut(self, structure: Structure) -> bool:
        """Whether the memory ends before the last element that the structure tells of."""
        return (
            bool(self.counted_by)
            and self.count is None
            and len(self._places(structure)) < self._most(structure)
        )

    def _walk(self, structure: Structure, place: int, most: int) -> Iterator[int]:
        """The offsets of elements that differ in length."""
        while most > 0 and place + self.item.size <= structure._end:
            element = self.item.read(structure, place)
            assert isinstance(element, Structure)
            if self.ends_with and not getattr(element, self.ends_with):
                return
            length = element._length()
            if length < self.item.size or place + length > structure._end:
                return
            yield place
            place += length
            most -= 1


class Rest:
    """Bytes at the end of a structure, as many as the field `counted_by` tells, or all."""

    def __init__(self, offset: int, text: str = "", unit: str = "", counted_by: str = "") -> None:
        self.offset = offset
        self.text = text
        self.unit = unit
        self.counted_by = counted_by
        self.zeroes_based = False
        self.hex = False
        self.values = None
        self.__doc__ = _document(f"from byte {offset} on", self)

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, structure: None, owner: type) -> Rest: ...

    @overload
    def __get__(self, structure: Structure, owner: type) -> memoryview: ...

    def __get__(self, structure: Structure | None, owner: type) -> Rest | memoryview:
        if structure is None:
            return self
        start = structure._start + self.offset
        end = structure._end
        if self.counted_by:
            end = min(end, start + int(getattr(structure, self.counted_by)))
        return structure._view[start : max(start, end)]

    def _is_cut(self, structure: Structure) -> bool:
        """Whether the memory ends before the last byte that the structure tells of."""
        if not self.counted_by:
            return False
        return structure._start + self.offset + int(getattr(structure, self.counted_by)) > structure._end

    def __set__(self, structure: Structure, value: bytes) -> None:
        name = f"{type(structure).__name__}.{self.name}"
        structure._writable(name)
        target = self.__get__(structure, type(structure))
        raw = _bytes(name, value)
        if len(raw) != len(target):
            raise ValueError(f"{name} takes {len(target)} bytes, not {len(raw)}")
        target[:] = raw


AnyField = Union[Field[Any], Elements[Any], Rest]


class Structure(_Strict):
    """A view of memory. Subclasses have the fields. Without a buffer it allocates zeroed memory.

    offset is where it begins in the buffer, in bytes. TypeError if the buffer has no memory that can be
    viewed as bytes, ValueError if it is too short.
    """

    SIZE: ClassVar[int] = 0
    """Bytes, without an array at the end."""
    VARIES: ClassVar[bool] = False
    """Whether two instances may differ in length."""
    LENGTH: ClassVar[tuple[str | int | tuple[str, int], ...]] = ()
    """The length in bytes, as a sum of numbers and fields, or empty if the array at the end determines it.

    A field that does not count bytes comes with the bytes of its unit.
    """
    TEXT: ClassVar[str] = ""
    FIELDS: ClassVar[dict[str, AnyField]] = {}
    """All fields by name, in their order."""

    _view: memoryview
    _start: int
    _end: int

    def __init_subclass__(cls) -> None:
        cls.FIELDS = {
            name: field for name, field in vars(cls).items() if isinstance(field, (Field, Elements, Rest))
        }

    def __init__(self, buffer: Any = None, offset: int = 0) -> None:
        name = type(self).__name__
        try:
            offset = index(offset)
        except TypeError:
            raise TypeError(f"{name}: offset takes an int, not {type(offset).__name__}") from None
        if offset < 0:
            raise ValueError(f"{name}: offset is not negative, as {offset} is")
        view = _view_of(name, bytearray(offset + self.SIZE) if buffer is None else buffer)
        if len(view) - offset < self.SIZE:
            where = f" from {offset} on" if offset else ""
            raise ValueError(
                f"{name} has {self.SIZE} bytes, but the buffer has {max(0, len(view) - offset)}{where}"
            )
        self._view, self._start, self._end = view, offset, len(view)
        self._end = self._limit()

    @classmethod
    def _at(cls: type[S], view: memoryview, start: int, end: int) -> S:
        """A structure in the memory of another one."""
        new = object.__new__(cls)
        new.__dict__.update(_view=view, _start=start, _end=end)
        new._end = new._limit()
        return new

    def _limit(self) -> int:
        """Its end, from its size or its own length, or else that of the memory."""
        if self.LENGTH:
            return min(self._end, self._start + self._length())
        return self._end if self.VARIES else self._start + self.SIZE

    def _end_of(self, at: int, kind: type[Structure]) -> int:
        return self._end if kind.VARIES else at + kind.SIZE

    def _writable(self, name: str) -> memoryview:
        if self._view.readonly:
            raise TypeError(f"{name} cannot be set: the memory is read-only, as bytes are")
        return self._view

    def __len__(self) -> int:
        """Its length in bytes, including an array at its end, as far as the memory holds that."""
        return min(self._length(), self._end - self._start)

    def _length(self) -> int:
        """Its length in bytes, from its fields."""
        if self.LENGTH:
            return sum(self._part(part) for part in self.LENGTH)
        length = self.SIZE
        for field in self.FIELDS.values():
            if isinstance(field, Rest):
                length = max(length, field.offset + len(field.__get__(self, type(self))))
            elif isinstance(field, Elements) and field.count is None:
                places = field._places(self)
                if len(places):
                    last = Array(self, field.item, places, "")[-1]
                    size = len(last) if isinstance(last, Structure) else field.item.size
                    length = max(length, places[-1] + size - self._start)
        return length

    def _part(self, part: str | int | tuple[str, int]) -> int:
        """A part of the length in bytes."""
        if isinstance(part, int):
            return part
        name, unit = part if isinstance(part, tuple) else (part, 1)
        return int(getattr(self, name)) * unit

    def __bool__(self) -> bool:
        return True

    def __bytes__(self) -> bytes:
        return bytes(self._view[self._start : self._start + len(self)])

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and bytes(self) == bytes(other)

    __hash__ = None  # type: ignore[assignment]

    def __reduce__(self) -> tuple[type[Structure], tuple[bytearray]]:
        """A copy has memory of its own, which can be written to."""
        end = max(self._end, self._start + self.SIZE)  # a length field may say less
        return type(self), (bytearray(self._view[self._start : end]),)

    def keys(self) -> list[str]:
        """Names of the fields, so that dict(structure) has the names and values."""
        return list(self.FIELDS)

    def __iter__(self) -> Iterator[str]:
        return iter(self.FIELDS)

    def __contains__(self, name: object) -> bool:
        return name in self.FIELDS

    def __getitem__(self, name: str) -> Any:
        if name not in self.FIELDS:
            raise KeyError(name)
        return getattr(self, name)

    def to_dict(self) -> dict[str, Any]:
        """All fields as plain numbers, texts, bytes, lists and dicts, with words as numbers.

        JSON has no bytes: ``json.dumps(structure.to_dict(), default=bytes.hex)``.
        """
        return {name: _as_plain(getattr(self, name)) for name in self.FIELDS}

    @property
    def is_cut(self) -> bool:
        """Whether the memory ends before this structure does, by what its fields tell."""
        end = len(self._view)
        if self.LENGTH and self._start + self._length() > end:
            return True
        return any(
            field._is_cut(self) for field in self.FIELDS.values() if isinstance(field, (Elements, Rest))
        )

    def brief(self) -> str:
        """All fields in one line."""
        parts = [f"{name}={_plain(getattr(self, name))}" for name in self.FIELDS]
        return f"{type(self).__name__}({', '.join(parts)})"

    def __repr__(self) -> str:
        return "\n".join([f"{self.TEXT or type(self).__name__}, {len(self)} bytes", *self._lines("  ")])

    def _repr_html_(self) -> str:
        """The fields as a table, for a notebook."""
        from pynvme import html

        return html.table(self)

    def _lines(self, indent: str) -> Iterator[str]:
        width = max((len(name) for name in self.FIELDS), default=0)
        for name, field in self.FIELDS.items():
            value = getattr(self, name)
            yield f"{indent}{name:<{width}}  {_shown(value, field)}".rstrip()
            if isinstance(value, Structure):
                yield from value._lines(indent + "  ")
            elif isinstance(value, Array) and any(isinstance(element, Structure) for element in value[:1]):
                for index, element in enumerate(value):
                    if any(bytes(element)):
                        yield f"{indent}  {name}[{index}]"
                        yield from element._lines(indent + "    ")


class Feature(NamedTuple):
    """A feature, with its data and its word, which is in dword `dword`, and in dword 0 of the completion.

    If `namespace` is true, the feature belongs to a namespace, and its commands name one.
    """

    word: type[Word] | None
    data: type[Structure] | None
    dword: int
    namespace: bool = False


# ---- values as text ----


def _named(number: int, values: type[int] | None) -> int:
    if values is None:
        return number
    try:
        return values(number)
    except ValueError:
        return number


def _in_range(name: str, value: Any, most: int) -> int:
    try:
        number = index(value)
    except TypeError:
        raise TypeError(f"{name} takes an int, not {type(value).__name__}") from None
    if not 0 <= number <= most:
        raise ValueError(f"{name} takes 0 to {most:#x}, not {number:#x}")
    return number


def _bytes(name: str, value: Any) -> bytes:
    """The bytes of a value. bytes() alone makes zeros of an int."""
    try:
        return bytes(memoryview(value)) if not isinstance(value, (list, tuple)) else bytes(value)
    except (TypeError, ValueError):
        raise TypeError(f"{name} takes bytes, not {type(value).__name__}") from None


def _view_of(name: str, buffer: Any) -> memoryview:
    try:
        view = memoryview(buffer)
    except TypeError:
        kind = type(buffer).__name__
        raise TypeError(f"{name} is a view of a Buffer, bytes or other memory, not of {kind}") from None
    if not view.c_contiguous:
        raise TypeError(f"{name} is a view of contiguous memory, which this {type(buffer).__name__} is not")
    return view.cast("B")


def _no_attribute(owner: object, name: str) -> str:
    """The text of an AttributeError, with the most similar name."""
    kind = type(owner)
    known = [one for one in dir(kind) if not one.startswith("_")]
    return f"{kind.__name__} has no attribute {name}{near.hint(name, known)}"


def _span(offset: int, size: int) -> str:
    return f"bytes {offset + size - 1}:{offset}" if size > 1 else f"byte {offset}"


def _document(where: str, field: Any) -> str:
    """The docstring of a field, for help()."""
    notes = [field.text, field.unit and f"in {field.unit}", "0's based" if field.zeroes_based else ""]
    text = ", ".join(part for part in notes if part)
    return f"{text} ({where})" if text else where


def _plain(value: object) -> str:
    if isinstance(value, IntEnum):
        return f"{value.name}({int(value)})"
    if isinstance(value, Word):
        return f"{int(value):#x}"
    if isinstance(value, memoryview):
        return f"<{len(value)} bytes>"
    if isinstance(value, bytes):
        return value.hex() if len(value) <= 16 else f"<{len(value)} bytes>"
    if isinstance(value, Array) and len(value) > 16:
        return f"<{len(value)} elements>"
    if isinstance(value, Structure):
        return value.brief()
    return repr(value)


def _as_plain(value: Any) -> Any:
    if isinstance(value, Structure):
        return value.to_dict()
    if isinstance(value, Array):
        return [_as_plain(element) for element in value]
    if isinstance(value, memoryview):
        return bytes(value)
    return int(value) if isinstance(value, int) else value


def _shown(value: object, field: AnyField) -> str:
    """A value with its unit and meaning, for one line."""
    note = ", ".join(part for part in (field.text, "0's based" if field.zeroes_based else "") if part)
    if isinstance(value, Structure):
        return note
    if isinstance(value, Array):
        elements = [] if any(isinstance(element, Structure) for element in value[:1]) else list(value)
        shown = f"{len(value)} of {note}"
        return shown + _set_elements(elements, field.hex)
    text = shown_value(value, field.unit, field.hex)
    return f"{text:<24}  {note}" if note else text


def shown_value(value: object, unit: str = "", as_hex: bool = False) -> str:
    """A value with its unit, or in hexadecimal digits."""
    if as_hex and isinstance(value, int):
        return f"{value:#x}"
    text = str(value) if isinstance(value, (str, Word)) else _plain(value)
    return f"{text} {unit}" if unit and not isinstance(value, Kelvin) else text


def _set_elements(elements: list[object], as_hex: bool) -> str:
    """The elements that are not 0, by their index."""
    found = [
        f"[{index}] {shown_value(element, '', as_hex)}" for index, element in enumerate(elements) if element
    ]
    return ": " + ", ".join(found) if found else ""


__all__ = [
    "Alias",
    "Array",
    "Bit",
    "Elements",
    "Feature",
    "Field",
    "Kelvin",
    "Nested",
    "Number",
    "Raw",
    "Rest",
    "Structure",
    "Text",
    "Word",
    "WordAt",
]
