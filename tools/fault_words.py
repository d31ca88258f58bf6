# SPDX-License-Identifier: BSD-3-Clause
"""Write the tables of docs/faults.md from what the virtual SSD says of its words (``vssd --faults-help``).

Run ``python -m tools.fault_words`` after a change of vssd/fault/words.c. A test compares page and program.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs/faults.md"


def words(program: str) -> dict[str, list[dict[str, Any]]]:
    """All words of the language, as the program lists them."""
    done = subprocess.run([program, "--faults-help"], check=True, capture_output=True, timeout=20)
    found: dict[str, list[dict[str, Any]]] = json.loads(done.stdout)
    return found


def cell(text: str) -> str:
    return text.replace("|", "\\|")


def conditions(found: dict[str, list[dict[str, Any]]]) -> list[str]:
    rows = ["| condition | value | holds if |", "|---|---|---|"]
    rows += [
        f"| `{one['name']}` | {cell(one['takes'])} | {cell(one['help'])} |" for one in found["conditions"]
    ]
    return rows


def fields(found: dict[str, list[dict[str, Any]]]) -> list[str]:
    rows = ["| field | bits | of | what |", "|---|---|---|---|"]
    rows += [
        f"| `{one['name']}` | {one['bits']} | {one['of']} | {cell(one['help'])} |" for one in found["fields"]
    ]
    return rows


def actions(found: dict[str, list[dict[str, Any]]]) -> list[str]:
    rows = ["| action | at | what it does | words | example |", "|---|---|---|---|---|"]
    for one in found["actions"]:
        name = one["name"] if one["takes"] == "no value" else f"{one['name']}=…"
        after = ", ".join(f"`{word}`" for word in one["words"])
        places = ", ".join(one["places"]) if len(one["places"]) < 7 else "any place"
        rows.append(f"| `{name}` | {places} | {cell(one['help'])} | {after} | `{cell(one['example'])}` |")
    return rows


def after_actions(found: dict[str, list[dict[str, Any]]]) -> list[str]:
    rows = ["| word | value | what it says |", "|---|---|---|"]
    rows += [f"| `{one['name']}` | {cell(one['takes'])} | {cell(one['help'])} |" for one in found["words"]]
    return rows


def page(text: str, found: dict[str, list[dict[str, Any]]]) -> str:
    """The page with its tables made anew."""
    tables = {"conditions": conditions, "fields": fields, "actions": actions, "words": after_actions}
    for name, make in tables.items():
        table = "\n".join(make(found))
        text = re.sub(
            rf"(<!-- {name} -->\n).*?(\n<!-- end -->)",
            lambda match, table=table: f"{match[1]}{table}{match[2]}",  # type: ignore[misc]
            text,
            flags=re.DOTALL,
        )
    return text


if __name__ == "__main__":
    program = sys.argv[1] if len(sys.argv) > 1 else str(ROOT / "pynvme/bin/vssd")
    PAGE.write_text(page(PAGE.read_text(), words(program)))
