# SPDX-License-Identifier: BSD-3-Clause
"""``python tools/older_glibc.py VERSION CC PROGRAM`` makes a program run with an older glibc.

It prints assembly to link the program with. A program needs the glibc of its newest symbol. Most symbols
that are newer than VERSION are old functions with a new version. glibc 2.34 moved threads and ``dlopen``
into libc, gave them new versions, and kept the old versions for older programs. For each newer symbol that
PROGRAM needs, the assembly defines the same name within the program, as a jump to the old version. A symbol
without an old version stays as it is. Then the wheel needs a newer glibc, and its name shows that.

If an old version has the same address as the new one, it is the same code. There are also ``stat`` and its
like, which were calls of ``__xstat`` before 2.33, and ``__isoc23_strtol`` and its like, which are ``strtol``
with the binary numbers of C23.
"""

import re
import subprocess
import sys
from typing import NamedTuple

SYMBOL = re.compile(
    r"^ *\d+: (?P<address>[0-9a-f]+) +\d+ (?:FUNC|IFUNC|NOTYPE) +\w+ +DEFAULT +(?P<section>\w+) "
    r"(?P<name>\w+)@@?GLIBC_(?P<version>[\d.]+)",
    re.MULTILINE,
)
# The version is passed in the first register, so the arguments move up by one.
STAT = {"stat": "__xstat", "fstat": "__fxstat", "lstat": "__lxstat"}
STAT_VERSION = 1
SCANF = re.compile(r"v?[fs]?w?scanf")


class Symbol(NamedTuple):
    """A symbol of a library. If it has no section, it is a symbol that a program needs."""

    name: str
    version: "tuple[int, ...]"
    address: str
    section: str

    def old(self) -> str:
        """Its name and version in the syntax of the assembler."""
        return f"{self.name}@GLIBC_{'.'.join(map(str, self.version))}"


def symbols(path: str) -> "list[Symbol]":
    """All symbols of a file that have a version of glibc."""
    command = ["readelf", "--wide", "--dyn-syms", path]
    text = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return [
        Symbol(
            found["name"], tuple(map(int, found["version"].split("."))), found["address"], found["section"]
        )
        for found in SYMBOL.finditer(text)
    ]


class Library:
    """This machine's glibc, which knows the symbols that an older one has too."""

    def __init__(self, defined: "list[Symbol]", wanted: "tuple[int, ...]") -> None:
        self.defined = [symbol for symbol in defined if symbol.section != "UND"]
        self.wanted = wanted

    def older(self, name: str, address: str = "") -> "Symbol | None":
        """The newest symbol that is old enough, and that has the address, if one is given."""
        found = [
            symbol
            for symbol in self.defined
            if symbol.name == name and symbol.version <= self.wanted and address in ("", symbol.address)
        ]
        return max(found, key=lambda symbol: symbol.version, default=None)

    def same(self, needed: Symbol) -> "Symbol | None":
        """The same code under an older version."""
        for new in self.defined:
            if (new.name, new.version) == (needed.name, needed.version):
                return self.older(needed.name, new.address)
        return None

    def substitute(self, needed: Symbol) -> "tuple[Symbol, str] | None":
        """An older symbol that does the same, and the instructions before the jump to it."""
        plain = needed.name.replace("__isoc23_", "")
        stat = STAT.get(needed.name[:-2] if needed.name.endswith("64") else needed.name)
        prefix = ""
        if stat:
            older = self.older(stat)
            prefix = f"\tmovq %rsi, %rdx\n\tmovq %rdi, %rsi\n\tmovl ${STAT_VERSION}, %edi\n"
        elif plain != needed.name:
            older = self.older(f"__isoc99_{plain}" if SCANF.fullmatch(plain) else plain)
        else:
            older = self.same(needed)
        return (older, prefix) if older else None


def assembly(needed: "list[Symbol]", library: Library) -> "tuple[str, list[Symbol]]":
    """The definitions, and the symbols that have no older version."""
    lines, left = ["\t.text"], []
    for symbol in needed:
        found = library.substitute(symbol)
        if not found:
            left.append(symbol)
            continue
        older, prefix = found
        alias = f"older_{symbol.name}"
        lines += [
            f"\t.symver {alias}, {older.old()}",
            f"\t.globl {symbol.name}\n\t.hidden {symbol.name}\n\t.type {symbol.name}, @function",
            f"{symbol.name}:\n{prefix}\tjmp *{alias}@GOTPCREL(%rip)",
        ]
    return "\n".join([*lines, '\t.section .note.GNU-stack,"",@progbits', ""]), left


def main(version: str, compiler: str, program: str) -> None:
    """Print the assembly, and on standard error the symbols that stay as they are."""
    wanted = tuple(map(int, version.split(".")))
    found = subprocess.run(
        [compiler, "-print-file-name=libc.so.6"], check=True, stdout=subprocess.PIPE, text=True
    )
    library = Library(symbols(found.stdout.strip()), wanted)
    needed = [symbol for symbol in symbols(program) if symbol.section == "UND" and symbol.version > wanted]
    text, left = assembly(needed, library)
    for symbol in left:
        print(f"{program}: {symbol.old()} has no older version", file=sys.stderr)
    print(text)


if __name__ == "__main__":
    main(*sys.argv[1:])
