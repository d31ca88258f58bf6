# SPDX-License-Identifier: BSD-3-Clause
"""The C headers of spec/."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from spec.schema import BitGroup, Bits, Code, Constant, Enum, Field, Header, Item, Structure

WIDTH = 118
LICENCE = "/* SPDX-License-Identifier: BSD-3-Clause */"
INTEGERS = {1: "uint8_t", 2: "uint16_t", 4: "uint32_t", 8: "uint64_t"}


def comment(text: str, indent: str = "") -> list[str]:
    """A comment on one line if it fits, and otherwise in a frame."""
    if not text:
        return []
    if "\n" not in text and len(indent.expandtabs(8)) + len(text) + 6 <= WIDTH:
        return [f"{indent}/* {text} */"]
    width = WIDTH - len(indent.expandtabs(8)) - 3
    lines = [line for part in text.split("\n") for line in textwrap.wrap(part, width) or [""]]
    return [f"{indent}/*", *(f"{indent} * {line}".rstrip() for line in lines), f"{indent} */"]


def with_comment(line: str, text: str) -> list[str]:
    """A line with its comment behind it, or before it if that is too long."""
    if not text:
        return [line]
    if len(line.expandtabs(8)) + len(text) + 7 <= WIDTH:
        return [f"{line} /* {text} */"]
    indent = line[: len(line) - len(line.lstrip())]
    return [*comment(text, indent), line]


def about(item: Structure | Enum | BitGroup) -> str:
    """The comment of an item, with its meaning and its section."""
    section = f"Section {item.section}." if item.section else ""
    text = item.text and item.text.rstrip(".") + "."
    return " ".join(filter(None, [text, section]))


def meaning(entry: Field | Bits) -> str:
    """The text of a member or of bits, with its unit, and with "0's based" if it is."""
    notes = [entry.text, entry.unit, "0's based" if entry.zeroes_based else ""]
    if entry.values:
        notes.append(f"enum {entry.values.c}")
    bits = ", ".join(f"{span(part)} {part.name.upper()}" for part in getattr(entry, "bits", ()) if not part.c)
    return ", ".join(filter(None, [*notes, bits and f"bits {bits}"]))


def span(bits: Bits) -> str:
    return str(bits.low) if bits.width == 1 else f"{bits.top}:{bits.low}"


# ---- structures ----


def member(field: Field) -> str:
    """A declaration without its semicolon."""
    many = f"[{field.count or ''}]" if field.count != 1 else ""
    if field.kind == "struct":
        assert field.struct
        if field.struct.varies:
            return f"uint8_t {field.name}[]"
        return f"struct {field.struct.c} {field.name}{many}"
    if field.kind in ("ascii", "utf8"):
        return f"char {field.name}{many}[{field.size}]"
    if field.kind == "bytes":
        return f"uint8_t {field.name}{many}[{field.size}]" if field.count else f"uint8_t {field.name}[]"
    if field.size == 16:
        return f"uint64_t {field.name}{many}[2]"
    if field.size not in INTEGERS:
        return f"uint8_t {field.name}{many}[{field.size}]"
    return f"{INTEGERS[field.size]} {field.name}{many}"


def gap(start: int, end: int) -> list[str]:
    if start == end:
        return []
    many = f"[{end - start}]" if end - start > 1 else ""
    return [f"\tuint8_t rsvd{start}{many};"]


def members(structure: Structure) -> Iterator[str]:
    at = 0
    for field in structure.fields:
        assert field.offset >= at, f"{structure.name}.{field.name} overlaps what is before it"
        yield from gap(at, field.offset)
        yield from with_comment(f"\t{member(field)};", meaning(field))
        at = field.end
    assert at <= structure.size, f"{structure.name} is longer than {structure.size} bytes"
    yield from gap(at, structure.size)


def structure(item: Structure) -> list[str]:
    name = f"struct {item.c}"
    packed = " __attribute__((packed))" if item.packed else ""
    offsets = {field.name: field.offset for field in item.fields}
    return [
        *comment(about(item)),
        f"{name} {{",
        *members(item),
        f"}}{packed};",
        f'_Static_assert(sizeof({name}) == {item.size}, "{item.label or item.name}");',
        *(
            f'_Static_assert(offsetof({name}, {field}) == {offsets[field]}, "{field.upper()}");'
            for field in item.asserted
        ),
    ]


# ---- numbers ----


def hexadecimal(number: int, digits: int) -> str:
    return f"0x{number:0{digits}x}" if digits else str(number)


def enumeration(item: Enum) -> list[str]:
    lines = []
    for value in item.values:
        lines += with_comment(
            f"\t{item.c_name(value)} = {hexadecimal(value.number, item.digits)},", value.text
        )
    return [*comment(about(item)), f"enum {item.c} {{", *lines, "};"]


def getter(bits: Bits) -> str:
    shifted = f"(unsigned)(s) >> {bits.low}" if bits.low else "(unsigned)(s)"
    return f"#define {bits.c}(s) (({shifted}) & {(1 << bits.width) - 1:#x}u)"


def constant(name: str, bits: Bits) -> str:
    if bits.suffix == "wide":
        return f"#define {name} (UINT32_C({(1 << bits.width) - 1}) << {bits.low})"
    number = bits.number << bits.low if bits.style == "value" else bits.mask
    return f"#define {name} {hexadecimal(number, bits.digits or 1)}{bits.suffix}"


def one_bits(bits: Bits) -> list[str]:
    if not bits.c:
        return []
    if bits.style == "shift":
        return with_comment(f"#define {bits.c} {bits.low}", meaning(bits))
    if bits.style == "get":
        return with_comment(getter(bits), meaning(bits))
    return with_comment(constant(bits.c, bits), meaning(bits))


def register_fields(group: BitGroup) -> list[str]:
    """An anonymous enumeration of shifts and widths, for NVME_GET and NVME_SET."""
    lines = []
    for bits in group.bits:
        lines.append(f"\t{bits.c}_SHIFT = {bits.low},")
        lines += with_comment(f"\t{bits.c}_WIDTH = {bits.width},", meaning(bits))
    return [*comment(about(group)), "enum {", *lines, "};"]


def bit_group(group: BitGroup) -> list[str]:
    if all(bits.style == "field" for bits in group.bits):
        return register_fields(group)
    return [*comment(about(group)), *(line for bits in group.bits for line in one_bits(bits))]


def one_constant(item: Constant) -> list[str]:
    return with_comment(f"#define {item.c} {item.form.format(item.number)}", item.text)


# ---- a header ----


def render_item(item: Item) -> list[str]:
    if isinstance(item, Structure):
        return structure(item)
    if isinstance(item, Enum):
        return enumeration(item)
    if isinstance(item, BitGroup):
        return bit_group(item)
    if isinstance(item, Constant):
        return one_constant(item)
    assert isinstance(item, Code)
    return item.c.strip("\n").split("\n")


def items(header: Header) -> Iterator[str]:
    """The items of a header, separated by blank lines, except between constants."""
    before: Item | None = None
    for item in header.items:
        if not (isinstance(item, Constant) and isinstance(before, Constant)):
            yield ""
        yield from render_item(item)
        before = item


def source_comment(module: str) -> str:
    return f"Generated from spec/{module}.py by `python -m tools.specgen`. Change it there."


def include(name: str) -> str:
    return f'#include "{name}"' if "/" in name else f"#include <{name}>"


def render(header: Header, module: str) -> str:
    guard = "SPEC_" + header.file.upper().replace(".", "_")
    lines = [
        LICENCE,
        *comment(f"{header.text}\n{source_comment(module)}"),
        "/* clang-format off */",
        f"#ifndef {guard}",
        f"#define {guard}",
        "",
        *map(include, header.includes),
        *items(header),
        "",
        "#endif",
    ]
    return "\n".join(lines) + "\n"
