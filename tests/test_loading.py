# SPDX-License-Identifier: BSD-3-Clause
"""If the driver cannot be imported, the command line and pytest report the cause."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from pynvme import loading

ROOT = Path(__file__).resolve().parent.parent
SUFFIX = sysconfig.get_config_var("EXT_SUFFIX")
MODULE = "extern int missing_part(void); int PyInit_nvme(void) { return missing_part(); }"


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """A folder for a module nvme that comes before the real one."""
    if not shutil.which("gcc"):
        pytest.skip("there is no C compiler")
    return tmp_path


def compiled(folder: Path, name: str, text: str, *words: str) -> Path:
    library = folder / name
    command = ["gcc", "-shared", "-fPIC", "-x", "c", "-", "-x", "none", "-o", str(library), *words]
    subprocess.run(command, input=text, text=True, check=True)
    return library


def python(folder: Path, *words: str) -> str:
    """The output of a Python with this folder first in its path; it must fail."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST")}
    environment["PYTHONPATH"] = f"{folder}{os.pathsep}{ROOT}"
    command = [sys.executable, *words]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=folder, timeout=60)
    assert done.returncode != 0
    return " ".join((done.stdout + done.stderr).split())


def test_an_undefined_symbol_is_not_called_not_built(broken: Path) -> None:
    compiled(broken, f"nvme{SUFFIX}", MODULE, "-Wl,-z,now")
    said = python(broken, "-m", "pynvme", "run")
    assert "is built and does not load" in said and "undefined symbol: missing_part" in said
    assert "not built" not in said and "make clean build" in said


def test_a_library_that_is_missing_is_named(broken: Path) -> None:
    part = compiled(
        broken, "libpart.so.1", "int missing_part(void) { return 0; }", "-Wl,-soname,libpart.so.1"
    )
    compiled(broken, f"nvme{SUFFIX}", MODULE, str(part))
    part.unlink()
    assert "Install the library libpart.so.1" in python(broken, "-m", "pynvme", "run")


def test_a_test_fails_with_the_same_cause(broken: Path) -> None:
    compiled(broken, f"nvme{SUFFIX}", MODULE, "-Wl,-z,now")
    (broken / "test_it.py").write_text("def test_it(nvme0):\n    nvme0.reset()\n")
    said = python(broken, "-m", "pytest", "-p", "no:cacheprovider", "test_it.py")
    assert "is built and does not load" in said and "undefined symbol: missing_part" in said


def test_a_module_for_another_python_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "nvme.cpython-36m-x86_64-linux-gnu.so").touch()
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    said = loading.why(ModuleNotFoundError("No module named 'nvme'", name="nvme"))
    assert "is not built for Python 3" in said and "nvme.cpython-36m-x86_64-linux-gnu.so" in said
    assert SUFFIX not in said


def test_another_package_that_is_missing_is_not_taken_for_the_driver() -> None:
    said = loading.why(ModuleNotFoundError("No module named 'numpy'", name="numpy"))
    assert "numpy is missing" in said and "driver" not in said


# The build refuses a module that would not load


def loads(module: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "tools/loads.py"), str(module)]
    return subprocess.run(command, capture_output=True, text=True)


def test_a_build_ends_with_an_error_where_the_module_would_not_load(broken: Path) -> None:
    done = loads(compiled(broken, "nvme.so", MODULE, "-Wl,-z,now"))
    assert done.returncode == 1 and "names that no library defines: missing_part" in done.stderr


def test_a_build_accepts_the_module_that_it_made() -> None:
    import nvme

    done = loads(Path(nvme.__file__))
    assert (done.returncode, done.stderr) == (0, "")


# Errors name what is missing


def test_all_that_a_build_needs_is_named_at_once_for_each_distribution(tmp_path: Path) -> None:
    environment = {"PATH": str(tmp_path), "CC": "no-compiler"}
    command = [sys.executable, str(ROOT / "tools/needs.py"), "sdist"]
    said = subprocess.run(command, env=environment, capture_output=True, text=True).stderr
    assert "apt-get install gcc libc6-dev linux-libc-dev make pkg-config libdpdk-dev" in said
    assert "dnf install gcc glibc-devel kernel-headers make pkgconf-pkg-config dpdk-devel" in said


def test_nothing_is_named_where_a_build_succeeded() -> None:
    if not shutil.which("pkg-config"):
        pytest.skip("this is no machine that builds")
    command = [sys.executable, str(ROOT / "tools/needs.py"), "sdist"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stdout.strip()) == (0, "")


def test_the_import_changes_no_signal() -> None:
    """A linked library could install a handler of SIGBUS, which repeats faults that are not its own."""
    code = "caught = lambda: [line for line in open('/proc/self/status') if line.startswith('SigCgt')]\n"
    code += "before = caught(); import nvme; assert caught() == before, (before, caught())"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=60)
