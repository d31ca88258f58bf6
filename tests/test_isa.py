# SPDX-License-Identifier: BSD-3-Clause
"""A module whose DPDK or SPDK was compiled for a newer processor is marked, so that its import fails."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from pynvme import loading
from tools import isa

SOURCE = "void twice(double *d) { for (int i = 0; i < 64; i++) d[i] *= 2; }"

pytestmark = pytest.mark.skipif(not shutil.which("gcc"), reason="there is no C compiler")


def compiled(folder: Path, level: str) -> str:
    made = folder / f"{level}.o"
    command = ["gcc", "-O3", f"-march={level}", "-c", "-x", "c", "-", "-o", str(made)]
    subprocess.run(command, input=SOURCE, text=True, check=True)
    return str(made)


@pytest.fixture(scope="module")
def objects(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The same function for processors of each level."""
    if subprocess.run(["gcc", "-march=x86-64-v4", "-E", "/dev/null"], capture_output=True).returncode:
        pytest.skip("this compiler knows no levels of processors")
    folder = tmp_path_factory.mktemp("levels")
    return {level: compiled(folder, level) for level in ("x86-64-v2", "x86-64-v3", "x86-64-v4")}


def test_the_level_is_that_of_the_instructions(objects: dict[str, str]) -> None:
    found = {level: isa.level(path) for level, path in objects.items()}
    assert found == {"x86-64-v2": "", "x86-64-v3": "x86-64-v3", "x86-64-v4": "x86-64-v4"}


def test_the_highest_level_of_all_archives_becomes_an_option(
    objects: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    if not isa.is_known("-Wl,-z,x86-64-v4"):
        pytest.skip("this linker cannot mark a module")
    isa.main([objects["x86-64-v3"], objects["x86-64-v4"], objects["x86-64-v2"]])
    isa.main([objects["x86-64-v2"]])
    isa.main([])
    assert capsys.readouterr().out == "-Wl,-z,x86-64-v4\n"


def test_an_option_that_the_linker_does_not_know_is_left_out() -> None:
    assert not isa.is_known("-Wl,-z,x86-64-v99")


def test_the_error_says_what_to_do() -> None:
    said = loading.why(ImportError("/a/nvme.so: CPU ISA level is lower than required"))
    assert "newer processor" in said and "--target-arch=x86-64-v2" in said
