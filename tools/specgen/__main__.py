# SPDX-License-Identifier: BSD-3-Clause
"""python -m tools.specgen [--check]"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tools.specgen import book, c_fields, c_header, c_table, check, cython, json_schema, python

ROOT = Path(__file__).resolve().parents[2]


def outputs() -> dict[str, str]:
    """All generated files, by path."""
    made = {f"spec/{header.file}": c_header.render(header, name) for header, name in book.headers().items()}
    made["spec/nvme_field.h"] = c_fields.render()
    made["spec/commands.c"] = c_table.render()
    made["binding/admin_commands.pxi"] = cython.render()
    made["binding/features.pxi"] = cython.render_features()
    made["pynvme/schemas/structures.json"] = json_schema.render()
    made.update(python.package(book.modules()))
    return made


def stale(made: dict[str, str]) -> list[str]:
    """The files that are missing or not up to date."""
    return [
        path
        for path, text in made.items()
        if not (ROOT / path).is_file() or (ROOT / path).read_text(encoding="utf-8") != text
    ]


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tools.specgen", description="Write what spec/ describes."
    )
    parser.add_argument(
        "--check", action="store_true", help="name the files that are not up to date, and fail"
    )
    only_check = parser.parse_args().check
    wrong = check.problems(book.modules())
    if wrong:
        print(*wrong, "Nothing was written.", sep="\n", file=sys.stderr)
        return 1
    made = outputs()
    changed = stale(made)
    for path in changed:
        print(path if not only_check else f"{path} is not up to date with spec/: run python -m tools.specgen")
        if not only_check:
            (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
            (ROOT / path).write_text(made[path], encoding="utf-8")
    return 1 if only_check and changed else 0


if __name__ == "__main__":
    sys.exit(main())
