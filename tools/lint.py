# SPDX-License-Identifier: BSD-3-Clause
"""`make lint` runs all linters over all files. The last line names the linters that found something."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

BIN = Path(sys.executable).parent
ALLOWED = ["--allowlist", "tools/stubtest.allow", "--ignore-unused-allowlist"]


def linters(c_files: list[str]) -> dict[str, list[str]]:
    """The command of each linter, by its name."""
    cython = [str(path) for path in [*Path().glob("*.p[yx][xd]"), *Path("binding").glob("*.p[yx][xd]")]]
    return {
        "specgen": [sys.executable, "-m", "tools.specgen", "--check"],
        "clang-format": ["clang-format", "--dry-run", "-Werror", *c_files],
        "ruff": ["ruff", "check", "."],
        "ruff format": ["ruff", "format", "--check", "."],
        "mypy": ["mypy"],
        "stubtest": ["stubtest", "nvme", "--ignore-disjoint-bases", *ALLOWED],
        "cython-lint": ["cython-lint", *cython],
    }


def main(c_files: list[str]) -> int:
    """Run all linters. Return 1 if one of them found something."""
    environment = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}"}
    bad = []
    for name, command in linters(c_files).items():
        print(f"{name} …", flush=True)
        if subprocess.run(command, env=environment).returncode:
            bad.append(name)
    print(f"found something: {', '.join(bad)}" if bad else "nothing was found")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
