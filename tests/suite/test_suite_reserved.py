# SPDX-License-Identifier: BSD-3-Clause
"""Reserved bytes and bits of structures and registers."""

from __future__ import annotations

from pynvme.spec import Csts, EffectsLog, IdentifyController, IdentifyNamespace, SmartLog
from pynvme.suite.reserved import in_use, in_use_of_word


def test_fields_are_not_reserved() -> None:
    data = bytearray(4096)
    data[0:2] = b"\x12\x34"
    data[3072] = 1  # vendor specific
    assert in_use(IdentifyController(data)) == []


def test_reserved_bytes_and_bits_are_named() -> None:
    data = bytearray(4096)
    data[24] = 0x80
    assert in_use(IdentifyNamespace(data)) == ["NSFEAT has 0x80"]
    data[24], data[200] = 0, 5
    assert in_use(IdentifyController(data)) == ["byte 200 is 0x5"]
    smart = bytearray(512)
    smart[300] = 1
    assert in_use(SmartLog(smart)) == ["byte 300 is 0x1"]


def test_reserved_bits_of_elements_are_named() -> None:
    data = bytearray(4096)
    data[2048 + 32 + 3] = 0x80
    assert in_use(IdentifyController(data)) == ["psd[1]: FLAGS has 0x80"]
    log = bytearray(4096)
    log[4 * 6 + 1] = 0x20
    assert in_use(EffectsLog(log)) == ["ACS[6] has 0x2000"]


def test_bits_of_registers() -> None:
    assert in_use_of_word(Csts(1)) == ""
    assert in_use_of_word(Csts(0x80000001)) == "CSTS has 0x80000000"
