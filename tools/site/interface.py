# SPDX-License-Identifier: BSD-3-Clause
"""The reference of the module `nvme`, a page for each class, from nvme.pyi.

Sphinx imports what it documents. Signatures of the compiled module have no types, so that Sphinx gets the
stub under the module's name instead.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

STUB = Path("nvme.pyi")
FUTURE = "from __future__ import annotations\n"
ENTRY = re.compile(r"(?P<names>\*{0,2}[\w-]+(?:(?:, | \.\.\. )\*{0,2}[\w-]+)*): +(?P<text>\S.*)")
"""What a section says of a parameter or an error, on its first line."""
SPECIAL = re.compile(r"([*|\\]|\b\w+_\b)")


def write_module(folder: Path) -> None:
    """Write the stub as nvme.py to a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "nvme.py").write_text(module(STUB.read_text()))


def module(stub: str) -> str:
    """A stub as a module that can be imported.

    Modules of pynvme that import nvme find its classes, since they are imported at its end.
    """
    lines = stub.splitlines(keepends=True)
    body = ast.parse(stub).body
    docstring = body[0].end_lineno or 0
    imports = {
        line
        for node in body
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("pynvme")
        for line in range(node.lineno - 1, node.end_lineno or node.lineno)
    }
    rest = [line for number, line in enumerate(lines) if number >= docstring and number not in imports]
    return "".join([*lines[:docstring], FUTURE, *rest, *(lines[number] for number in sorted(imports))])


def public() -> tuple[list[str], list[str], list[str]]:
    """Names of the classes, of the exceptions and of the functions, in the order of the stub."""
    classes: list[str] = []
    errors: list[str] = []
    functions: list[str] = []
    for node in ast.parse(STUB.read_text()).body:
        if isinstance(node, ast.ClassDef):
            is_error = any(isinstance(base, ast.Name) and base.id == "Exception" for base in node.bases)
            (errors if is_error else classes).append(node.name)
        elif isinstance(node, ast.FunctionDef):
            functions.append(node.name)
    return classes, errors, functions


def pages() -> dict[str, str]:
    """The pages of the module, with their text."""
    classes, errors, functions = public()
    made = {f"reference/nvme/{name}.md": page(name, "autoclass", [name]) for name in classes}
    made["reference/nvme/exceptions.md"] = page("Exceptions", "autoexception", errors)
    made["reference/nvme/functions.md"] = page("Functions", "autofunction", list(dict.fromkeys(functions)))
    listed = [name.removeprefix("reference/") for name in made]
    toc = "\n".join(["```{toctree}", ":maxdepth: 1", "", *listed, "```"])
    made["reference/nvme.md"] = f"# The module nvme\n\n```{{eval-rst}}\n.. automodule:: nvme\n```\n\n{toc}\n"
    return made


def page(title: str, directive: str, names: list[str]) -> str:
    """A page with some members of the module. A class has its members, and its special methods."""
    members = "\n   :members:\n   :special-members: __getitem__, __setitem__, __enter__, __exit__, __len__\n"
    options = members if directive == "autoclass" else ""
    body = "\n\n".join(f".. {directive}:: nvme.{name}{options}" for name in names)
    return f"# {title}\n\n```{{eval-rst}}\n{body}\n```\n"


def plain_text(app: object, what: str, name: str, thing: object, options: object, lines: list[str]) -> None:
    """Mark a docstring, which is plain text, as Sphinx expects it."""
    lines[:] = marked_up(lines)


def marked_up(lines: list[str]) -> list[str]:
    """Mark titles of sections, which end with a colon, their entries, and as code what else is indented."""
    made: list[str] = []
    number = 0
    while number < len(lines):
        line = lines[number]
        below = indented(lines, number + 1)
        if line.endswith(":") and below and lines[number + 1].strip():
            made += ["", f".. rubric:: {line[:-1]}", "", *section(dedented(below)), ""]
            number += len(below) + 1
        elif line.startswith(" "):
            below = indented(lines, number)
            made += ["", "::", "", *below, ""]
            number += len(below)
        else:
            made.append(text(line))
            number += 1
    return made


def indented(lines: list[str], start: int) -> list[str]:
    """The lines from one on that are indented or empty."""
    end = start
    while end < len(lines) and (not lines[end].strip() or lines[end].startswith(" ")):
        end += 1
    return lines[start:end]


def dedented(lines: list[str]) -> list[str]:
    """Lines with four blanks less."""
    return [line[4:] for line in lines]


def section(lines: list[str]) -> list[str]:
    """The entries of a section as a list of definitions, its examples as code, and its paragraphs."""
    made: list[str] = []
    number = 0
    while number < len(lines):
        line = lines[number]
        entry = ENTRY.fullmatch(line)
        below = indented(lines, number + 1)
        if line.startswith((">>>", " ")):
            end = next((at for at in range(number, len(lines)) if not lines[at].strip()), len(lines))
            made += ["::", "", *(f"    {one}" for one in lines[number:end]), ""]
            number = end
        elif entry:
            body = [entry["text"], *dedented(below)]
            made += [f"``{entry['names']}``", *(f"    {one}" for one in paragraphs(body)), ""]
            number += len(below) + 1
        else:
            made.append(text(line))
            number += 1
    return made


def paragraphs(lines: list[str]) -> list[str]:
    """The text of an entry, with what is indented in it as code."""
    made: list[str] = []
    is_code = False
    for line in lines:
        if line.startswith(" ") and not is_code:
            made += ["", "::", ""]
        elif is_code and not line.startswith(" "):
            made.append("")
        is_code = line.startswith(" ")
        made.append(line if is_code else text(line))
    return made


def text(line: str) -> str:
    """A line of text, with code in double backticks, and no character that means something to Sphinx."""
    parts = re.split(r"(`+[^`]+`+)", line)
    return "".join(
        f"``{part.strip('`')}``" if part.startswith("`") else SPECIAL.sub(r"\\\1", part) for part in parts
    )
