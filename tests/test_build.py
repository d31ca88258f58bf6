# SPDX-License-Identifier: BSD-3-Clause
"""The build: a module that starts nothing on import and has its docstrings, and the virtual SSD beside it."""

from __future__ import annotations

import ast
import inspect
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
NO_BYTECODE = shutil.ignore_patterns("__pycache__")
"""Interpreters that run at the same time write and rename files there."""

# Counts what belongs to this process before and after the import, in a process that has done nothing else.
COUNT = """
import json, os, sys
def state():
    me = "/proc/self"
    return {
        "threads": len(os.listdir(f"{me}/task")),
        "children": len(open(f"{me}/task/{os.getpid()}/children").read().split()),
        "descriptors": sorted(os.readlink(f"{me}/fd/{fd}") for fd in os.listdir(f"{me}/fd")
                              if os.path.exists(f"{me}/fd/{fd}")),
        "hugepages": sorted(os.listdir("/dev/hugepages")) if os.path.isdir("/dev/hugepages") else [],
        "shared memory": sorted(line.split()[-1] for line in open(f"{me}/maps") if "memfd:" in line),
        "signals": [line for line in open(f"{me}/status") if line.startswith(("SigCgt", "SigIgn", "SigBlk"))],
        "affinity": sorted(os.sched_getaffinity(0)),
    }
before = state()
import nvme
after = state()
print(json.dumps([before, after, sorted({name.split(".")[0] for name in sys.modules})]))
"""


def python(*words: str) -> str:
    """What a fresh interpreter prints."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST")}
    done = subprocess.run(
        [sys.executable, *words], env=environment, stdout=subprocess.PIPE, text=True, timeout=60
    )
    assert done.returncode == 0
    return done.stdout


@pytest.mark.parametrize("fault", ["file", "file after a drive was opened"])
def test_an_access_beyond_the_end_of_a_mapped_file_ends_the_process(fault: str) -> None:
    """No handler of SIGBUS drops a fault that it does not know: the access would be repeated for ever."""
    opened = "" if fault == "file" else "nvme.Pcie('vssd:size=16M,name=bus')"
    script = f"""
import mmap, os, resource, nvme
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
{opened}
fd = os.memfd_create("short")
os.ftruncate(fd, 4096)
memory = mmap.mmap(fd, 4096)
os.ftruncate(fd, 0)
memory[0]
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, timeout=60)
    assert done.returncode == -signal.SIGBUS


def test_importing_nvme_starts_nothing() -> None:
    before, after, _ = json.loads(python("-c", COUNT))
    assert before == after


def test_importing_nvme_loads_no_heavy_package() -> None:
    _, _, modules = json.loads(python("-c", COUNT))
    assert {"numpy", "pytest", "rich", "click"}.isdisjoint(modules)


def test_the_version_is_told_in_one_place() -> None:
    import nvme

    import pynvme

    assert nvme.__version__ == pynvme.__version__
    assert (
        nvme.__version__ == python("-c", "import importlib.metadata as m; print(m.version('pynvme'))").strip()
    )


def test_the_virtual_ssd_needs_the_c_library_alone() -> None:
    executable = Path(__import__("pynvme").__file__).parent / "bin" / "vssd"
    done = subprocess.run(["readelf", "-d", str(executable)], check=True, stdout=subprocess.PIPE, text=True)
    needed = [line.split("[")[1].split("]")[0] for line in done.stdout.splitlines() if "(NEEDED)" in line]
    assert set(needed) <= {"libc.so.6", "libm.so.6", "libpthread.so.0"}


def has_spdk() -> bool:
    import nvme

    return any(engine.name == "spdk" for engine in nvme.engines())


C_LIBRARY = {"libc", "libm", "libdl", "libpthread", "librt", "ld-linux-x86-64"}
NAMED_BY_SPDK = {
    *("libaio", "libarchive", "libbsd", "libcrypto", "libfuse3", "libibverbs", "libjson-c"),
    *("libnuma", "librdmacm", "libssl", "liburing", "libuuid"),
}
"""The system's libraries in SPDK's package spdk_syslibs, with any of its options."""


def test_the_module_needs_the_c_library_alone_and_what_spdk_names() -> None:
    import nvme

    done = subprocess.run(["readelf", "-d", nvme.__file__], check=True, stdout=subprocess.PIPE, text=True)
    needed = {line.split("[")[1].split(".so")[0] for line in done.stdout.splitlines() if "(NEEDED)" in line}
    assert needed <= C_LIBRARY | (NAMED_BY_SPDK if has_spdk() else set())


# A build without SPDK


def commands_of_a_build(folder: Path, *words: str) -> str:
    """All commands that make the module from its sources, in a tree of its own."""
    source = folder / "build/nvme.c"
    source.parent.mkdir(exist_ok=True)
    source.touch()
    command = ["make", "-n", "-B", "-f", "tools/native.mk", f"PYTHON={sys.executable}", "TAG=any", *words]
    command += ["INCLUDE=/include", "MODULE_C=build/nvme.c", "MODULE=build/nvme.so", "module"]
    done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, text=True, timeout=60)
    assert done.returncode == 0
    return done.stdout.replace(str(folder), "")


@pytest.mark.skipif(not shutil.which("pkg-config"), reason="this is no machine that builds")
def test_a_build_without_spdk_is_that_of_a_tree_without_its_folder(tmp_path: Path) -> None:
    """The same commands on the same sources: so the module is the same, byte by byte."""
    for name in ("with", "without"):
        for folder in ("core", "spec", "vssd", "tools", "spdk"):
            if (name, folder) != ("without", "spdk"):
                shutil.copytree(ROOT / folder, tmp_path / name / folder, ignore=NO_BYTECODE)
    left_out = commands_of_a_build(tmp_path / "with", "PYNVME_SPDK=0")
    assert left_out.count(" -c ") > 50
    assert left_out == commands_of_a_build(tmp_path / "without", "PYNVME_SPDK=0")
    assert "spdk/" not in left_out and "PYN_WITH_SPDK" not in left_out and "wrap=spdk" not in left_out


def test_a_module_has_all_of_spdk_or_nothing() -> None:
    import nvme

    module = Path(nvme.__file__).read_bytes()
    names = (b"pyn_engine_spdk", b"pyn_spdk_", b"spdk_nvme_", b"spdk_env_", b"spdk/")
    assert [name in module for name in names] == [has_spdk()] * len(names)


# Docstrings


def documented(body: list[ast.stmt], owner: str = "") -> Iterator[tuple[str, str]]:
    """Dotted name and docstring of everything in nvme.pyi that has one."""
    for node in body:
        if isinstance(node, (ast.ClassDef, ast.FunctionDef)):
            text = ast.get_docstring(node)
            if text:
                yield f"{owner}{node.name}", text
        if isinstance(node, ast.ClassDef):
            yield from documented(node.body, f"{node.name}.")


STUB = ROOT / "nvme.pyi"
IN_STUB = dict(documented(ast.parse(STUB.read_text()).body)) if STUB.exists() else {}


def look_up(name: str) -> Any:
    import nvme

    found: Any = nvme
    for part in name.split("."):
        found = inspect.getattr_static(found, part)
    return found


def test_the_stub_has_docstrings() -> None:
    assert len(IN_STUB) > 50


@pytest.mark.parametrize("name", [name for name in IN_STUB if not name.endswith("__")])
def test_help_shows_the_docstring_of_the_stub(name: str) -> None:
    shown = inspect.cleandoc(look_up(name).__doc__ or "")
    assert shown.strip() == IN_STUB[name].strip()


@pytest.mark.parametrize("name", ["Controller.identify", "Namespace.read", "Qpair.waitdone"])
def test_help_shows_names_and_defaults_of_parameters(name: str) -> None:
    assert "=" in str(inspect.signature(look_up(name)))


def test_help_shows_how_an_object_is_made() -> None:
    import nvme

    assert str(inspect.signature(nvme.Buffer)) == "(size=4096, name='buffer', pvalue=0, ptype=0, *, cmb=None)"


# The step that copies them


@pytest.fixture
def docstrings(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    return __import__("docstrings")


def carried(docstrings: Any, stub: str, source: str) -> str:
    carrier = docstrings.Carrier(docstrings.read_stub(stub))
    text: str = carrier.carry(source)
    carrier.check()
    return text


STUB_OF_F = 'def f(x: int) -> int:\n    """Doubles x."""\n'


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("def f(x):\n    return x\n", 'def f(x):\n    "Doubles x."\n    return x\n'),
        ("def f(x): return x\n", 'def f(x):\n    "Doubles x."\n    return x\n'),
        (
            "cpdef int f(int x) except -1:\n    return x\n",
            'cpdef int f(int x) except -1:\n    "Doubles x."\n    return x\n',
        ),
        (
            "def f(x,  # a colon: in a comment\n      y=':'):\n  return x\n",
            "def f(x,  # a colon: in a comment\n      y=':'):\n  \"Doubles x.\"\n  return x\n",
        ),
        ("def f(x):\n    # why\n    return x\n", 'def f(x):\n    "Doubles x."\n    # why\n    return x\n'),
        (
            "y = f'def f(x):'\n\ndef f(x): return x\n",
            "y = f'def f(x):'\n\ndef f(x):\n    \"Doubles x.\"\n    return x\n",
        ),
        ('def f(x):\n    """Its own."""\n    return x\n', 'def f(x):\n    """Its own."""\n    return x\n'),
        (
            "if True:\n    def f(x):\n        return x\n",
            'if True:\n    def f(x):\n        "Doubles x."\n        return x\n',
        ),
    ],
)
def test_a_docstring_goes_below_its_function(docstrings: Any, source: str, expected: str) -> None:
    assert carried(docstrings, STUB_OF_F, source) == expected


def test_a_part_of_a_class_is_put_in_where_it_is_included(docstrings: Any, tmp_path: Path) -> None:
    (tmp_path / "part.pxi").write_text("def f(self):\n    return 1\n")
    source = 'cdef class A:\n    x = 1\n\n    include "part.pxi"\n\n    y = 2\n'
    made = docstrings.expand(tmp_path, source)
    assert made == "cdef class A:\n    x = 1\n\n    def f(self):\n        return 1\n\n    y = 2\n"
    assert docstrings.expand(tmp_path, 'include "part.pyx"\n') == 'include "part.pyx"\n'


def test_quotes_backslashes_and_lines_survive(docstrings: Any) -> None:
    text = 'A "quoted" \\n, a\ttab, é.\n\n    indented'
    stub = f"def f() -> None:\n    {text!r}\n"
    source = carried(docstrings, stub, "def f():\n    pass\n")
    made = ast.get_docstring(ast.parse(source).body[0])  # type: ignore[arg-type]
    assert made == inspect.cleandoc(text)


def test_the_module_is_documented_below_its_comments(docstrings: Any) -> None:
    carrier = docstrings.Carrier(docstrings.read_stub('"""The module."""\n'))
    made = carrier.carry("# cython: language_level=3\n\nimport os as _os\n", first=True)
    assert made.startswith('# cython: language_level=3\n\n"The module.\\n')
    assert made.endswith('"\nimport os as _os\n')


def test_the_module_lists_the_public_members_of_its_classes(docstrings: Any) -> None:
    stub = "class A:\n    x: int\n    def m(self) -> None: ...\n    def _p(self) -> None: ...\nclass E: ...\n"
    lines = docstrings.contents(docstrings.read_stub(stub)).splitlines()
    assert [line.split() for line in lines[2:]] == [["A", "x,", "m"]]


def test_help_names_each_member_at_its_top_and_repeats_nothing_of_python_s_own_classes() -> None:
    import pydoc

    import nvme

    text = pydoc.plain(pydoc.render_doc(nvme))
    top = text[: text.index("\nCLASSES\n")]
    for name in (
        "identify",
        "zns_mgmt_receive",
        "waitdone",
        "iops_consistency",
        "power_cycle",
        "set_dsm_range",
    ):
        assert re.search(rf"\b{name}\b", top), name
    assert not re.search("with_traceback|add_note|__setstate__|setdefault|popitem", text)


def test_the_description_of_a_wheel_has_no_link_into_the_checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    made = __import__("description").of((ROOT / "README.md").read_text())
    assert "docs/design.md: how it is built" in made
    assert re.findall(r"\]\((?!https?:)", made) == []
    assert __import__("description").of("[a](https://b) and [c](d.md)") == "[a](https://b) and c"


def test_a_property_is_documented_and_its_setter_is_not(docstrings: Any) -> None:
    stub = """
class A:
    @property
    def p(self) -> int:
        "Bytes."
    @p.setter
    def p(self, v: int) -> None: ...
"""
    getter = "    @property\n    def p(self):\n        return 1\n"
    setter = "    @p.setter\n    def p(self, v):\n        pass\n"
    made = carried(docstrings, stub, f"cdef class A:\n{getter}{setter}")
    assert made.count("Bytes.") == 1
    assert made.index("Bytes.") < made.index("setter")


def test_an_extension_type_says_how_it_is_made(docstrings: Any) -> None:
    stub = (
        'class A:\n    """An A."""\n    def __init__(self, size: int = 3, *, name: str = "x") -> None: ...\n'
    )
    made = carried(
        docstrings, stub, "cdef class A:\n    def __cinit__(self, size=3, *, name='x'):\n        pass\n"
    )
    assert "\"A(size=3, *, name='x')\\n--\\n\\nAn A.\"" in made


@pytest.mark.parametrize(
    ("stub", "source", "named"),
    [
        (STUB_OF_F, "x = 1\n", "f is in nvme.pyi and not in the sources"),
        ("", "def f():\n    pass\n", "f is in the sources and not in nvme.pyi"),
        ("class A: ...\n", "cdef class A:\n    def m(self):\n        pass\n", "A.m is in the sources"),
        ("class A:\n    def m(self) -> None: ...\n", "cdef class A:\n    cdef int m\n", "A.m is in nvme.pyi"),
        (
            "class A: ...\n",
            "cdef class A:\n    cdef public int x, y  # why, and so on\n",
            "A.y is in the sources",
        ),
    ],
)
def test_a_name_that_only_one_side_has_stops_the_build(
    docstrings: Any, stub: str, source: str, named: str
) -> None:
    with pytest.raises(docstrings.Mismatch, match=named):
        carried(docstrings, stub, source)


STUB_OF_A_AND_B = """
class A:
    def m(self) -> None: ...
class B(A):
    def m(self) -> None: ...
"""
A_AND_B = """
cdef class A:
    def _p(self): pass
    def m(self): pass
cdef class B(A):
    pass
"""


@pytest.mark.parametrize(
    ("stub", "source"),
    [
        ("", "cdef int f() except -1:\n    def g():\n        pass\n    return 1\n"),
        ("", "def _f():\n    pass\n"),
        ("x: int\n", "from a import (b,\n    x)\n"),
        ("class A:\n    x: int\n", "cdef class A:\n    cdef readonly int x\n"),
        ("class A:\n    x: int\n", "class A:\n    def _m(self):\n        self.x = 1\n"),
        (STUB_OF_A_AND_B, A_AND_B),
    ],
)
def test_private_inherited_and_imported_names_are_left_alone(docstrings: Any, stub: str, source: str) -> None:
    carried(docstrings, stub, source)
