# SPDX-License-Identifier: BSD-3-Clause
"""cspdk.pxd declares each type, member, array, constant and function as C does.

Cython believes its declarations. A member of another type would be converted in silence, a missing parameter
would be garbage, and an array that is too long would be read past its end. So the C compiler compares them.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sysconfig
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
COMPILER = shutil.which(sysconfig.get_config_var("CC").split()[0]) or shutil.which("cc")

STRUCT = re.compile(r"    struct (\w+):$")
ENUM = re.compile(r'    enum(?: (\w+))?(?: "(\w+)")?:$')
MEMBER = re.compile(r"        (.+?[ *])(\w+)((?:\[\d+\])?)$")
CONSTANT = re.compile(r"        (\w+)$")
FUNCTION = re.compile(r'    (.+?[ *])(\w+)(?: "(\w+)")?\((.*)\)(?: nogil)?$')


@dataclass
class Declared:
    """What a pxd declares: C expressions that must hold at compile time."""

    structs: set[str] = field(default_factory=set)
    enums: dict[str, str] = field(default_factory=dict)
    constants: list[str] = field(default_factory=list)
    members: list[tuple[str, str, str, str]] = field(default_factory=list)  # struct, type, name, array
    functions: list[tuple[str, str, str]] = field(default_factory=list)  # result, name, parameters


def lines_of(text: str) -> list[str]:
    """Whole declarations, without comments and the lines around them."""
    body = text.partition('cdef extern from "driver.h" nogil:\n')[2]
    body = re.sub(r"\s*#.*", "", body)
    body = re.sub(r",\n\s+", ", ", body)
    return [line for line in body.splitlines() if line.strip() not in ("", "pass")]


def parse(text: str) -> Declared:
    declared = Declared()
    struct = ""
    for line in lines_of(text):
        if found := STRUCT.match(line):
            struct = found[1]
            declared.structs.add(struct)
        elif line.startswith("    enum"):
            struct = ""
            found = ENUM.match(line)
            assert found, line
            if found[1]:
                declared.enums[found[1]] = found[2] or found[1]
        elif line.startswith("        ") and struct:
            found = MEMBER.match(line)
            assert found, line
            declared.members.append((struct, found[1].strip(), found[2], found[3]))
        elif line.startswith("        "):
            found = CONSTANT.match(line)
            assert found, line
            declared.constants.append(found[1])
        else:
            struct = ""
            found = FUNCTION.match(line)
            assert found, f"not understood: {line}"
            declared.functions.append((found[1].strip(), found[3] or found[2], found[4]))
    return declared


def c_type(text: str, declared: Declared) -> str:
    """A type of the pxd in C: `struct` and `enum` are left out there."""
    for name in declared.structs:
        text = re.sub(rf"\b{name}\b", f"struct {name}", text)
    for name, c_name in declared.enums.items():
        text = re.sub(rf"\b{name}\b", f"enum {c_name}", text)
    return text


def parameter_types(parameters: str, declared: Declared) -> str:
    types = [re.sub(r"\w+$", "", one.strip()) for one in parameters.split(",") if one.strip()]
    return ", ".join(c_type(one, declared) for one in types) or "void"


def program(text: str) -> str:
    """C code that compiles only if the pxd is right."""
    declared = parse(text)
    lines = [
        '#include "driver.h"',
        # Qualifiers of the member itself, such as _Atomic, do not matter for reading it.
        "#define SAME(a, b, text) _Static_assert(__builtin_types_compatible_p(a, b), text)",
    ]
    for struct, kind, name, array in declared.members:
        value = f"((struct {struct} *)0)->{name}"
        said = c_type(kind, declared)
        if array:
            lines.append(
                f'_Static_assert(sizeof({value}) == sizeof({said}{array}), "{struct}.{name} {array}");'
            )
            value += "[0]"
        if said == "int":  # an enumeration, too
            lines.append(f'_Static_assert(sizeof({value}) == sizeof(int), "{struct}.{name}");')
        else:
            lines.append(
                f"_Static_assert(_Generic(&({value}), {said} *: 1, const {said} *: 1, "
                f'_Atomic({said}) *: 1, const _Atomic({said}) *: 1, default: 0), "{struct}.{name}");'
                if "*" not in said
                else f'SAME(__typeof__({value}), {said}, "{struct}.{name}");'
            )
    for constant in declared.constants:
        lines.append(f'_Static_assert((long)({constant}) == ({constant}), "{constant}");')
    for result, name, parameters in declared.functions:
        types = parameter_types(parameters, declared)
        lines.append(f'SAME(__typeof__({name}), {c_type(result, declared)} ({types}), "{name}");')
    return "\n".join(lines) + "\n"


def complaints(text: str) -> list[str]:
    """What the compiler finds wrong with a pxd."""
    assert COMPILER
    done = subprocess.run(
        [COMPILER, "-std=gnu11", "-fsyntax-only", "-I", str(ROOT), "-x", "c", "-"],
        input=program(text),
        capture_output=True,
        text=True,
        timeout=60,
    )
    return re.findall(r"error: (.*)", done.stderr)


PXD = (ROOT / "cspdk.pxd").read_text()

needs_a_compiler = pytest.mark.skipif(COMPILER is None, reason="no C compiler")


def test_all_of_it_is_understood():
    declared = parse(PXD)
    assert len(declared.functions) > 80
    assert len(declared.members) > 120
    assert len(declared.structs) > 20
    assert {"PYN_ERROR_GONE", "PYN_WORKER_MDTS"} <= set(declared.constants)
    assert declared.enums["pyn_device_reset_kind"] == "pyn_device_reset"
    assert declared.enums["pyn_error_kind"] == "pyn_error_kind"


@needs_a_compiler
def test_all_of_it_is_true():
    assert complaints(PXD) == []


@needs_a_compiler
@pytest.mark.parametrize(
    ("true", "wrong"),
    [
        ("        uint32_t io_size[4096]", "        uint32_t io_size[4097]"),
        ("        uint64_t nsze", "        uint32_t nsze"),
        ("        int64_t step", "        uint64_t step"),
        ("        char text[232]", "        char text[256]"),
        ("        uint8_t *data", "        uint16_t *data"),
        ("        pyn_verify *verify", "        pyn_buffer *verify"),
        ("        uint64_t sent", "        uint32_t sent"),
        ("        bool verify_enabled", "        bool verify_is_enabled"),
        ("        PYN_ERROR_GONE", "        PYN_ERROR_LEFT"),
        ("    void pyn_seed(uint64_t seed)", "    void pyn_seed(uint32_t seed)"),
        ("    uint64_t pyn_ticks_hz()", "    uint32_t pyn_ticks_hz()"),
        ("    void pyn_device_stop(pyn_device *device)", "    void pyn_device_stop(pyn_inflight *device)"),
        ("    void pyn_log_keep()", "    void pyn_log_keep(int level)"),
        ("    size_t pyn_dma_in_use()", "    size_t pyn_dma_is_in_use()"),
    ],
)
def test_what_is_wrong_is_found(true, wrong):
    assert f"{true}\n" in PXD
    assert complaints(PXD.replace(f"{true}\n", f"{wrong}\n"))
