# SPDX-License-Identifier: BSD-3-Clause
"""The trace of refusals names the wrong field of a failed command, and the section of the specification."""

from __future__ import annotations

import errno
import os
import socket
import struct

import pytest
from client import Client, Nvme, Queue, sqe
from ctrl_helpers import (
    ABORT,
    ALL_NAMESPACES,
    COMPARE,
    CREATE_CQ,
    CREATE_SQ,
    DELETE_CQ,
    DELETE_SQ,
    DSM,
    FLUSH,
    FORMAT,
    GET_FEATURES,
    GET_LOG,
    IDENTIFY,
    OK,
    READ,
    SANITIZE,
    SET_FEATURES,
    WRITE,
    WRITE_UNCORRECTABLE,
    Disk,
    pattern,
    set_feature,
)
from server import Server

from pynvme.vssd import VirtualSsd

FW_COMMIT, FW_DOWNLOAD, SELF_TEST = 0x10, 0x11, 0x14
TRACE, REFUSALS = 10, 11
MAPPED_NOWHERE = 0x7F00_0000_0000


@pytest.fixture
def ssd(server: Server) -> VirtualSsd:
    ssd = VirtualSsd.attach(server.folder)
    ssd.trace()
    return ssd


@pytest.fixture
def disk(nvme: Nvme) -> Disk:
    return Disk(nvme, nvme.create_queue(1, 16))


def refused(ssd: VirtualSsd, queue: Queue, entry: bytes) -> tuple[str, int, str, str]:
    """Check that the command fails and adds a refusal with its name, status, field and section."""
    before = len(ssd.refusals())
    cid = queue.submit(entry)
    found = queue.wait()
    assert found.cid == cid and found.status != OK
    traced = ssd.refusals()
    assert len(traced) == before + 1
    assert (traced[-1].qid, traced[-1].cid, traced[-1].status) == (queue.qid, cid, found.status)
    return traced[-1].command, traced[-1].status, traced[-1].field, traced[-1].section


@pytest.mark.parametrize(
    "entry, command, status, field, section",
    [
        (sqe(0xC1), "opcode C1h", 0x001, "CDW0 bits 7:0 (OPC)", "Base 2.1, 3.3.3.1"),
        (sqe(FLUSH | 0x7F), "opcode 7Fh", 0x001, "CDW0 bits 7:0 (OPC)", "Base 2.1, 3.3.3.1"),
        (sqe(0x0D), "Namespace Management", 0x001, "CDW0 bits 7:0 (OPC)", "Base 2.1, 3.3.3.1"),
        (sqe(IDENTIFY, cdw10=1, flags=1), "Identify", 0x002, "CDW0 bits 9:8 (FUSE)", "Base 2.1, 3.4.2"),
        (
            sqe(IDENTIFY, cdw10=1, flags=0x80),
            "Identify",
            0x002,
            "CDW0 bits 15:14 (PSDT)",
            "Base 2.1, 3.3.3.1",
        ),
        (sqe(IDENTIFY, nsid=77), "Identify", 0x00B, "NSID", "Base 2.1, 5.1.13"),
        (sqe(IDENTIFY, cdw10=0xEE), "Identify", 0x002, "CDW10 bits 7:0 (CNS)", "Base 2.1, 5.1.13"),
        (
            sqe(IDENTIFY, cdw10=6, cdw11=2 << 24),
            "Identify",
            0x12C,
            "CDW11 bits 31:24 (CSI)",
            "Base 2.1, 5.1.13",
        ),
        (sqe(GET_LOG, cdw10=0x7F), "Get Log Page", 0x109, "CDW10 bits 7:0 (LID)", "Base 2.1, 5.1.12"),
        (sqe(GET_LOG, nsid=1, cdw10=2), "Get Log Page", 0x002, "NSID", "Base 2.1, 5.1.12"),
        (sqe(GET_LOG, cdw10=2, cdw12=2), "Get Log Page", 0x002, "CDW13:12 (LPO)", "Base 2.1, 5.1.12"),
        (
            sqe(GET_LOG, cdw10=2, cdw14=1 << 23),
            "Get Log Page",
            0x002,
            "CDW14 bit 23 (OT)",
            "Base 2.1, 5.1.12",
        ),
        (
            sqe(GET_LOG, cdw10=5, cdw14=2 << 24),
            "Get Log Page",
            0x129,
            "CDW14 bits 31:24 (CSI)",
            "Base 2.1, 5.1.12.1.6",
        ),
        (sqe(GET_FEATURES, cdw10=0x7F), "Get Features", 0x002, "CDW10 bits 7:0 (FID)", "Base 2.1, 5.1.11"),
        (
            sqe(GET_FEATURES, cdw10=4 << 8 | 1),
            "Get Features",
            0x002,
            "CDW10 bits 10:8 (SEL)",
            "Base 2.1, 5.1.11",
        ),
        (
            sqe(SET_FEATURES, cdw10=2, cdw11=5),
            "Set Features",
            0x002,
            "CDW11 bits 4:0 (PS)",
            "Base 2.1, 5.1.25.1.2",
        ),
        (
            sqe(SET_FEATURES, cdw10=1 << 31 | 2),
            "Set Features",
            0x10D,
            "CDW10 bit 31 (SV)",
            "Base 2.1, 5.1.25",
        ),
        (sqe(SET_FEATURES, nsid=1, cdw10=2), "Set Features", 0x10F, "NSID", "Base 2.1, 5.1.25"),
        (
            sqe(SET_FEATURES, cdw10=0x10, cdw11=1),
            "Set Features",
            0x002,
            "CDW11 bits 15:0 (TMT2)",
            "Base 2.1, 5.1.25.1.9",
        ),
        (
            sqe(SET_FEATURES, cdw10=0x0D, cdw11=1, cdw13=8),
            "Set Features",
            0x002,
            "CDW13 (HMDLLA)",
            "Base 2.1, 5.1.25.2.4",
        ),
        (
            sqe(CREATE_CQ, cdw10=7 << 16, cdw11=1),
            "Create I/O Completion Queue",
            0x101,
            "CDW10 bits 15:0 (QID)",
            "Base 2.1, 5.2.1",
        ),
        (
            sqe(CREATE_CQ, cdw10=7 << 16 | 9),
            "Create I/O Completion Queue",
            0x002,
            "CDW11 bit 0 (PC)",
            "Base 2.1, 5.2.1",
        ),
        (
            sqe(CREATE_CQ, cdw10=7 << 16 | 9, cdw11=1, prp1=8),
            "Create I/O Completion Queue",
            0x013,
            "PRP1",
            "Base 2.1, 5.2.1",
        ),
        (
            sqe(CREATE_SQ, cdw10=7 << 16 | 9, cdw11=8 << 16 | 1),
            "Create I/O Submission Queue",
            0x100,
            "CDW11 bits 31:16 (CQID)",
            "Base 2.1, 5.2.2",
        ),
        (
            sqe(DELETE_SQ, cdw10=9),
            "Delete I/O Submission Queue",
            0x101,
            "CDW10 bits 15:0 (QID)",
            "Base 2.1, 5.2.4",
        ),
        (
            sqe(DELETE_CQ, cdw10=9),
            "Delete I/O Completion Queue",
            0x101,
            "CDW10 bits 15:0 (QID)",
            "Base 2.1, 5.2.3",
        ),
        (sqe(FORMAT, nsid=1, cdw10=7 << 9), "Format NVM", 0x002, "CDW10 bits 11:9 (SES)", "Base 2.1, 5.1.10"),
        (sqe(FORMAT, nsid=1, cdw10=1 << 5), "Format NVM", 0x10A, "CDW10 bits 7:5 (PI)", "Base 2.1, 5.1.10"),
        (sqe(FORMAT, nsid=1, cdw10=15), "Format NVM", 0x10A, "CDW10 bits 3:0 (LBAFL)", "Base 2.1, 5.1.10"),
        (sqe(FORMAT, nsid=9), "Format NVM", 0x00B, "NSID", "Base 2.1, 5.1.10"),
        (sqe(SANITIZE, cdw10=7), "Sanitize", 0x002, "CDW10 bits 2:0 (SANACT)", "Base 2.1, 5.1.22"),
        (sqe(SELF_TEST, cdw10=5), "Device Self-test", 0x002, "CDW10 bits 3:0 (STC)", "Base 2.1, 5.1.5"),
        (sqe(FW_COMMIT, cdw10=7 << 3), "Firmware Commit", 0x002, "CDW10 bits 5:3 (CA)", "Base 2.1, 5.1.8"),
        (
            sqe(FW_COMMIT, cdw10=2 << 3 | 7),
            "Firmware Commit",
            0x106,
            "CDW10 bits 2:0 (FS)",
            "Base 2.1, 5.1.8",
        ),
        (
            sqe(FW_DOWNLOAD, cdw10=1),
            "Firmware Image Download",
            0x002,
            "CDW10 (NUMD, no multiple of FWUG)",
            "Base 2.1, 5.1.9",
        ),
    ],
)
def test_fields_of_admin_commands(
    ssd: VirtualSsd, nvme: Nvme, entry: bytes, command: str, status: int, field: str, section: str
) -> None:
    assert refused(ssd, nvme.admin, entry) == (command, status, field, section)


@pytest.mark.parametrize(
    "fields, command, status, field, section",
    [
        ({"opcode": READ, "nsid": 2}, "Read", 0x00B, "NSID", "NVM 1.1, 3.3.4"),
        ({"opcode": READ, "cdw11": 6}, "Read", 0x080, "CDW11:10 (SLBA)", "NVM 1.1, 3.3.4"),
        (
            {"opcode": WRITE, "cdw12": 0xFFFF},
            "Write",
            0x002,
            "CDW12 bits 15:0 (NLB, above MDTS)",
            "NVM 1.1, 3.3.6",
        ),
        ({"opcode": FLUSH, "nsid": 77}, "Flush", 0x00B, "NSID", "Base 2.1, 7.2"),
        ({"opcode": READ, "prp1": 2}, "Read", 0x013, "PRP1", "Base 2.1, 4.3.1"),
        ({"opcode": READ, "prp2": 2, "cdw12": 15}, "Read", 0x013, "PRP2", "Base 2.1, 4.3.1"),
        (
            {"opcode": WRITE, "prp1": MAPPED_NOWHERE},
            "Write",
            0x004,
            "data lie in memory that is not mapped",
            "Base 2.1, 4.3.1",
        ),
        (
            {"opcode": COMPARE, "flags": 1},
            "Compare",
            0x00A,
            "the other half of the fused operation is missing",
            "Base 2.1, 3.4.2",
        ),
    ],
)
def test_fields_of_io_commands(
    ssd: VirtualSsd, disk: Disk, fields: dict[str, int], command: str, status: int, field: str, section: str
) -> None:
    entry = sqe(**{"nsid": 1, "prp1": disk.buffer, **fields})
    if fields.get("flags"):
        disk.queue.submit(sqe(FLUSH, nsid=1))
        assert disk.queue.wait().status == OK
    assert refused(ssd, disk.queue, entry) == (command, status, field, section)


def test_data_that_cannot_be_read_and_data_that_differ(ssd: VirtualSsd, nvme: Nvme, disk: Disk) -> None:
    disk.write(0, pattern(0, 8))
    assert disk.command(WRITE_UNCORRECTABLE, 9) == OK
    entry = sqe(READ, nsid=1, prp1=disk.buffer, cdw10=8, cdw12=3)
    why = "an LBA was marked by Write Uncorrectable"
    assert refused(ssd, disk.queue, entry) == ("Read", 0x281, why, "NVM 1.1, 3.3.7")
    nvme.memory.write(disk.buffer, bytes(512))
    entry = sqe(COMPARE, nsid=1, prp1=disk.buffer)
    assert refused(ssd, disk.queue, entry) == ("Compare", 0x285, "the data differ", "NVM 1.1, 3.3.1")
    assert set_feature(nvme, 5, 1 << 16, nsid=1) == OK
    entry = sqe(READ, nsid=1, prp1=disk.buffer, cdw10=100)
    why = "an LBA is deallocated or unwritten, and DULBE is set"
    assert refused(ssd, disk.queue, entry) == ("Read", 0x287, why, "NVM 1.1, 4.1.3.2")
    nvme.memory.write(disk.buffer, struct.pack("<IIQ", 0, 8, 1 << 40))
    why = "a range reaches past the end of the namespace"
    entry = sqe(DSM, nsid=1, prp1=disk.buffer, cdw11=4)
    assert refused(ssd, disk.queue, entry) == ("Dataset Management", 0x080, why, "NVM 1.1, 3.3.3")


def test_states_that_refuse(start) -> None:
    server = start("--size", "16M", "--format-time", "300", "--sanitize-time", "60000")
    ssd = VirtualSsd.attach(server.folder)
    ssd.trace()
    with Client(server.folder) as client:
        nvme = Nvme(client)
        nvme.enable()
        disk = Disk(nvme, nvme.create_queue(1, 16))
        read = sqe(READ, nsid=1, prp1=disk.buffer)
        nvme.admin.submit(sqe(FORMAT, nsid=1))
        why = "a format is in progress", "Base 2.1, 5.1.10"
        assert refused(ssd, disk.queue, read) == ("Read", 0x084, *why)
        assert nvme.admin.wait().status == OK
        assert nvme.admin.execute(SANITIZE, cdw10=2)[1] == OK
        why = "a sanitize operation is in progress", "Base 2.1, 8.1.24"
        assert refused(ssd, disk.queue, read) == ("Read", 0x01D, *why)
        assert refused(ssd, nvme.admin, sqe(FORMAT, nsid=1)) == ("Format NVM", 0x01D, *why)
        nvme.close()


def test_what_an_abort_names_is_a_refusal(ssd: VirtualSsd, nvme: Nvme) -> None:
    queue = nvme.create_queue(1, 16)
    first = queue.submit(sqe(COMPARE, nsid=1, flags=1))  # waits for its second half
    assert nvme.admin.execute(ABORT, cdw10=first << 16 | 1) == (0, OK)
    assert (found := queue.wait()).cid == first and found.status == 0x007
    assert ssd.refusals() == [("Compare", 1, first, 0x007, "an Abort command named it", "Base 2.1, 5.1.1")]


def test_the_trace_is_off_at_first_and_starts_anew(server: Server, nvme: Nvme) -> None:
    ssd = VirtualSsd.attach(server.folder)
    with pytest.raises(ValueError, match=r"call trace\(True\)"):
        ssd.refusals()
    assert nvme.admin.execute(0xC1)[1] != OK
    ssd.trace(True)
    assert ssd.refusals() == []
    assert nvme.admin.execute(0xC1)[1] != OK
    assert [found.command for found in ssd.refusals()] == ["opcode C1h"]
    assert nvme.admin.execute(IDENTIFY, nsid=1, prp1=nvme.memory.alloc(4096))[1] == OK
    assert len(ssd.refusals()) == 1, "what succeeds is no refusal"
    ssd.trace(True)
    assert ssd.refusals() == []
    ssd.trace(False)
    with pytest.raises(ValueError, match=r"call trace\(True\)"):
        ssd.refusals()


def test_the_trace_keeps_the_last_256(ssd: VirtualSsd, nvme: Nvme) -> None:
    cids = []
    for _ in range(300):
        cids.append(nvme.admin.submit(sqe(0xC1)))
        nvme.admin.wait()
    assert [found.cid for found in ssd.refusals()] == cids[-256:]


def test_it_outlives_resets_and_the_power(ssd: VirtualSsd, nvme: Nvme) -> None:
    assert nvme.admin.execute(0xC1)[1] != OK
    ssd.power(False)
    ssd.power(True)
    assert len(ssd.refusals()) == 1


def test_the_records_are_what_the_header_says(server: Server, nvme: Nvme) -> None:
    def call(command: int, argument: int = 0) -> tuple[int, bytes]:
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as peer:
            peer.connect(os.path.join(server.folder, "control"))
            peer.send(struct.pack("<IHHIIQQ", 0x44535356, 1, command, 0, 0, 0, argument))
            answer = peer.recv(1 << 17)
        return struct.unpack_from("<IHHII", answer)[3], answer[16:]

    assert call(REFUSALS) == (errno.EINVAL, b"")
    assert call(TRACE, 2) == (errno.EINVAL, b"")
    assert call(TRACE, 1) == (0, b"")
    cid = nvme.admin.submit(sqe(FORMAT, nsid=ALL_NAMESPACES, cdw10=7 << 9))
    nvme.admin.wait()
    error, data = call(REFUSALS)
    assert (error, len(data)) == (0, 256)
    assert struct.unpack_from("<4H", data) == (0, cid, 0x002, 0)
    texts = [data[8:48], data[48:144], data[144:]]
    assert [text.rstrip(b"\0") for text in texts] == [
        b"Format NVM",
        b"CDW10 bits 11:9 (SES)",
        b"Base 2.1, 5.1.10",
    ]
