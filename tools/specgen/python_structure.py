# SPDX-License-Identifier: BSD-3-Clause
"""Generates Python classes from structures, words and tables, on top of pynvme/structure.py."""

from __future__ import annotations

from collections.abc import Iterator

from spec.schema import Bits, Enum, Feature, Field, Structure, Table, Word


def quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def class_name(field: str) -> str:
    """The class of a field's bits, which is Flbas for `flbas`, and EpfrFqvTs for `epfr_fqv_ts`."""
    return "".join(part.capitalize() for part in field.split("_"))


def sentence(text: str, section: str) -> str:
    """A line of a docstring, with the text and its section."""
    where = f" Section {section}." if section else ""
    return f"{text.rstrip('.')}.{where}"


def arguments(entry: Field | Bits) -> str:
    """The arguments after the position of a field or of bits, which are its text, unit and convention."""
    parts = []
    if entry.text or entry.unit:
        parts.append(quoted(entry.text))
    if entry.unit:
        parts.append(quoted(entry.unit))
    if entry.zeroes_based:
        parts.append("zeroes_based=True")
    if isinstance(entry, Field) and entry.hex:
        parts.append("hex=True")
    return "".join(f", {part}" for part in parts)


def values_of(entry: Field | Bits) -> str:
    """The class of a value, or nothing for a plain number."""
    if entry.values:
        return entry.values.name
    return "Kelvin" if entry.unit == "Kelvin" else ""


# ---- bits ----


def bit(bits: Bits) -> str:
    values = f", values={values_of(bits)}" if values_of(bits) else ""
    return f"{bits.name} = Bit({bits.low}, {bits.top}{arguments(bits)}{values})"


def word_class(name: str, bits: tuple[Bits, ...], text: str, indent: str) -> list[str]:
    return [
        f"{indent}class {name}(_Word):",
        f'{indent}    """{text}"""',
        "",
        *(f"{indent}    {bit(part)}" for part in bits),
        "",
    ]


def word(item: Word) -> list[str]:
    return ["", "", *word_class(item.name, item.bits, sentence(item.text, item.section), "")[:-1]]


# ---- structures ----


def item_of(field: Field) -> str:
    """The accessor of one element of a field."""
    if field.kind == "struct":
        assert field.struct
        return f"Nested({field.struct.name})"
    if field.kind == "ascii":
        return f"Text({field.size})"
    if field.kind == "utf8":
        return f'Text({field.size}, "\\0")'
    if field.kind == "bytes":
        return f"Raw({field.size})"
    if field.bits:
        return f"WordAt({field.size}, {class_name(field.name)})"
    values = f", {values_of(field)}" if values_of(field) else ""
    return f"Number({field.size}{values})"


def member(field: Field) -> str:
    counted = f", counted_by={quoted(field.counted_by)}" if field.counted_by else ""
    if field.count == 0 and field.kind == "bytes":
        return f"{field.name} = Rest({field.offset}{arguments(field)}{counted})"
    if field.count != 1:
        count = field.count or None
        ends = f", ends_with={quoted(field.ends_with)}" if field.ends_with else ""
        place = f"{field.offset}, {item_of(field)}, {count}"
        return f"{field.name} = Elements({place}{arguments(field)}{counted}{ends})"
    return f"{field.name} = Field({field.offset}, {item_of(field)}{arguments(field)})"


def where(field: Field) -> str:
    if field.count == 0:
        return f"{field.offset}…"
    last = field.end - 1
    return f"{last}:{field.offset}" if last > field.offset else str(last)


def table_of_fields(item: Structure) -> Iterator[str]:
    """The fields of a structure for help(), with their bytes, meaning and unit."""
    width = max(len(field.name) for field in item.fields)
    places = max(len(where(field)) for field in item.fields)
    for field in item.fields:
        notes = [field.text, field.unit, "0's based" if field.zeroes_based else ""]
        if field.since != "1.0":
            notes.append(f"since {field.since}")
        text = ", ".join(filter(None, notes))
        yield f"    {field.name:<{width}}  {where(field):>{places}}  {text}".rstrip()


def structure(item: Structure) -> list[str]:
    size = f"{item.size} bytes" + (" and what follows" if item.varies else "")
    lines = [
        "",
        "",
        f"class {item.name}(_Structure):",
        f'    """{sentence(item.text, item.section)} {size}.',
        "",
        *table_of_fields(item),
        '    """',
        "",
        f"    SIZE = {item.size}",
        *(["    VARIES = True"] if item.varies else []),
        *([f"    LENGTH = {length(item)}"] if item.length else []),
        f"    TEXT = {quoted(item.text.rstrip('.'))}",
        "",
    ]
    for field in item.fields:
        if field.bits:
            lines += word_class(class_name(field.name), field.bits, f"Bits of {field.name.upper()}.", "    ")
    aliases = (f"    {field.long} = Alias({quoted(field.name)})" for field in item.fields if field.long)
    return [*lines, *(f"    {member(field)}" for field in item.fields), *aliases]


def length(item: Structure) -> str:
    return f"({', '.join(map(part_of_length, item.length))},)"


def part_of_length(part: str | int | tuple[str, int]) -> str:
    if isinstance(part, tuple):
        return f"({quoted(part[0])}, {part[1]})"
    return quoted(part) if isinstance(part, str) else str(part)


# ---- tables ----


def row(value: object) -> str:
    if isinstance(value, (Structure, Word)):
        return value.name
    assert isinstance(value, Feature)
    parts = [value.word.name if value.word else "None", value.data.name if value.data else "None"]
    return f"Feature({', '.join(parts)}, {value.dword}, {value.namespace})"


def kind_of_rows(table: Table) -> str:
    value = next(iter(table.rows.values()))
    return {Structure: "type[_Structure]", Word: "type[_Word]", Feature: "Feature"}[type(value)]


def key(value: object) -> str:
    if isinstance(value, tuple):
        return f"({', '.join(key(part) for part in value)})"
    return f"0x{value:02X}" if isinstance(value, int) else repr(value)


def kind_of_keys(table: Table) -> str:
    return "tuple[int, Optional[int]]" if isinstance(next(iter(table.rows)), tuple) else "int"


def table(item: Table) -> list[str]:
    return [
        "",
        f"{item.name}: dict[{kind_of_keys(item)}, {kind_of_rows(item)}] = {{",
        *(f"    {key(number)}: {row(value)}," for number, value in item.rows.items()),
        "}",
        f'"""{item.text}"""',
    ]


# ---- what they need ----


def used_classes(item: Structure) -> Iterator[Structure]:
    for field in item.fields:
        if field.struct:
            yield field.struct


def used_enums(item: Structure | Word) -> Iterator[Enum]:
    parts = item.bits if isinstance(item, Word) else item.fields
    for part in parts:
        if part.values:
            yield part.values
        yield from (bits.values for bits in getattr(part, "bits", ()) if bits.values)
