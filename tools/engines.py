# SPDX-License-Identifier: BSD-3-Clause
"""The engine of a run of tests, for tools/test.py and tools/test_qemu.py, and the table of docs/engines.md.

tools/engines.py            print the table of capabilities as Markdown
tools/engines.py --write    put it into docs/engines.md
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

OWN = "own"
PAGE = Path(__file__).parent.parent / "docs/engines.md"
BEGIN, END = "<!-- The table is made by tools/engines.py --write. -->\n", "<!-- Its end. -->\n"
COLUMNS = (("own", "pcie"), ("spdk", "pcie"), ("spdk", "vfio_user"))
"""Engine and kind of address of each column. The own engine withholds nothing, whatever the address."""
HEADS = ("capability", "what it is", "own", "spdk, PCIe", "spdk, vfio-user")

_NAMES = "import nvme; print(*(engine.name for engine in nvme.engines()))"


def selected() -> str:
    """The engine that the environment selects."""
    return os.environ.get("PYNVME_ENGINE") or OWN


def is_own() -> bool:
    """Whether that is pynvme's own."""
    return selected() == OWN


def missing() -> str:
    """A line for the user if this build lacks the selected engine; otherwise empty."""
    if is_own():
        return ""
    names = _of_this_build()
    if selected() in names:
        return ""
    return (
        f"PYNVME_ENGINE={selected()}: this build has only {' and '.join(names) or 'no engine at all'}, so no "
        "test ran. docs/engines.md says how to build with SPDK."
    )


def others() -> str:
    """A line for the user about the engines that a run with our own does not test."""
    names = [name for name in _of_this_build() if name != OWN]
    if names:
        return (
            f"With the engine {' or '.join(names)} nothing was tested: make test ENGINE={names[0]} does that."
        )
    return "This build has no SPDK, so nothing was tested with it (docs/engines.md)."


def _of_this_build() -> list[str]:
    """The names of the engines that this build has."""
    return subprocess.run([sys.executable, "-c", _NAMES], capture_output=True, text=True).stdout.split()


# The table


def rows(withheld: dict[tuple[str, str], dict[str, str]], titles: dict[str, str]) -> dict[str, list[str]]:
    """The cells of each column that is known, by capability: "yes", or the reason why not.

    `withheld` has what each column withholds, with reasons, and no entry for an engine that this build lacks.
    """
    return {
        name: [
            title,
            *("" if (at := withheld.get(column)) is None else at.get(name, "yes") for column in COLUMNS),
        ]
        for name, title in titles.items()
    }


def written() -> dict[str, list[str]]:
    """The rows of the page as it is."""
    text = PAGE.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0]
    lines = [line.strip("|").split(" | ") for line in text.splitlines()[2:]]
    return {cells[0].strip().strip("`"): [cell.strip() for cell in cells[1:]] for cells in lines}


def of_this_build() -> dict[str, list[str]]:
    """The rows as the engines of this build describe themselves; unknown cells are as on the page."""
    import nvme

    known = {
        (engine.name, kind): dict(getattr(engine, kind))
        for engine in nvme.engines()
        for kind in ("pcie", "vfio_user")
    }
    found = rows(known, nvme._capabilities())  # type: ignore[attr-defined]
    before = written()
    for name, cells in found.items():
        for column, cell in enumerate(cells):
            if not cell:
                cells[column] = before[name][column] if name in before else "?"
    return found


def markdown(found: dict[str, list[str]]) -> str:
    """The table."""
    lines = ["| " + " | ".join(HEADS) + " |", "|---" * len(HEADS) + "|"]
    lines += [f"| `{name}` | " + " | ".join(cells) + " |" for name, cells in found.items()]
    return "\n".join(lines) + "\n"


def main(words: list[str]) -> int:
    """Print the table, or write it."""
    table = markdown(of_this_build())
    if words != ["--write"]:
        print(table, end="")
        return 0
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    PAGE.write_text(before + BEGIN + table + END + rest.partition(END)[2], encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
