# SPDX-License-Identifier: BSD-3-Clause
"""Entries, PRP lists and queues that scripts build field by field (metamode), and `psd`, its older name."""

import gc
import struct
from contextlib import nullcontext

import nvme as d
import pytest

import psd
from pynvme import metamode
from pynvme.metamode import CQE, IOCQ, IOSQ, PRP, SQE, PRPList
from pynvme.sgl import DataBlock, Sgl

READ, WRITE, COMPARE = 2, 1, 5


@pytest.fixture
def queues(nvme0):
    """Give SQ and CQ 1 of 8 entries."""
    cq = IOCQ(nvme0, 1, 8, PRP())
    sq = IOSQ(nvme0, 1, 8, PRP(), cq=cq)
    yield sq, cq
    sq.delete()
    cq.delete()


def io(opcode, cid, lba=0, count=1, **fields):
    entry = SQE(opcode, 1)
    entry.cid = cid
    entry[10], entry[12] = lba, count - 1
    for name, value in fields.items():
        setattr(entry, name, value)
    return entry


# -- entries --


def test_an_sqe_has_the_layout_of_the_specification():
    entry = SQE(0x01, 0x11223344)
    entry.fuse, entry.psdt, entry.cid = 2, 1, 0xABCD
    entry.cdw2, entry.cdw3, entry.mptr = 0x22, 0x33, 0x4444555566667777
    entry.prp1, entry.prp2 = 0x1000, 0x2_0000_3000
    for dword in range(10, 16):
        setattr(entry, f"cdw{dword}", dword << 24)
    assert bytes(entry) == bytes.fromhex(
        "0142cdab 44332211 22000000 33000000 7777666655554444 0010000000000000 0030000002000000"
        "0000000a 0000000b 0000000c 0000000d 0000000e 0000000f"
    )
    assert (entry.opc, entry.fuse, entry.psdt, entry.cid) == (1, 2, 1, 0xABCD)
    assert (entry.mptr, entry.prp2, entry[8], entry[9]) == (0x4444555566667777, 0x200003000, 0x3000, 2)
    assert list(entry) == list(struct.unpack("<16I", bytes(entry)))


def test_a_cqe_has_the_layout_of_the_specification():
    cqe = CQE(bytes.fromhex("78563412 00000000 0300 0500 efbe 0bf3"))
    assert (cqe.cdw0, cqe.cdw1, cqe.sqhd, cqe.sqid, cqe.cid) == (0x12345678, 0, 3, 5, 0xBEEF)
    assert (cqe.p, cqe.sc, cqe.sct, cqe.crd, cqe.m, cqe.dnr) == (1, 0x85, 1, 3, 1, 1)
    assert cqe.status == 0xF30B >> 1
    assert CQE(list(cqe)) == cqe == CQE(cqe)
    assert "01/85" in repr(cqe)


@pytest.mark.parametrize(
    ("wrong", "error", "text"),
    [
        (lambda: SQE(*range(17)), AssertionError, "16 dwords, not 17"),
        (lambda: SQE(1 << 32), AssertionError, "dword 0 must be from 0 to 0xffffffff"),
        (lambda: setattr(SQE(), "cid", 1 << 16), AssertionError, "cid must be from 0 to 0xffff"),
        (lambda: setattr(SQE(), "slba", 1), AttributeError, "SQE has no field slba"),
        (lambda: setattr(SQE(), "prp1", "page"), TypeError, "prp1 must be an integer, not str"),
        (lambda: SQE()[16], IndexError, "dword 16 of an entry of 16"),
        (lambda: CQE(b"short"), ValueError, "16 bytes, not 5"),
        (lambda: PRPList()[512], IndexError, "entry 512 of a list of 512"),
    ],
)
def test_wrong_entries_say_what_is_wrong(wrong, error, text):
    with pytest.raises(error, match=text):
        wrong()


def test_a_prp_list_holds_addresses_and_keeps_its_pages():
    pages = PRPList()
    page = PRP()
    address = page.phys_addr
    pages[0], pages[1] = page, 0x1003
    del page
    gc.collect()
    assert [PRP().phys_addr != address for _ in range(20)] == [True] * 20
    assert list(pages)[:3] == [address, 0x1003, 0]
    assert pages[:16] == struct.pack("<QQ", address, 0x1003)
    assert (pages[0], pages.pages) == (address, 1)


# -- queues --


def test_commands_go_round_both_queues(queues):
    sq, cq = queues
    for cid in range(20):
        sq.submit(io(0, cid))
        cq.wait_pbit(cq.head, cq.phase)
        cqe = cq[cq.head]
        assert (cqe.cid, cqe.sqid, cqe.status, cqe.sqhd) == (cid, 1, 0, (cid + 1) % 8)
        cq.head = (cq.head + 1) % 8
    assert (sq.tail, cq.head, cq.phase) == (4, 4, 1)


def test_data_by_a_prp_list(queues, nvme0n1, lba_size):
    sq, cq = queues
    pages, back, lists = [PRP(ptype=32, pvalue=i) for i in range(1, 5)], PRP(4 * 4096), PRPList()
    for i, page in enumerate(pages[1:]):
        lists[i] = page
    count = 4 * 4096 // lba_size
    sq.submit(io(WRITE, 1, 8, count, prp1=pages[0], prp2=lists))
    assert [cqe.status for cqe in cq.waitdone()] == [0]
    for i in range(3):
        lists[i] = back.phys_addr + (i + 1) * 4096
    sq.submit(io(READ, 2, 8, count, prp1=back, prp2=lists))
    assert [cqe.status for cqe in cq.waitdone()] == [0]
    assert back[:] == b"".join(page[:] for page in pages)


def test_fused_commands(queues):
    sq, cq = queues
    data = PRP()
    sq.submit(io(COMPARE, 1, fuse=1, prp1=data), io(WRITE, 2, fuse=2, prp1=data))
    assert {cqe.cid for cqe in cq.waitdone(2)} == {1, 2}


@pytest.mark.differs("QEMU NVMe Ctrl", "it transfers to an odd address (Base 2.0, 4.1.1)")
def test_a_wrong_prp(queues):
    sq, cq = queues
    data = PRP()
    sq.submit(io(READ, 3, prp1=data.phys_addr + 1))
    (cqe,) = cq.waitdone()
    assert (cqe.cid, cqe.sct, cqe.sc) == (3, 0, 0x13), "PRP Offset Invalid"


def test_entries_change_in_place_until_the_doorbell(queues):
    sq, cq = queues
    sq[0] = io(READ, 1, prp1=PRP())
    sq[0].cid = 9
    sq[0].opc = 0
    assert cq[0].p == 0
    sq.tail = 1
    (cqe,) = cq.waitdone()
    assert cqe.cid == 9
    with pytest.raises(TimeoutError, match="phase tag of entry 1 of completion queue 1 is still 0 after"):
        cq.waitdone(timeout=0.01)
    assert cq.head == 1


def test_entries_of_a_queue_of_single_pages(nvme0):
    """Drives that need contiguous queues (CAP.CQR) refuse it, but its entries have their places."""
    lists = PRPList()
    lists[0], lists[1] = PRP(), PRP()
    contiguous = nvme0.cap >> 16 & 1
    expected = pytest.warns(UserWarning, match="^ERROR status: 00/02") if contiguous else nullcontext()
    with expected:
        cq = IOCQ(nvme0, 1, 512, lists, pc=False)
    assert cq.created == (not contiguous)
    cq[255][3], cq[256][0] = 0xFF0000, 0x100
    assert lists.page(0)[4092:4096] == b"\0\0\xff\0"
    assert lists.page(1)[:4] == b"\0\1\0\0"
    cq.delete()


def test_what_the_controller_refuses_is_a_warning(nvme0):
    with pytest.warns(UserWarning, match="^ERROR status: 01/02"):
        one = IOCQ(nvme0, 1, 1, PRP())
    assert not one.created
    with pytest.warns(UserWarning, match="^ERROR status: 01/00"):
        IOSQ(nvme0, 1, 8, PRP(), cqid=2)
    with pytest.warns(UserWarning, match="^ERROR status: 01/02"):
        IOCQ(nvme0, 1, 65536, PRP())
    cq = IOCQ(nvme0, 1, 8, PRP())
    with pytest.warns(UserWarning, match="^ERROR status: 01/01"):
        IOCQ(nvme0, 1, 8, PRP())
    cq.delete()
    cq.delete()
    assert not cq.created


def test_memory_that_is_too_short_or_no_memory_is_refused(nvme0):
    with pytest.raises(AssertionError, match="65 entries need 4160 bytes, but prp has 4096"):
        IOSQ(nvme0, 1, 65, PRP(), cqid=1)
    with pytest.raises(AssertionError, match="1024 entries need 16384 bytes, but prp has 4096"):
        IOCQ(nvme0, 1, 1024, PRP())
    with pytest.raises(TypeError, match="prp must be a Buffer"):
        IOCQ(nvme0, 1, 8, 0x1000)
    with pytest.raises(TypeError, match="prp must be a PRPList if pc is False, not PRP"):
        IOCQ(nvme0, 1, 8, PRP(), pc=False)
    with pytest.raises(AssertionError, match="either cq or cqid"):
        IOSQ(nvme0, 1, 8, PRP())
    with pytest.raises(TypeError, match="nvme must be a Controller"):
        IOCQ("vssd", 1, 8, PRP())


def test_memory_stays_while_the_controller_may_use_it(nvme0):
    """Neither a queue that the script forgets, nor the data of a command, is given to another buffer."""
    cq = IOCQ(nvme0, 1, 16, PRP())
    sq = IOSQ(nvme0, 1, 8, PRP(), cq=cq)
    data = PRP()
    lent = {data.phys_addr, sq._own.memory.phys_addr, cq._own.memory.phys_addr}
    for cid in range(9):  # the first entry is written again before its completion is released
        sq.submit(io(READ, cid, prp1=data if cid in (0, 8) else PRP()))
        cq.wait_pbit(cid)
    del data, sq, cq
    gc.collect()
    assert not lent & {PRP().phys_addr for _ in range(50)}
    sq_again, cq_again = (metamode._lent[nvme0][kind, 1] for kind in (IOSQ, IOCQ))
    assert {sq_again.memory.phys_addr, cq_again.memory.phys_addr} < lent
    for opcode in (0, 4):
        nvme0.send_cmd(opcode, cdw10=1).waitdone()


def test_released_completions_let_data_go(queues):
    sq, cq = queues
    for cid in range(40):
        sq.submit(io(READ, cid, prp1=PRP()))
        cq.waitdone()
    assert not sq._own.data
    assert len(sq._own.slots) == 8


def test_an_sgl_is_the_data_pointer_of_an_entry():
    data = d.Buffer(512)
    entry = io(READ, 1, sgl=DataBlock(data))
    assert bytes(entry)[24:40] == entry.sgl == struct.pack("<QIBBBB", data.phys_addr, 512, 0, 0, 0, 0)
    assert (entry.psdt, entry.prp1) == (1, data.phys_addr)
    with pytest.raises(TypeError, match="sgl must be an Sgl or a Descriptor, not int"):
        entry.sgl = 5


def test_data_by_an_sgl():
    nvme0 = d.Controller(d.Pcie("vssd:name=metamode-sgl,size=16M,sgls=byte"))
    cq = IOCQ(nvme0, 1, 8, PRP())
    sq = IOSQ(nvme0, 1, 8, PRP(), cq=cq)
    out, head, tail = PRP(ptype=0xBEEF, pvalue=100), d.Buffer(100), d.Buffer(412)
    sq.submit(io(WRITE, 1, prp1=out), io(READ, 2, sgl=Sgl(DataBlock(head), DataBlock(tail))))
    assert [cqe.status for cqe in cq.waitdone(2)] == [0, 0]
    assert head[:] + tail[:] == out[:512]
    nvme0.pcie.close()


def test_psd_has_the_same_names():
    names = {name: getattr(metamode, name, Sgl) for name in psd.__all__}
    assert all(getattr(psd, name) is value for name, value in names.items())
    assert set(names) == {"SQE", "CQE", "PRP", "PRPList", "SGL", "IOSQ", "IOCQ"}
