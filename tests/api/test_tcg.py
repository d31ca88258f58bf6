# SPDX-License-Identifier: BSD-3-Clause
"""pynvme.tcg on a virtual SSD, and its tokens by their bytes."""

from __future__ import annotations

from typing import Any

import nvme as d
import pytest

from pynvme import tcg
from pynvme.tcg import Level0, Named, Opal, TcgError, Token, decode, encode

TOKENS = [
    (0, "00"),
    (63, "3f"),
    (64, "8140"),
    (256, "820100"),
    (0x12345678, "8412345678"),
    (1 << 63, "888000000000000000"),
    (True, "01"),
    (b"", "a0"),
    (b"abc", "a3616263"),
    (bytes(16), "d010" + "00" * 16),
    (bytes(2048), "e2000800" + "00" * 2048),
    ([1, [2]], "f001f002f1f1"),
    (Named(3, b"x"), "f203a178f3"),
    (Token.CALL, "f8"),
]


def test_tokens_by_their_bytes() -> None:
    for value, text in TOKENS:
        assert encode(value).hex() == text
        assert decode(bytes.fromhex(text)) == [value]
    assert decode(bytes.fromhex("ff01ffff7f91ff")) == [1, -1, -1], "empty atoms, signed integers"
    for wrong in (-1, 1 << 64):
        with pytest.raises(ValueError, match="integer atom"):
            encode(wrong)
    with pytest.raises(TypeError, match="not str"):
        encode("text")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text", ["81", "a3 61", "d0", "d0 10 00", "e2 00 00 02 00", "f0", "f0 01", "f2 01 f3", "f6", "e8"]
)
def test_a_malformed_stream_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"byte|stream"):
        decode(bytes.fromhex(text))


def test_level_0_discovery_of_another_drive() -> None:
    """The bytes of a drive with Opal 2, a Geometry that is aligned, and a feature of its vendor."""
    body = bytes.fromhex(
        "0001100c110000000000000000000000" + "0002100c2f0000000000000000000000"
        "0003101c0100000000000000" + "00000200" + "0000000000000008" + "0000000000000000"
        "02031010" + "1004" + "0001" + "00" + "0004" + "0009" + "00" + "ff" + "0000000000"
        "c0011004" + "01020304"
    )
    data = (44 + len(body)).to_bytes(4, "big") + bytes.fromhex("00000001") + bytes(40) + body
    level0 = Level0.decode(data.ljust(2048, b"\0"))
    assert level0.comid == 0x1004
    assert level0.ssc is not None and (level0.ssc.name, level0.ssc.users, level0.ssc.reverted_pin) == (
        "Opal 2",
        9,
        255,
    )
    locking = level0.locking
    assert locking.supported and locking.enabled and locking.locked and locking.mbr_done
    assert not locking.mbr_enabled
    assert level0[3].align and level0[3].alignment_granularity == 8
    assert level0[0xC001].data == bytes([1, 2, 3, 4]) and 0x404 not in level0
    assert "0203h Opal 2: base_comid=4100" in str(level0)
    with pytest.raises(AttributeError, match="has no field colour"):
        print(locking.colour)
    for bad in (data[:20], data[:60], data[:51] + b"\xff" + data[52:]):
        with pytest.raises(ValueError, match="Level 0 Discovery"):
            Level0.decode(bad)
    with pytest.raises(LookupError, match="no SSC"):
        print(Level0.decode((44).to_bytes(4, "big") + bytes(44)).comid)


def test_the_pin_of_sedutil() -> None:
    pin = tcg.sedutil_pin("debug", "S1")
    assert len(pin) == 32 and pin == tcg.sedutil_pin("debug", "S1".ljust(20))
    assert pin != tcg.sedutil_pin("debug", "S2")


def test_a_drive_without_tcg_is_refused() -> None:
    nvme0 = d.Controller(d.Pcie("vssd:name=no-tcg,size=16M"))
    failed = r"Security Receive .* failed with status 00/01"
    with pytest.warns(UserWarning, match="00/01"), pytest.raises(TcgError, match=failed) as error:
        Opal(nvme0)
    assert error.value.nvme_status == 0x001
    nvme0.pcie.close()


def test_a_drive_is_locked_unlocked_erased_and_reverted() -> None:
    nvme0 = d.Controller(d.Pcie("vssd:name=tcg,size=16M,tcg,serial=TCG"))
    ns, qpair, buf = d.Namespace(nvme0), d.Qpair(nvme0, 16), d.Buffer(4096)
    statuses: list[int] = []

    def note(cdw0: int, status: int) -> None:
        statuses.append(status >> 1 & 0x7FF)

    def access(lba: int) -> list[int]:
        statuses.clear()
        ns.read(qpair, buf, lba, 8, cb=note).waitdone()
        ns.write(qpair, buf, lba, 8, cb=note).waitdone()
        return statuses

    opal = Opal(nvme0)
    assert opal.msid() == b"MSID-TCG"
    opal.take_ownership("pin")
    opal.activate("pin")
    opal.set_range(1, 8, 16, pin="pin")
    ns.write(qpair, d.Buffer(4096), 8, 8).waitdone()
    opal.lock(1, pin="pin", write=False)
    with pytest.warns(UserWarning, match="ERROR status: 02/86"):
        assert access(8) == [0x286, 0]
    assert access(0) == [0, 0]
    opal.unlock(1, pin="pin")
    assert access(8) == [0, 0]
    opal.gen_key(1, pin="pin")
    ns.read(qpair, buf, 8, 8).waitdone()
    assert bytes(buf[:]) == bytes(4096)
    opal.write_mbr(0, b"boot", pin="pin")
    opal.set_mbr(pin="pin", enable=True, done=True)
    ns.write(qpair, d.Buffer(4096), 0, 8).waitdone()
    nvme0.reset()
    assert opal.discover().locking.mbr_done
    opal.set_mbr(pin="pin", done=False)
    qpair = d.Qpair(nvme0, 16)
    ns.read(qpair, buf, 0, 8).waitdone()
    assert bytes(buf[:8]) == b"boot" + bytes(4)
    opal.set_mbr(pin="pin", done=True)
    ns.write(qpair, d.Buffer(4096), 0, 8).waitdone()
    ns.flush(qpair).waitdone()
    d.Subsystem(nvme0).power_cycle(1)
    nvme0.reset()
    qpair = d.Qpair(nvme0, 16)
    ns.read(qpair, buf, 0, 8).waitdone()
    assert bytes(buf[:8]) == b"boot" + bytes(4), "the power cycle has cleared MBRDone"
    opal.revert_psid("PSID-TCG")
    assert ns.verify_stats().mismatch == 0
    assert not opal.is_active()
    nvme0.pcie.close()


class Recorded:
    """A drive that answers as the test says."""

    def __init__(self, *answers: bytes) -> None:
        self.answers = list(answers)
        self.sizes: list[int] = []

    def send(self, protocol: int, specific: int, data: bytes) -> None:
        self.sent = protocol, specific, data

    def receive(self, protocol: int, specific: int, size: int) -> bytes:
        self.sizes.append(size)
        return self.answers.pop(0).ljust(size, b"\0")


def level0_of_opal() -> bytes:
    body = bytes.fromhex("02031010" + "07fe" + "0001" + "00" + "0004" + "0008" + "00" * 7)
    return (44 + len(body)).to_bytes(4, "big") + bytes(44) + body


def answer(tokens: bytes) -> bytes:
    inner = (
        bytes(20) + (12 + len(tokens)).to_bytes(4, "big") + bytes(8) + len(tokens).to_bytes(4, "big") + tokens
    )
    return bytes(16) + len(inner).to_bytes(4, "big") + inner


def test_a_drive_that_works_on_it_or_has_more_to_say_is_asked_again() -> None:
    working = bytes(8) + (1).to_bytes(4, "big") + bytes(8)
    larger = bytes(8) + (3000).to_bytes(4, "big") * 2 + bytes(4)
    good = answer(encode([5], Token.END_OF_DATA, [0, 0, 0]))
    drive = Recorded(level0_of_opal(), working, larger, good)
    assert tcg.Tcg(drive).call(1, 2) == [5]
    assert drive.sizes == [2048, 2048, 2048, 3072]
    assert drive.sent[:2] == (1, 0x07FE)
    assert drive.sent[2][:6].hex() == "0000000007fe"


@pytest.mark.parametrize(
    ("answered", "text"),
    [
        (answer(encode([], Token.END_OF_DATA, [0x3F, 0, 0])), r"FAIL \(3Fh\)"),
        (answer(encode([], Token.END_OF_DATA, [0x77, 0, 0])), r"an unknown status \(77h\)"),
        (answer(b"\xf0"), "malformed"),
        (answer(b"\x01"), "by a status"),
        (bytes(20), "by a status"),
        (bytes(16) + b"\0\0\0\x40" + bytes(32) + b"\xff" * 8, "more than were received"),
    ],
)
def test_a_wrong_response_is_a_tcg_error(answered: bytes, text: str) -> None:
    with pytest.raises(TcgError, match=text):
        tcg.Tcg(Recorded(level0_of_opal(), answered)).call(1, 2)


def test_arguments_that_are_wrong() -> None:
    opal = Opal(Recorded(level0_of_opal()))
    wrong: list[Any] = [
        lambda: opal.unlock(-1, pin="x"),
        lambda: opal.lock(1, pin="x", user="Nobody"),
        lambda: opal.allow(1, pin="x"),
    ]
    for one in wrong:
        with pytest.raises(ValueError, match=r"Admin1|User1|range"):
            one()
