# SPDX-License-Identifier: BSD-3-Clause
"""Carry the docstrings of nvme.pyi into the Cython sources.

The docstrings are written once, in the stub, where type checkers and readers find them. The build copies
nvme.pyx and binding/*.pyx to build/pyx, puts the docstring of every class, method, property and function into
the copies, and compiles them, so that help() shows the docstrings. A name that is in the stub or in the
sources only stops the build, so that the two cannot diverge.
"""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from textwrap import indent

INCLUDE = re.compile(r"include\s+[\"'](?P<path>[^\"']+)[\"']\s*$")
PART_OF_CLASS = re.compile(r"^(?P<indent> +)include\s+[\"'](?P<path>[^\"']+\.pxi)[\"']\s*?\n", re.MULTILINE)
CLASS = re.compile(r"(?P<kind>cdef\s+class|class)\s+(?P<name>\w+)\s*(\((?P<bases>.*)\))?\s*:", re.DOTALL)
FUNCTION = re.compile(r"(?:cpdef|(?:async\s+)?def)\b[^(]*?(?P<name>\w+)\s*\(", re.DOTALL)
OLD_PROPERTY = re.compile(r"property\s+(?P<name>\w+)\s*:")
ATTRIBUTE = re.compile(r"cdef\s+(?:public|readonly)\s+[^(=]*?(?P<names>\w+(?:\s*,\s*\w+)*)\s*(?:=.*)?$")
DECORATOR = re.compile(r"@(?P<name>[\w.]+)")
IMPORT = re.compile(r"(?:from\s+\S+\s+import|import)\s+(?P<names>.+)", re.DOTALL)
ASSIGNMENT = re.compile(r"(?P<name>\w+)\s*=[^=]")
STRING = re.compile(r"[rbufRBUF]{0,2}(\"\"\"|'''|\"|')")


class Mismatch(Exception):
    """The stub and the sources do not agree. The text lists all names that differ."""


@dataclass
class Documented:
    """A name of the stub, with its docstring, and with its members if it is a class."""

    doc: str | None = None
    is_variable: bool = False
    signature: str = ""
    members: dict[str, Documented] = field(default_factory=dict)


@dataclass
class Statement:
    """A logical line of a .pyx file, which may consist of several physical lines."""

    start: int
    end: int
    indent: int
    text: str


@dataclass
class Scope:
    """A class (or the module) while its body is read. `found` has the names that it defines."""

    name: str
    indent: int
    bases: tuple[str, ...] = ()
    is_extension: bool = False
    found: dict[str, int] = field(default_factory=dict)


# ---- the stub ----


def read_stub(source: str) -> Documented:
    """The names of nvme.pyi with their docstrings, and the constructor of each class."""
    module = ast.parse(source)
    return Documented(ast.get_docstring(module), members=_members(module.body))


def _members(body: list[ast.stmt]) -> dict[str, Documented]:
    found: dict[str, Documented] = {}
    for node in body:
        if isinstance(node, ast.ClassDef):
            members = _members(node.body)
            doc = ast.get_docstring(node)
            found[node.name] = Documented(doc, signature=_constructor(node), members=members)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            known = found.setdefault(node.name, Documented())
            # A setter or a second @overload has no docstring of its own.
            known.doc = known.doc or ast.get_docstring(node)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            found[node.target.id] = Documented(is_variable=True)
    return found


def _constructor(node: ast.ClassDef) -> str:
    """`Name(size=4096)` without annotations, which inspect.signature() reads from an extension type."""
    for child in node.body:
        if isinstance(child, ast.FunctionDef) and child.name == "__init__":
            arguments = child.args
            for argument in ast.walk(arguments):
                if isinstance(argument, ast.arg):
                    argument.annotation = None
            arguments.args = arguments.args[1:]
            return f"{node.name}({ast.unparse(arguments)})"
    return ""


def contents(stub: Documented) -> str:
    """The public members of each class, as lines below the docstring of the module."""
    lines = ["Members of the classes, which help(nvme.Controller.identify), for example, explains:", ""]
    for name, known in stub.members.items():
        members = ", ".join(member for member in known.members if not member.startswith("_"))
        if members and not name.startswith("_"):
            lines += textwrap.wrap(members, 106, initial_indent=f"    {name:12}", subsequent_indent=" " * 16)
    return "\n".join(lines)


# ---- the sources ----


def statements(source: str) -> Iterator[Statement]:
    """The logical lines, without comments. Brackets, strings and backslashes continue a line."""
    at = 0
    while at < len(source):
        start, depth = at, 0
        while at < len(source):
            char = source[at]
            if char == "#":
                at = _line_end(source, at)
                continue
            quoted = STRING.match(source, at)
            if quoted:
                at = _string_end(source, quoted.end(), quoted.group(1))
                continue
            if char == "\\" and source[at + 1 : at + 2] == "\n":
                at += 2
                continue
            at += 1
            if char in "([{":
                depth += 1
            elif char in ")]}":
                depth -= 1
            elif char == "\n" and depth <= 0:
                break
        text = source[start:at]
        code = re.sub(r"^\s*#[^\n]*\n", "", text).strip()
        if code and not code.startswith("#"):
            indent = len(text) - len(text.lstrip(" \n"))
            yield Statement(start, at, indent - text[:indent].count("\n"), code)


def _line_end(source: str, at: int) -> int:
    end = source.find("\n", at)
    return len(source) if end < 0 else end


def _string_end(source: str, at: int, quote: str) -> int:
    while at < len(source) and not source.startswith(quote, at):
        at += 2 if source[at] == "\\" else 1
    return at + len(quote)


def _header_end(text: str) -> int:
    """The index of the colon that ends `def …:`. If more follows on this line, it is the body."""
    depth, at = 0, 0
    while at < len(text):
        quoted = STRING.match(text, at)
        if text[at] == "#":
            at = _line_end(text, at)
        elif quoted:
            at = _string_end(text, quoted.end(), quoted.group(1))
            continue
        elif text[at] in "([{":
            depth += 1
        elif text[at] in ")]}":
            depth -= 1
        elif text[at] == ":" and depth == 0:
            return at + 1
        at += 1
    return len(text)


def _opens_block(text: str) -> bool:
    end = _header_end(text)
    rest = text[end:].strip()
    return text[:end].endswith(":") and (not rest or rest.startswith("#"))


class Carrier:
    """Goes through the sources of one module, and records which names of the stub they define."""

    def __init__(self, stub: Documented) -> None:
        self.stub = stub
        self.module = Scope("", -1)
        self.classes: dict[str, Scope] = {}
        self.provided: dict[str, int] = {}  # imported or assigned, so without a place for a docstring

    def carry(self, source: str, first: bool = False) -> str:
        """The source with missing docstrings inserted. If it is the first one, it begins the module."""
        out: list[str] = []
        done = 0
        scopes = [self.module]
        decorators: list[str] = []
        lines = list(statements(source))
        if first and self.stub.doc and lines and not STRING.match(lines[0].text):
            done = lines[0].start
            out = [source[:done], literal(f"{self.stub.doc}\n\n{contents(self.stub)}"), "\n"]
        for number, line in enumerate(lines):
            while line.indent <= scopes[-1].indent:
                scopes.pop()
            if decorator := DECORATOR.match(line.text):
                decorators.append(decorator["name"])
                continue
            doc = self._visit(line, scopes, decorators)
            decorators = []
            after = lines[number + 1] if number + 1 < len(lines) else None
            if doc is None or self._has_docstring(line, after):
                continue
            out.append(source[done : line.start])
            out.append(self._with_docstring(source[line.start : line.end], line, after, doc))
            done = line.end
        out.append(source[done:])
        return "".join(out)

    def _visit(self, line: Statement, scopes: list[Scope], decorators: list[str]) -> str | None:
        """Record what a line defines. Return the docstring that belongs below it, or None."""
        scope = scopes[-1]
        if made := CLASS.match(line.text):
            bases = tuple(base.strip() for base in (made["bases"] or "").split(",") if base.strip())
            scopes.append(Scope(made["name"], line.indent, bases, made["kind"] != "class"))
            if scope is not self.module:
                return None
            self.classes[made["name"]] = scopes[-1]
            scope.found[made["name"]] = 1
            return self._class_doc(scopes[-1])
        if made := OLD_PROPERTY.match(line.text) or FUNCTION.match(line.text):
            scopes.append(Scope("", line.indent))  # names in a function are local
            if not self._is_public_scope(scope):
                return None
            scope.found[made["name"]] = 1
            if any(name.endswith((".setter", ".deleter")) for name in decorators):
                return None
            known = self._documented(scope).get(made["name"])
            return known.doc if known else None
        if made := ATTRIBUTE.match(re.sub(r"\s*#.*", "", line.text)):
            for name in re.split(r"\s*,\s*", made["names"]):
                scope.found[name] = 1
        elif made := IMPORT.match(line.text):
            for name in re.findall(r"(\w+)\s*(?:,|\)|$)", made["names"]):
                self.provided[name] = 1
        elif made := ASSIGNMENT.match(line.text):
            (self.provided if scope is self.module else scope.found)[made["name"]] = 1
        elif _opens_block(line.text):
            # Names in a cdef function or declaration are private. Those under if, try or with are not.
            hidden = line.text.startswith(("cdef", "ctypedef"))
            inside = Scope("", line.indent) if hidden else replace(scope, indent=line.indent)
            scopes.append(inside)
        return None

    def _is_public_scope(self, scope: Scope) -> bool:
        return scope.found is self.module.found or scope.name in self.classes

    def _documented(self, scope: Scope) -> dict[str, Documented]:
        if scope.found is self.module.found:
            return self.stub.members
        return self.stub.members.get(scope.name, Documented()).members

    def _class_doc(self, scope: Scope) -> str | None:
        known = self.stub.members.get(scope.name)
        if known is None:
            return None
        if scope.is_extension and known.signature:
            return f"{known.signature}\n--\n\n{known.doc or ''}"
        return known.doc

    def _has_docstring(self, line: Statement, after: Statement | None) -> bool:
        rest = line.text[_header_end(line.text) :].strip()
        if rest and not rest.startswith("#"):
            return bool(STRING.match(rest))
        return after is not None and after.indent > line.indent and STRING.match(after.text) is not None

    def _with_docstring(self, text: str, line: Statement, after: Statement | None, doc: str) -> str:
        header = text.rstrip("\n")
        end = _header_end(header)
        rest = header[end:].strip()
        inside = " " * (line.indent + 4)
        if rest and not rest.startswith("#"):
            return f"{header[:end]}\n{inside}{literal(doc)}\n{inside}{rest}\n"
        if after is not None and after.indent > line.indent:
            inside = " " * after.indent
        return f"{header}\n{inside}{literal(doc)}\n"

    def check(self) -> None:
        """Raise Mismatch if the names of the stub and of the sources differ."""
        wrong = list(self._differences(self.module, self.stub.members))
        for name, scope in self.classes.items():
            if name in self.stub.members:
                wrong += self._differences(scope, self.stub.members[name].members)
        if wrong:
            raise Mismatch("nvme.pyi and the sources differ:\n  " + "\n  ".join(sorted(wrong)))

    def _differences(self, scope: Scope, wanted: dict[str, Documented]) -> Iterator[str]:
        prefix = f"{scope.name}." if scope.name else ""
        found = self._with_bases(scope)
        if scope is self.module:
            found.update(self.provided)
        for name, known in wanted.items():
            # A plain class makes its attributes at run time. An extension type has __cinit__, not __init__.
            by_running = known.is_variable and scope is not self.module and not scope.is_extension
            by_cinit = name == "__init__" and "__cinit__" in found
            if name not in found and not by_running and not by_cinit:
                yield f"{prefix}{name} is in nvme.pyi and not in the sources"
        for name in scope.found:
            if not name.startswith("_") and name not in wanted:
                yield f"{prefix}{name} is in the sources and not in nvme.pyi (a private name begins with _)"

    def _with_bases(self, scope: Scope) -> dict[str, int]:
        found = dict(scope.found)
        for base in scope.bases:
            if base in self.classes:
                found.update(self._with_bases(self.classes[base]))
        return found


def literal(doc: str) -> str:
    """A literal of one physical line, so that line numbers shift by one only."""
    text = inspect.cleandoc(doc) if "\n--\n" not in doc else doc
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def expand(root: Path, source: str) -> str:
    """The source with those .pxi files expanded that it includes within a class."""

    def contents(found: re.Match[str]) -> str:
        return indent((root / found["path"]).read_text(encoding="utf-8"), found["indent"])

    return PART_OF_CLASS.sub(contents, source)


def carry(root: Path, out: Path) -> Path:
    """Write the sources with docstrings below `out`, and return the path of the copy of nvme.pyx.

    It does not touch a copy that would not change, so that this is not compiled again.
    """
    carrier = Carrier(read_stub((root / "nvme.pyi").read_text(encoding="utf-8")))
    copies: dict[Path, str] = {}

    def visit(path: Path) -> None:
        source = expand(root, (root / path).read_text(encoding="utf-8"))
        copies[path] = ""  # keeps its place, since modules are written in the order of their inclusion
        for line in statements(source):
            if included := INCLUDE.match(line.text):
                below = path.parent / included["path"]
                if (root / below).suffix == ".pyx" and below not in copies:
                    visit(below)
        copies[path] = carrier.carry(source, first=path == Path("nvme.pyx"))

    visit(Path("nvme.pyx"))
    carrier.check()
    for path, text in copies.items():
        copy = out / path
        copy.parent.mkdir(parents=True, exist_ok=True)
        if not copy.exists() or copy.read_text(encoding="utf-8") != text:
            copy.write_text(text, encoding="utf-8")
    return out / "nvme.pyx"
