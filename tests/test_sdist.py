# SPDX-License-Identifier: BSD-3-Clause
"""The source distribution is the whole checkout: it builds, and its tests can be run."""

from __future__ import annotations

import importlib.metadata
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
OF_THE_REPOSITORY = {".gitignore", ".ci/run"}


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The paths in a fresh sdist.

    setuptools copies the whole source into the folder of setup.py, where linters that run at the same time
    would find the copy. So that folder is another one, with links to what the checkout has.
    """
    folder = tmp_path_factory.mktemp("sdist")
    (folder / "source").mkdir()
    for path in ROOT.iterdir():
        if path.name != "setup.py" and not path.name.endswith(".egg-info"):
            (folder / "source" / path.name).symlink_to(path)
    shutil.copy2(ROOT / "setup.py", folder / "source")  # it goes to the folder that really has it
    command = [sys.executable, "setup.py", "-q", "sdist", "--dist-dir", str(folder / "dist")]
    subprocess.run(command, cwd=folder / "source", check=True, capture_output=True, timeout=120)
    with tarfile.open(next((folder / "dist").iterdir())) as archive:
        return {member.name.split("/", 1)[1] for member in archive if member.isfile()}


def test_the_sdist_has_all_tests_and_what_they_need(packed: set[str]) -> None:
    git = ["git", "-C", str(ROOT), "ls-files", "-z"]
    done = subprocess.run(git, capture_output=True, text=True) if shutil.which("git") else None
    if done is None or done.returncode:
        pytest.skip("this is no git checkout")
    tracked = set(filter(None, done.stdout.split("\0")))
    assert tracked - packed - OF_THE_REPOSITORY == set()
    assert not [path for path in packed if path.endswith((".so", ".pyc", "bin/vssd"))]


def test_pynvme_is_a_command() -> None:
    scripts = importlib.metadata.entry_points()
    found = (
        scripts.select(group="console_scripts") if hasattr(scripts, "select") else scripts["console_scripts"]
    )
    assert [point.value for point in found if point.name == "pynvme"] == ["pynvme.__main__:main"]
    command = Path(sys.executable).with_name("pynvme")
    done = subprocess.run([command, "--help"], capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout.startswith("Usage: pynvme ")
