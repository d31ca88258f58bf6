# SPDX-License-Identifier: BSD-3-Clause
"""The build: the module `nvme`, the virtual SSD's executable, and the stubs that type checkers find.

What is compiled, and with which flags, stands in tools/native.mk; this file brings it into the shape
that pip knows.
"""

import contextlib
import fcntl
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT / "tools"))

import description  # noqa: E402
import docstrings  # noqa: E402
import needs  # noqa: E402

EXECUTABLE = Path("pynvme/bin/vssd")
# The oldest glibc that a wheel is for (tools/wheel); empty: this machine's.
GLIBC = os.environ.get("PYNVME_GLIBC", "")
LINKED = Path("build/release", f"glibc-{GLIBC}" if GLIBC else "")
# Signatures for help(), and nothing in the module that nobody wrote.
DIRECTIVES = {"language_level": "3", "binding": True, "auto_pickle": False, "autotestdict": False}


def stop(text: str) -> None:
    """End the build with one sentence: a traceback would hide what is to be done."""
    raise SystemExit(f"pynvme: {text}")


def check_tools() -> None:
    """What is missing is said before something fails that names it less well, and all of it at once."""
    missing = needs.missing("sdist")
    if missing:
        stop(f"cannot be built here. {needs.advice(missing)}")


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """One build of this checkout at a time; a second one waits and then finds everything done."""
    lock = Path("build/.lock")
    lock.parent.mkdir(exist_ok=True)
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def write_stubs() -> None:
    """nvme-stubs is nvme.pyi as a package: beside a compiled module type checkers look nowhere else."""
    stub = ROOT / "nvme-stubs" / "__init__.pyi"
    text = (ROOT / "nvme.pyi").read_text(encoding="utf-8")
    if not stub.exists() or stub.read_text(encoding="utf-8") != text:
        stub.parent.mkdir(exist_ok=True)
        stub.write_text(text, encoding="utf-8")


class BuildNative(build_ext):
    """Cython to C, then tools/native.mk: it compiles only what changed, and in parallel."""

    def build_extension(self, ext: Extension) -> None:
        check_tools()
        tag = sys.implementation.cache_tag
        module = LINKED / tag / f"{ext.name}.so"
        with alone():
            self.compile(tag, module)
        self.install(module, Path(self.get_ext_fullpath(ext.name)))
        self.install(LINKED / "vssd", Path(self.build_lib) / EXECUTABLE)

    def compile(self, tag: str, module: Path) -> None:
        source = self.cython(tag)
        self.make(
            "vssd",
            "module",
            f"PYTHON={sys.executable}",
            f"TAG={tag}",
            f"INCLUDE={sysconfig.get_path('include')}",
            f"MODULE_C={source}",
            f"MODULE={module}",
            f"LINKED={LINKED}",
            f"GLIBC={GLIBC}",
        )

    def copy_extensions_to_source(self) -> None:
        """What --inplace and an editable install are: the module in the root."""
        super().copy_extensions_to_source()
        self.install(LINKED / "vssd", EXECUTABLE)

    def cython(self, tag: str) -> Path:
        """nvme.pyx with its docstrings, as C."""
        from Cython.Build import cythonize

        try:
            source = docstrings.carry(ROOT, Path("build/pyx") / tag)
        except docstrings.Mismatch as error:
            stop(str(error))
        c_file = source.with_suffix(".c")
        changed = not c_file.exists() or c_file.stat().st_mtime < Path("setup.py").stat().st_mtime
        cythonize(
            [Extension("nvme", [str(source)])],
            include_path=["."],
            compiler_directives=DIRECTIVES,
            force=changed,
            quiet=not self.verbose,
        )
        return c_file

    def make(self, *words: str) -> None:
        jobs = self.parallel or len(os.sched_getaffinity(0))
        command = ["make", "--no-print-directory", "-f", "tools/native.mk", f"-j{jobs}", *words]
        if subprocess.run(command, cwd=ROOT).returncode:
            stop("the C did not compile; the messages are above")

    def install(self, built: Path, wanted: Path) -> None:
        """By a rename: a process that runs the old one keeps it."""
        wanted.parent.mkdir(parents=True, exist_ok=True)
        if wanted.exists() and wanted.stat().st_mtime >= built.stat().st_mtime:
            return
        fresh = wanted.with_name(f".{wanted.name}.{os.getpid()}")
        shutil.copy(built, fresh)
        fresh.replace(wanted)

    def get_outputs(self) -> "list[str]":
        return [*super().get_outputs(), str(Path(self.build_lib) / EXECUTABLE)]

    def get_output_mapping(self) -> "dict[str, str]":
        if not self.inplace:
            return {}
        return {**super().get_output_mapping(), str(Path(self.build_lib) / EXECUTABLE): str(EXECUTABLE)}


os.chdir(ROOT)
write_stubs()
setup(
    package_dir={
        "": "."
    },  # said, so that an editable install is a plain .pth file and costs nothing at start-up
    packages=[
        "pynvme",
        "pynvme.bugs",
        "pynvme.cli",
        "pynvme.lab",
        "pynvme.report",
        "pynvme.spec",
        "pynvme.suite",
        "pynvme.tcg",
        "pynvme.trace",
        "nvme-stubs",
    ],
    py_modules=["psd"],
    long_description=description.of((ROOT / "README.md").read_text(encoding="utf-8")),
    long_description_content_type="text/markdown",
    package_data={
        "nvme-stubs": ["__init__.pyi"],
        "pynvme": ["py.typed", "schemas/*.json"],
        "pynvme.lab": ["*.css"],
        "pynvme.report": ["*.css", "*.js"],
    },
    ext_modules=[Extension("nvme", ["nvme.pyx"])],
    cmdclass={"build_ext": BuildNative},
    zip_safe=False,
)
