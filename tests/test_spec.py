# SPDX-License-Identifier: BSD-3-Clause
"""The generated files match spec/, and are loaded only when used."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from spec.commands import ADMIN, COMMANDS, KV, NVM, ZNS
from spec.schema import Announced, Arg, Bits, Command, Field, Length, Structure
from spec.status import STATUS
from tools.specgen import check, cython

ROOT = Path(__file__).resolve().parent.parent
RUN = [sys.executable, "-m", "tools.specgen"]


def test_everything_that_is_made_from_spec_is_up_to_date() -> None:
    done = subprocess.run([*RUN, "--check"], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_file_that_was_edited_by_hand_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.syspath_prepend(str(ROOT))
    from tools.specgen import __main__ as specgen

    made = specgen.outputs()
    monkeypatch.setattr(specgen, "ROOT", tmp_path)
    for path, text in made.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    assert specgen.stale(made) == []
    header = tmp_path / "spec/nvme_cmd.h"
    header.write_text(header.read_text().replace("0x080", "0x081"))
    (tmp_path / "pynvme/spec/status.py").unlink()
    assert specgen.stale(made) == ["spec/nvme_cmd.h", "pynvme/spec/status.py"]


def test_importing_the_package_loads_none_of_its_modules() -> None:
    code = (
        "import sys, pynvme.spec\n"
        "assert not [name for name in sys.modules if name.startswith('pynvme.spec.')]\n"
        "assert pynvme.spec.Status.LBA_OUT_OF_RANGE == 0x080\n"
        "assert pynvme.spec.AdminOpcode.LOCKDOWN == 0x24\n"
        "assert 'pynvme.spec.status' in sys.modules and 'Status' in dir(pynvme.spec)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, timeout=60)


def test_a_name_that_there_is_not_is_an_attribute_error() -> None:
    import pynvme.spec

    with pytest.raises(AttributeError, match=r"pynvme\.spec has no Nonsense"):
        pynvme.spec.Nonsense  # noqa: B018


# ---- entries are consistent in themselves ----


def bits_of(field: Arg) -> set[tuple[int, int]]:
    """Dword and bit of each bit of a field; one of 64 bits goes on in the next dword."""
    return {(field.dword + bit // 32, bit % 32) for bit in range(field.low, field.top + 1)}


def of_command(command: Command) -> str:
    return f"{command.set}-{command.c}"


@pytest.mark.parametrize("command", COMMANDS, ids=of_command)
def test_fields_of_a_command_lie_in_its_dwords_and_do_not_overlap(command: Command) -> None:
    used: set[tuple[int, int]] = set()
    for field in command.fields:
        bits = bits_of(field)
        assert not used & bits, field.name
        assert {dword for dword, _ in bits} <= set(range(10, 16)), field.name
        used |= bits
    assert len({field.name for field in command.fields}) == len(command.fields)


@pytest.mark.parametrize("command", COMMANDS, ids=of_command)
def test_the_length_of_a_command_counts_fields_that_it_has(command: Command) -> None:
    names = {field.name for field in command.fields}
    length = command.length
    conditions = [condition[0] for condition in (length.when, length.other) if condition]
    assert {*length.fields, *conditions} <= names
    assert length.kind == "any" or command.opcode & 3, "its opcode says that it transfers nothing"


@pytest.mark.parametrize("command", COMMANDS, ids=of_command)
def test_a_default_fits_its_field(command: Command) -> None:
    for field in command.fields:
        assert field.default is None or 0 <= field.default < 1 << field.width, field.name
        assert not field.values or all(value.number < 1 << field.width for value in field.values.values), (
            field.name
        )


@pytest.mark.parametrize("commands", [ADMIN, NVM + ZNS, KV], ids=["admin", "io", "kv"])
def test_no_two_commands_of_a_table_have_one_opcode_or_one_name(commands: tuple[Command, ...]) -> None:
    for attribute in ("opcode", "c", "name"):
        values = [getattr(command, attribute) for command in commands]
        assert len(set(values)) == len(values), attribute


def test_no_two_statuses_have_one_number_or_one_name() -> None:
    for attribute in ("number", "name"):
        values = [getattr(value, attribute) for value in STATUS.values]
        assert len(set(values)) == len(values), attribute


# ---- entries that are wrong ----

A, B = Arg("a", 10, 0, 7), Arg("b", 10, 8, 15)
VERIFY = Command("nvm", 0x0C, "Verify", "VERIFY", "3.3.5", (A, B), announced=Announced("oncs", 1 << 7))


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"fields": (A, Arg("b", 10, 7, 9))}, "nvm 0Ch Verify: b overlaps a"),
        ({"fields": (A, Arg("a", 11, 0))}, "nvm 0Ch Verify: a is there 2 times"),
        ({"fields": (Arg("lambda", 10, 0),)}, "nvm 0Ch Verify: 'lambda' cannot be a name"),
        ({"fields": (Arg("cb", 10, 0),)}, "nvm 0Ch Verify: cb is already a parameter"),
        ({"fields": (Arg("a", 15, 0, 63),)}, "nvm 0Ch Verify: a is in dword 15, bits 63:0"),
        ({"fields": (Arg("a", 10, 7, 0),)}, "nvm 0Ch Verify: a is in dword 10, bits 0:7"),
        ({"fields": (Arg("a", 10, 0, 1, default=4),)}, "the default of a, 4, does not fit into 2 bits"),
        ({"length": Length("count", 4, ("numd",))}, "depends on numd, but its fields are a, b"),
        ({"length": Length("lba", 1)}, "the kind of its length is 'lba', which is none of any, fixed"),
        ({"length": Length("fixed", 4)}, "opcode 0Ch say that it transfers nothing, but it has a length"),
        ({"changes": "rnage"}, "`changes` is 'rnage', which is none of none, range"),
        ({"effects": ("lbc",)}, "an effect is 'lbc'"),
        ({"set": "nvme"}, "its set is 'nvme'"),
        ({"opcode": 0x10C}, "opcode 0x10c has more than 8 bits"),
        ({"announced": Announced("onsc", 1)}, "onsc, which announces it, is no field of Identify Controller"),
    ],
)
def test_a_command_that_is_wrong_is_named_with_what_is_wrong(change: dict[str, Any], text: str) -> None:
    assert list(check.of_commands([VERIFY], ["oncs"])) == []
    found = list(check.of_commands([replace(VERIFY, **change)], ["oncs"]))
    assert any(text in problem for problem in found), found


def test_commands_with_one_opcode_are_named() -> None:
    append = replace(VERIFY, set="zns", name="Zone Append")
    assert list(check.of_commands([VERIFY, append], ["oncs"])) == [
        "zns 0Ch Zone Append: the opcode is that of Verify"
    ]
    assert list(check.of_commands([VERIFY, replace(VERIFY, set="kv")], ["oncs"])) == []


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ((Field("a", 0, 4), Field("b", 3, 2)), "b overlaps a"),
        ((Field("a", 60, 8),), "a ends at byte 68, behind the structure of 64 bytes"),
        ((Field("a", 0, 1, kind="int"),), "the kind of a is 'int'"),
        ((Field("a", 0, 4, kind="struct"),), "a does not say of which struct it is"),
        (
            (Field("a", 8, 1, count=0, counted_by="n"), Field("n", 0, 2)),
            "a is counted by n, but the fields before",
        ),
        ((Field("a", 0, 1, bits=(Bits("top", 8),)),), "a: top is in bits 8:8 of a word of 8 bits"),
        ((Field("a b", 0),), "'a b' cannot be a name"),
    ],
)
def test_a_structure_that_is_wrong_is_told_what_is_wrong(fields: tuple[Field, ...], text: str) -> None:
    found = list(check.of_structure(Structure("Test", "", 64, fields)))
    assert any(text in problem for problem in found), found


def test_nothing_is_written_from_a_wrong_book(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from spec import commands
    from tools.specgen import __main__ as specgen

    monkeypatch.setattr(specgen, "ROOT", tmp_path)
    monkeypatch.setattr(sys, "argv", ["specgen"])
    monkeypatch.setattr(commands, "COMMANDS", (*COMMANDS, replace(COMMANDS[0], name="Twin")))
    assert specgen.main() == 1 and list(tmp_path.iterdir()) == []
    said = capsys.readouterr().err
    assert (
        "spec/commands.py: " in said
        and "Twin: the opcode is that of" in said
        and "Nothing was written" in said
    )


# ---- methods that are made from an entry ----

FIELDS = (
    Arg("a", 10, 8, 15, default=None),
    Arg("b", 10, 0, default=1),
    Arg("c", 12, 0, 63),
)


def made_method(opcode: int, **options: Any) -> Any:
    """The function that the generator makes of an entry, as Python, and what it would send."""
    command = Command("admin", opcode, "Test", "TEST", "1", FIELDS, method="test", **options)
    source = "\n".join(cython.method(command)).replace("@_named\n", "")
    scope: dict[str, Any] = {"_field": lambda value, bits, name: value}
    exec(source, scope)
    sent: dict[str, Any] = {}
    self = SimpleNamespace(send_cmd=lambda opcode, **words: sent.update(words, opcode=opcode))
    return lambda *args, **words: scope["test"](self, *args, **words) or sent


def test_a_method_puts_each_field_where_its_entry_says() -> None:
    sent = made_method(0xC0)(0xAB, c=0x0123456789ABCDEF)
    assert sent == {"opcode": 0xC0, "cdw10": 0xAB01, "cdw12": 0x89ABCDEF, "cdw13": 0x01234567, "cb": None}


def test_a_method_takes_a_buffer_and_a_namespace_where_the_command_has_them() -> None:
    sent = made_method(0xC1, nsid=0xFFFFFFFF)(0, 0, buf="data")
    assert (sent["buf"], sent["nsid"], sent["cdw10"]) == ("data", 0xFFFFFFFF, 0)
    assert "buf" not in made_method(0xC0)(0) and "nsid" not in made_method(0xC0)(0)
