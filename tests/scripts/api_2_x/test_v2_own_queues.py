# SPDX-License-Identifier: BSD-3-Clause
"""Queues made by raw commands, doorbells rung by hand, PRP lists filled entry by entry."""

import struct
import time

import nvme as d
import pytest
from own_queue import CompletionQueue, Page, SubmissionQueue, status_of


@pytest.fixture
def queues(nvme0):
    """Give a pair of 8 entries, QID 1."""
    cq = CompletionQueue(nvme0, 1, 8)
    sq = SubmissionQueue(nvme0, 1, 8, cq)
    yield sq, cq
    sq.delete()
    cq.delete()


def test_flush(queues):
    sq, cq = queues
    sq.put(0, cid=0x1234)
    sq.ring()
    cpl = cq.wait()
    assert status_of(cpl) == (0, 0)
    assert cpl[3] & 0xFFFF == 0x1234
    assert cpl[2] == 1 << 16 | 1, "SQ 1, head 1"


def test_write_and_read(queues):
    sq, cq = queues
    out, back = d.Buffer(4096, ptype=0xBEEF, pvalue=100), d.Buffer(4096)
    sq.put(1, 1, prp1=out.phys_addr, cdw10=100, cdw12=7)
    sq.ring()
    assert status_of(cq.wait()) == (0, 0)
    sq.put(2, 2, prp1=back.phys_addr, cdw10=100, cdw12=7)
    sq.ring()
    assert status_of(cq.wait()) == (0, 0)
    assert back[:] == out[:]


def test_wrap_of_both_queues(queues):
    sq, cq = queues
    for cid in range(50):
        sq.put(0, cid)
        sq.ring()
        assert cq.wait()[3] & 0xFFFF == cid


def test_seven_at_once_fill_the_queue(queues):
    sq, cq = queues
    for cid in range(7):
        sq.put(0, cid)
    sq.ring()
    assert sorted(cq.wait()[3] & 0xFFFF for _ in range(7)) == list(range(7))


def test_entries_without_doorbell_are_not_fetched(queues):
    sq, cq = queues
    sq.put(0, 5)
    time.sleep(0.05)
    assert cq.entry()[3] >> 16 & 1 != cq.phase
    sq.ring()
    assert cq.wait()[3] & 0xFFFF == 5


def test_two_submission_queues_share_a_completion_queue(nvme0):
    cq = CompletionQueue(nvme0, 3, 16)
    a, b = SubmissionQueue(nvme0, 4, 8, cq), SubmissionQueue(nvme0, 5, 8, cq)
    a.put(0, 1)
    b.put(0, 2)
    a.ring()
    b.ring()
    assert sorted(cq.wait()[2] >> 16 for _ in range(2)) == [4, 5]
    with pytest.warns(UserWarning, match="ERROR status: 01/0c"):
        cq.delete()
    a.delete()
    b.delete()
    cq.delete()


def test_full_completion_queue_holds_the_drive_back(nvme0):
    cq = CompletionQueue(nvme0, 1, 2)
    sq = SubmissionQueue(nvme0, 1, 8, cq)
    for cid in range(5):
        sq.put(0, cid)
    sq.ring()
    assert [cq.wait()[3] & 0xFFFF for _ in range(5)] == list(range(5))
    sq.delete()
    cq.delete()


def test_prp_list_of_pages_in_any_order(queues):
    sq, cq = queues
    pages = [d.Buffer(4096, ptype=0xBEEF, pvalue=100) for _ in range(8)]
    prps = Page()
    order = [pages[i] for i in (3, 0, 7, 5, 1, 6, 2)]
    for i, page in enumerate(order):
        prps[i] = page
    sq.put(1, 1, prp1=pages[4].phys_addr, prp2=prps.phys_addr, cdw10=800, cdw12=63)
    sq.ring()
    assert status_of(cq.wait()) == (0, 0)
    back = d.Buffer(32768)
    sq.put(2, 2, prp1=back.phys_addr, prp2=0, cdw10=800, cdw12=7)
    sq.ring()
    cq.wait()
    assert back[:4096] == pages[4][:]
    sq.put(2, 3, prp1=back.phys_addr, cdw10=800 + 8 * 7, cdw12=7)
    sq.ring()
    cq.wait()
    assert back[:4096] == pages[2][:]


def test_two_prps_with_an_offset(queues):
    sq, cq = queues
    data = d.Buffer(8192, ptype=0xBEEF, pvalue=100)
    data.offset = 2048
    back = d.Buffer(4096)
    sq.put(1, 1, prp1=data.phys_addr, prp2=data.phys_addr + 2048, cdw10=64, cdw12=7)
    sq.ring()
    assert status_of(cq.wait()) == (0, 0)
    sq.put(2, 2, prp1=back.phys_addr, cdw10=64, cdw12=7)
    sq.ring()
    cq.wait()
    assert back[:] == data[2048:6144]


def test_prp2_with_an_offset_is_refused(queues):
    sq, cq = queues
    data = d.Buffer(8192)
    sq.put(1, 1, prp1=data.phys_addr, prp2=data.phys_addr + 4096 + 256, cdw10=64, cdw12=15)
    sq.ring()
    assert status_of(cq.wait()) in ((0, 0x13), (0, 0x02))


def test_status_of_a_refused_command(queues, nvme0n1):
    sq, cq = queues
    data = d.Buffer(4096)
    end = nvme0n1.id_data(7, 0)
    sq.put(2, 9, prp1=data.phys_addr, cdw10=end & 0xFFFFFFFF, cdw11=end >> 32)
    sq.ring()
    assert status_of(cq.wait()) == (0, 0x80)
    sq.put(2, 10, nsid=7, prp1=data.phys_addr)
    sq.ring()
    assert status_of(cq.wait()) == (0, 0x0B)
    sq.put(0x7F, 11)
    sq.ring()
    assert status_of(cq.wait()) == (0, 0x01)


@pytest.mark.parametrize(
    "opcode, cdw10, cdw11, status",
    [
        (0x05, 0x00070000, 1, "01/01"),  # CQ 0
        (0x05, 0x0007FFFF, 1, "01/01"),  # a CQ that is not there
        (0x05, 0x00000001, 1, "01/02"),  # one entry
        (0x05, 0xFFFF0001, 1, "01/02"),  # more than MQES
        (0x05, 0x00070001, 0x10000001 | 2, "01/08"),  # a vector that is not there
        (0x01, 0x00070001, 0x00020001, "01/00"),  # SQ 1 on CQ 2, which is not there
        (0x01, 0x00070000, 0x00010001, "01/01"),  # SQ 0
        (0x00, 0x00000001, 0, "01/01"),  # delete what is not there
        (0x04, 0x00000001, 0, "01/01"),
        (0x04, 0x00000000, 0, "01/01"),  # the admin queue
    ],
)
def test_refused_creation_and_deletion(nvme0, opcode, cdw10, cdw11, status):
    memory = d.Buffer(4096) if opcode in (1, 5) else None
    with pytest.warns(UserWarning, match=f"ERROR status: {status}"):
        nvme0.send_cmd(opcode, memory, cdw10=cdw10, cdw11=cdw11).waitdone()


def test_same_queue_twice(nvme0, queues):
    with pytest.warns(UserWarning, match="ERROR status: 01/01"):
        CompletionQueue(nvme0, 1, 8)
    with pytest.warns(UserWarning, match="ERROR status: 01/01"):
        SubmissionQueue(nvme0, 1, 8, queues[1])


def test_queue_memory_that_is_not_aligned(nvme0):
    memory = d.Buffer(8192)
    memory.offset = 64
    with pytest.warns(UserWarning, match="ERROR status: 00/13"):
        nvme0.send_cmd(0x05, memory, cdw10=7 << 16 | 1, cdw11=1).waitdone()


def test_doorbell_value_too_large(nvme0, queues):
    sq, _ = queues
    with pytest.warns(UserWarning, match="AER notification is triggered: 0x10100"):
        sq.ring(8)
        time.sleep(0.05)
        nvme0.getfeatures(7).waitdone()
    nvme0.getlogpage(1, d.Buffer(4096), 64).waitdone()


def test_doorbell_of_a_deleted_queue(nvme0):
    cq = CompletionQueue(nvme0, 2, 8)
    sq = SubmissionQueue(nvme0, 2, 8, cq)
    sq.delete()
    cq.delete()
    with pytest.warns(UserWarning, match="AER notification is triggered: 0x10000"):
        sq.ring(1)
        time.sleep(0.05)
        nvme0.getfeatures(7).waitdone()


def test_raw_queue_beside_the_drivers(nvme0, nvme0n1, qpair, buf):
    cq = CompletionQueue(nvme0, 9, 8)
    sq = SubmissionQueue(nvme0, 9, 8, cq)
    nvme0n1.write(qpair, buf, 0, 8).waitdone()
    back = d.Buffer(4096)
    sq.put(2, 1, prp1=back.phys_addr, cdw12=7)
    sq.ring()
    assert status_of(cq.wait()) == (0, 0)
    assert back[:] == buf[:]
    sq.delete()
    cq.delete()


def test_the_drivers_own_queue_takes_the_next_qid(nvme0, nvme0n1, queues):
    qpair = d.Qpair(nvme0, 8)
    assert qpair.sqid == 2
    r = nvme0n1.ioworker(io_size=8, io_count=100).start().close()
    assert r.io_count_read == 100
    qpair.delete()


def test_what_a_raw_queue_writes_raises_no_false_alarm(nvme0n1, verify, queues, qpair, buf):
    sq, cq = queues
    nvme0n1.write(qpair, buf, 500, 8).waitdone()
    other = d.Buffer(4096, ptype=0xBEEF, pvalue=100)
    sq.put(1, 1, prp1=other.phys_addr, cdw10=500, cdw12=7)
    sq.ring()
    assert status_of(cq.wait()) == (0, 0)
    nvme0n1.read(qpair, buf, 500, 8).waitdone()
    assert buf[:] == other[:]


def test_admin_identify_into_a_page_of_a_subclass(nvme0):
    page = Page()
    nvme0.identify(page).waitdone()
    assert page.data(1, 0) == nvme0.id_data(1, 0)
    assert page[0] == struct.unpack("<Q", page[0:8])[0]
