# SPDX-License-Identifier: BSD-3-Clause
"""`make docs`: the navigation, the links, and the reference that is generated."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pynvme.cli.registry import COMMANDS
from tools.site import book, interface, options, pages

ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def in_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


def test_the_index_leads_to_each_page() -> None:
    index = pages.pages(["reference/nvme.md"])["index.md"]
    for name in pages.in_site().values():
        if name != "index.md":
            assert f"\n{name}\n" in index, f"docs/index.md has no link to {name}"
    assert "\nreference/nvme.md\n" in index


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        ("[README](../../README.md)", "[README](../readme.md)"),
        ("[tests.md](tests.md#fixtures)", "[Writing tests](tests.md#fixtures)"),
        ("[design.md](../design.md)", "[How pynvme is built](../design.md)"),
        ("[scripts](../../tests/scripts)", "`tests/scripts`"),
        ("[above](#above)", "[above](#above)"),
        ("[NVMe](https://nvmexpress.org)", "[NVMe](https://nvmexpress.org)"),
    ],
)
def test_a_link_holds_in_the_site(link: str, expected: str) -> None:
    assert pages.relinked(f"See {link}.", "docs/how-to/ci.md", pages.in_site()) == f"See {expected}."


def test_code_keeps_what_looks_like_a_link() -> None:
    text = "```python\nx = [a](../README.md)\n```"
    assert pages.relinked(text, "docs/how-to/ci.md", pages.in_site()) == text


def test_a_docstring_becomes_marked_up() -> None:
    text = """Read *all* of a_.

Args:
    lba: the first LBA,
        see `Buffer`
            0   one
    cdw10 ... cdw15: dwords

Example:
    >>> read()

    a table"""
    assert "\n".join(interface.marked_up(text.splitlines())) == (
        "Read \\*all\\* of \\a_.\n\n\n.. rubric:: Args\n\n"
        "``lba``\n    the first LBA,\n    see ``Buffer``\n    \n    ::\n    \n        0   one\n\n"
        "``cdw10 ... cdw15``\n    dwords\n    \n\n\n\n.. rubric:: Example\n\n"
        "::\n\n    >>> read()\n\n\na table\n"
    )


def test_the_reference_has_each_field_with_its_place_and_unit() -> None:
    smart = book.page("logs", "Log pages")
    assert "| 2:1 | `ctemp`, `composite_temperature` | Kelvin | composite temperature |" in smart
    assert "| bits 0 | `cw.ascbt` |" in smart
    assert "Section 5.1.12.1.3" in smart
    assert "| 0x80 | `LBA_OUT_OF_RANGE` |" in book.page("status", "Statuses")


def test_the_reference_has_each_command_and_option() -> None:
    page = options.command_line()
    assert [name for name in COMMANDS if f"\n## pynvme {name}\n" not in page] == []
    assert "\n### pynvme vssd peek\n" in page
    assert all(
        option in options.pytest_options() for option in ("--pciaddr", "--nvme-report", "--check-seed")
    )


def test_sphinx_can_import_the_stub(tmp_path: Path) -> None:
    interface.write_module(tmp_path)
    script = "import nvme; print(nvme.__file__, nvme.__doc__[:11], nvme.Sgl.__name__)"
    environment = {"PYTHONPATH": str(ROOT)}
    words = [sys.executable, "-c", script]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, env=environment)
    assert (done.stdout, done.stderr) == (f"{tmp_path / 'nvme.py'} NVMe SSD te Sgl\n", "")


@pytest.mark.slow
def test_the_site_is_made_without_a_warning() -> None:
    done = subprocess.run([sys.executable, "-m", "tools.site"], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert (ROOT / "build/site/html/reference/nvme/Namespace.html").exists()
