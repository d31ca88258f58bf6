# SPDX-License-Identifier: BSD-3-Clause
"""docs/coverage.md is what the book, virtual SSDs and the suite say now."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "coverage.md"


def test_the_page_is_current() -> None:
    made = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "protocol.py")], capture_output=True, text=True, timeout=100
    )
    assert made.returncode == 0, made.stderr
    old, new = PAGE.read_text().splitlines(), made.stdout.splitlines()
    different = [line for line in new if line not in old] + [line for line in old if line not in new]
    assert not different, "run python tools/protocol.py > docs/coverage.md"


def test_each_command_of_the_interface_is_there() -> None:
    text = PAGE.read_text()
    classes = [
        node for node in ast.parse((ROOT / "nvme.pyi").read_text()).body if isinstance(node, ast.ClassDef)
    ]
    for owner in classes:
        if owner.name not in ("Controller", "Namespace"):
            continue
        methods = [
            item for item in owner.body if isinstance(item, ast.FunctionDef) and item.name != "send_cmd"
        ]
        for method in methods:
            if "cb" in [argument.arg for argument in method.args.args]:
                assert f"`{owner.name}.{method.name}`" in text, method.name
