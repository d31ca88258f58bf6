# SPDX-License-Identifier: BSD-3-Clause
"""Commands of vendors: their names and fields on the host, and answers that a virtual SSD is given."""

from __future__ import annotations

import nvme as d
import pytest

from pynvme import vendor
from pynvme.vssd import VirtualSsd

pytestmark = pytest.mark.usefixtures("forgets_vendor")


@pytest.fixture(scope="module")
def drive():
    nvme0 = d.Controller(d.Pcie("vssd:name=vendors,size=4M"))
    yield nvme0, d.Namespace(nvme0), d.Qpair(nvme0, 16), VirtualSsd.attach(nvme0.addr)
    nvme0.pcie.close()


def test_fields_lie_where_the_table_says(drive):
    _nvme0, nvme0n1, qpair, ssd = drive
    one = vendor.command(
        0xD1, "Odd One", "2 31:0 a\n3 7:4 b four bits\n10 63:0 c\n# no field\n12 31 d\n14 47:8 e"
    )
    assert one.dwords(a=0xFFFFFFFF, b=9, c=1 << 63 | 5, d=1, e=0xAB_CDEF0123) == {
        "cdw2": 0xFFFFFFFF,
        "cdw3": 0x90,
        "cdw10": 5,
        "cdw11": 1 << 31,
        "cdw12": 1 << 31,
        "cdw14": 0xEF012300,
        "cdw15": 0xABCD,
    }
    with ssd.answer(0xD1, receive=16) as answer:
        buf = d.Buffer(512, ptype=0xBEEF, pvalue=100)
        one(nvme0n1, qpair, buf, a=7, c=1 << 40).waitdone()
        assert (answer.count, answer.sqe.cdw2, answer.sqe.cdw11, answer.sqe.nsid) == (1, 7, 1 << 8, 1)
        assert answer.data == bytes(buf[:16])
        log = qpair.cmdlog_list(1)[0]
        assert (log.name, log.a, log.c) == ("Odd One", 7, 1 << 40)
        assert "Odd One" in repr(log)


def test_answers_have_data_results_and_statuses(drive):
    nvme0, _nvme0n1, _qpair, ssd = drive
    info = vendor.command(0xC2, "Info", "12 7:0 page", admin=True, result="15:0 low\n63:48 high")
    data, buf = bytes(range(256)) * 48, d.Buffer(16384)
    with ssd.answer(0xC2, data, admin=True, result=0xABCD << 48 | 0x1234) as answer:
        assert nvme0.log(5).acs[0xC2].csupp
        info(nvme0, buf=buf, page=3).waitdone()
        assert bytes(buf[: len(data)]) == data and buf[len(data)] == 0
        assert info.decode(nvme0.cmdlog_list(1)[0]) == {"low": 0x1234, "high": 0xABCD}
        assert answer.sqe.cdw12 == 3
        vendor.status(0x7C1, "Page Is Torn")
        ssd.answer(0xC2, admin=True, status=0x7C1)
        with pytest.warns(UserWarning, match="07/c1 Page Is Torn"):
            info(nvme0, buf=buf).waitdone()
    with pytest.warns(UserWarning, match="00/01"):
        info(nvme0, buf=buf).waitdone()


def test_verification_goes_on():
    nvme0 = d.Controller(d.Pcie("vssd:name=vendors2,size=4M"))
    nvme0n1, qpair, buf = d.Namespace(nvme0), d.Qpair(nvme0, 16), d.Buffer(512)
    nvme0n1.write(qpair, d.Buffer(512), 5).waitdone()
    with VirtualSsd.attach(nvme0.addr).answer(0xD1):
        nvme0n1.send_cmd(0xD1, qpair, buf).waitdone()
    nvme0n1.read(qpair, buf, 5).waitdone()
    assert nvme0n1.verify_stats().judged == 1
    nvme0.pcie.close()


def test_fault_rules_apply(drive):
    _nvme0, nvme0n1, qpair, ssd = drive
    buf = d.Buffer(512)
    with ssd.answer(0x82, b"abcd"), ssd.fault("queue=io opcode=0x82 do flip byte=1 bit=0"):
        nvme0n1.send_cmd(0x82, qpair, buf).waitdone()
    assert buf[:4] == b"accd"


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: vendor.command(0x7F, "A"), "not vendor specific: those are 0x80"),
        (lambda: vendor.command(0xBF, "A", admin=True), "those are 0xc0"),
        (lambda: vendor.command(0xC0, "A", "12 0:3 a"), "bits HIGH:LOW"),
        (lambda: vendor.command(0xC0, "A", "9 3:0 a"), "dword 2, 3 or 10 to 15"),
        (lambda: vendor.command(0xC0, "A", "15 63:0 a"), "and the next one"),
        (lambda: vendor.command(0xC0, "A", "12 3:0 a\n13 3:0 a"), "twice"),
        (lambda: vendor.command(0xC0, "A", "what"), "not DWORD BITS NAME"),
        (lambda: vendor.command(0xC0, "A", result="64:0 a"), "up to 63"),
        (lambda: vendor.status(0x02, "A"), "not vendor specific"),
    ],
)
def test_wrong_descriptions_say_what_is_wrong(call, says):
    with pytest.raises(ValueError, match=says):
        call()


def test_wrong_answers_and_calls(drive):
    _nvme0, nvme0n1, qpair, ssd = drive
    for wrong in ({"opcode": 0x7F}, {"opcode": 0xBF, "admin": True}, {"opcode": 0xC0, "status": 0x800}):
        with pytest.raises(ValueError, match="is not vendor specific"):
            ssd.answer(**wrong)
    with pytest.raises(ValueError, match="65464"):
        ssd.answer(0xC0, receive=65465)
    one = vendor.command(0xD0, "One", "12 7:0 a")
    with pytest.raises(AssertionError, match="a must be from 0 to 0xff"):
        one(nvme0n1, qpair, a=256)
    with pytest.raises(TypeError, match="has no field b: it has a"):
        one(nvme0n1, qpair, b=1)
    with pytest.raises(AssertionError, match="needs a qpair"):
        one(nvme0n1)
