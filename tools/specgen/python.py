# SPDX-License-Identifier: BSD-3-Clause
"""Generates pynvme/spec, a module for each of spec/ that is needed at run time, and a lookup of names."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import ModuleType

from spec.schema import Enum, Names, Structure, Table, Word
from tools.specgen import book, python_commands, python_enum, python_structure

LICENCE = "# SPDX-License-Identifier: BSD-3-Clause"
PACKAGE_TEXT = '''"""The enumerations, commands and structures of the NVMe specifications.

Each module is loaded at its first use.

    from pynvme import spec

    ns = spec.IdentifyNamespace(buf)      # a view of a Buffer, bytes …; print(ns) shows all fields
    ns.lbaf[0].lbads, ns.flbas.lbafil     # fields, and bits of fields, are attributes
    spec.Csts(nvme0[spec.Register.CSTS]).rdy
    spec.LOG_PAGES[0x02](log).poh
"""'''


def entries(module: ModuleType, kind: type) -> list:
    """The public names that a module defines itself, without its imports, in order."""
    imported = {id(entry) for other in earlier(module) for entry in vars(other).values()}
    return [
        entry
        for name, entry in vars(module).items()
        if isinstance(entry, kind) and not name.startswith("_") and id(entry) not in imported
    ]


def earlier(module: ModuleType) -> list[ModuleType]:
    """The modules before this one, from which it may import."""
    order = list(book.modules().values())
    return order[: order.index(module)]


# The result for each kind of entries is (names that the module defines, imports that it needs, lines).
Made = tuple[list[str], list[str], list[str]]


def enumerations(module: ModuleType) -> Made:
    found = entries(module, Enum)
    imports = ["from enum import IntEnum"] if found else []
    return (
        [enum.name for enum in found],
        imports,
        [line for enum in found for line in python_enum.render(enum)],
    )


def names(module: ModuleType) -> Made:
    found = entries(module, Names)
    defined = [name for one in found for name in (one.name, one.texts)]
    return defined, [], [line for one in found for line in python_enum.render_names(one)]


STRUCTURE_IMPORTS = [
    "from pynvme.structure import Alias, Bit, Elements, Field, Kelvin, Nested, Number",
    "from pynvme.structure import Raw, Rest, Text, WordAt",
    "from pynvme.structure import Structure as _Structure",
    "from pynvme.structure import Word as _Word",
]


def home(entry: Enum | Structure | Word) -> str:
    """The module that defines it."""
    return next(
        name for name, module in book.modules().items() if any(entry is one for one in vars(module).values())
    )


def imports_of(module: ModuleType, used: list[Enum] | list[Structure] | list[Word]) -> list[str]:
    """The lines that import names from other modules."""
    found = {(home(entry), entry.name) for entry in used}
    here = module.__name__.rpartition(".")[2]
    return [f"from pynvme.spec.{name} import {what}" for name, what in sorted(found) if name != here]


def words(module: ModuleType) -> Made:
    found = entries(module, Word)
    used = [enum for word in found for enum in python_structure.used_enums(word)]
    imports = [*STRUCTURE_IMPORTS, *imports_of(module, used)] if found else []
    return (
        [word.name for word in found],
        imports,
        [line for word in found for line in python_structure.word(word)],
    )


def structures(module: ModuleType) -> Made:
    found = entries(module, Structure)
    enums = [enum for one in found for enum in python_structure.used_enums(one)]
    nested = [other for one in found for other in python_structure.used_classes(one)]
    imports = [*STRUCTURE_IMPORTS, *imports_of(module, enums), *imports_of(module, nested)] if found else []
    return (
        [one.name for one in found],
        imports,
        [line for one in found for line in python_structure.structure(one)],
    )


def tables(module: ModuleType) -> Made:
    found = entries(module, Table)
    lines = [line for table in found for line in python_structure.table(table)]
    text = "\n".join(lines)
    imports = ["from typing import Optional"] if "Optional[" in text else []
    imports += ["from pynvme.structure import Feature"] if " Feature(" in text else []
    return [table.name for table in found], imports, ["", *lines] if lines else []


MAKERS: tuple[Callable[[ModuleType], Made], ...] = (enumerations, names, words, structures, tables)


def head(name: str, module: ModuleType) -> list[str]:
    text = (module.__doc__ or "").strip().split("\n")[0]
    return [
        LICENCE,
        f'"""{text}',
        "",
        f"Generated from spec/{name}.py by `python -m tools.specgen`. Change it there.",
        '"""',
        "",
    ]


def one_module(name: str, module: ModuleType) -> tuple[list[str], str]:
    """The names that a module defines, and its text."""
    made = [maker(module) for maker in MAKERS]
    names = [defined for part in made for defined in part[0]]
    imports = sorted({line for part in made for line in part[1]})
    body = [line for part in made for line in part[2]]
    return names, "\n".join([*head(name, module), *imports, *body]) + "\n"


def package_lines(names: dict[str, list[str]]) -> Iterator[str]:
    yield from [
        LICENCE,
        PACKAGE_TEXT,
        "",
        "from importlib import import_module",
        "from typing import TYPE_CHECKING",
        "",
    ]
    yield "if TYPE_CHECKING:"
    for module, defined in names.items():
        yield f"    from pynvme.spec.{module} import ("
        yield from (f"        {name} as {name}," for name in defined)
        yield "    )"
    yield from ["", "_MODULE_OF = {"]
    yield from (f'    "{name}": "{module}",' for module, defined in names.items() for name in defined)
    yield from ["}", "__all__ = list(_MODULE_OF)", "", ""]
    yield "def __getattr__(name: str) -> object:"
    yield '    """Load the module that defines the name, at the first use of the name."""'
    yield "    if name not in _MODULE_OF:"
    yield "        from pynvme.near import hint"
    yield ""
    yield '        raise AttributeError(f"pynvme.spec has no {name}{hint(name, _MODULE_OF)}")'
    yield '    value = getattr(import_module(f"pynvme.spec.{_MODULE_OF[name]}"), name)'
    yield "    globals()[name] = value"
    yield "    return value"
    yield from ["", "", "def __dir__() -> list[str]:", "    return sorted(_MODULE_OF)"]


def package(modules: dict[str, ModuleType]) -> dict[str, str]:
    """All files of pynvme/spec, by path."""
    files = {}
    names = {}
    for name, module in modules.items():
        defined, text = one_module(name, module)
        again = {one for others in names.values() for one in others} & set(defined)
        assert not again, f"spec/{name}.py defines {', '.join(sorted(again))} once more"
        if defined:
            files[f"pynvme/spec/{name}.py"] = text
            names[name] = defined
    files["pynvme/spec/formats.py"] = python_commands.render()
    names["formats"] = python_commands.NAMES
    files["pynvme/spec/__init__.py"] = "\n".join(package_lines(names)) + "\n"
    return files
