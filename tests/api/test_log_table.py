# SPDX-License-Identifier: BSD-3-Clause
"""A vendor's log page, described by a table as in a data sheet."""

import pytest
from click.testing import CliRunner

from pynvme import decode, log_table, spec
from pynvme.cli import main

TABLE = """
Erase counts

# bytes, name, meaning
3:0    least            erase count of the least worn block
7:4    most             erase count of the most worn block
8      flags            state
       bit 0     worn   a block is worn out
       bits 3:1  level  how worn
31:16  model:ascii      characters
47:32  counts:4         an array
63:48  raw:bytes        bytes as they are
65:64  heat:K
"""


def test_each_kind_of_field_is_decoded():
    kind = log_table.structure(TABLE)
    data = bytearray(80)
    data[0], data[4], data[8], data[16:20], data[36], data[48], data[64:66] = (
        7,
        9,
        0b1011,
        b"M 1 ",
        5,
        1,
        b"\x39\x01",
    )
    log = kind(data)
    assert (log.least, log.most, log.flags.worn, log.flags.level, log.model) == (7, 9, 1, 5, "M 1")
    assert list(log.counts) == [0, 5, 0, 0] and log.raw[0] == 1 and log.heat.celsius == 40
    assert (kind.SIZE, kind.TEXT) == (66, "Erase counts")
    assert "erase count of the most worn block" in repr(log) and "worn level=5" in repr(log)
    assert log.to_dict()["flags"] == 0b1011


def test_a_table_may_say_how_long_the_page_is():
    kind = log_table.structure(TABLE, 512)
    assert kind.SIZE == 512 and len(kind()) == 512
    with pytest.raises(ValueError, match="has 32 bytes, but its fields need 66"):
        log_table.structure(TABLE, 32)


@pytest.mark.parametrize(
    ("table", "text"),
    [
        ("", "describes no field"),
        ("title only", "describes no field"),
        ("0:3 least", "line 1: the last byte comes first"),
        ("3:0 least\nwhat is this", "line 2 is not BYTES NAME MEANING"),
        ("3-0 least", "line 1 is not BYTES NAME MEANING"),
        ("bit 0 worn", "line 1: bits need a field above"),
        ("3:0 a\n7:4 a", "line 2: a is there twice"),
        ("0 flags\nbit 8 worn", "flags has 8 bits, among which worn cannot be"),
        ("0 flags\nbits 0:3 worn", "flags has 8 bits, among which worn cannot be"),
        ("2:0 a:2", "a:2: the kind is ascii"),
        ("2:0 a:float", "a:float: the kind is ascii"),
    ],
)
def test_a_wrong_line_is_named(table, text):
    with pytest.raises(ValueError, match=text):
        log_table.structure(table)


def test_a_registered_table_decodes_the_log_page(nvme0, monkeypatch):
    monkeypatch.setattr(spec, "LOG_PAGES", dict(spec.LOG_PAGES))
    kind = decode.register(0x02, "Health\n2:1 heat:K temperature\n3 spare", 512)
    log = nvme0.log(2)
    assert type(log) is kind and log.heat == nvme0.smart.ctemp and len(log) == 512
    decode.register(0xCA, kind)
    assert spec.LOG_PAGES[0xCA] is kind
    with pytest.raises(ValueError, match="lid must be"):
        decode.register(0x100, kind)


def test_a_registered_page_is_the_vendors_and_not_ocps(monkeypatch):
    asked = []

    class Drive:
        mdts = 0

        @property
        def id_ctrl(self):
            raise AssertionError("the UUID of OCP is of no interest")

        def _ask(self, opcode, buf, nsid, *dwords):
            asked.append(dwords[4] if len(dwords) > 4 else 0)

    monkeypatch.setattr(spec, "LOG_PAGES", dict(spec.LOG_PAGES))
    kind = decode.register(0xC0, "Mine\n3:0 a")
    assert type(decode.log(Drive(), 0xC0)) is kind and asked == [0]


def test_the_command_line_takes_a_table(tmp_path, nvme0):
    table = tmp_path / "table.txt"
    table.write_text("Health\n2:1 heat:K temperature\n")
    done = CliRunner().invoke(main, ["log", "vssd:name=table,size=1M", "2", "--table", str(table)])
    assert done.output.startswith("Health, 3 bytes\n") and "303 K (30 °C)" in done.output
    table.write_text("0:3 least")
    done = CliRunner().invoke(main, ["log", "vssd:name=table,size=1M", "2", "--table", str(table)])
    assert done.exit_code == 1 and "the last byte comes first" in done.output
