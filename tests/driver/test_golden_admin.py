# SPDX-License-Identifier: BSD-3-Clause
"""The submission queue entries of admin commands, dword for dword.

The values are written by hand from NVM Express Base Specification 2.0, section 5, and NVM Command Set
Specification 1.0; nothing here is computed by the driver.
"""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, Callable

import nvme
import pytest
from drive import AER, CREATE_CQ, CREATE_SQ, DELETE_CQ, DELETE_SQ, INVALID_FIELD, Command, Drive
from fake import wait_until

Sender = Callable[[nvme.Controller, nvme.Buffer], Any]

# What is called; opcode, NSID, dwords 10 to 15, whether it has data.
COMMANDS: dict[str, tuple[Sender, int, int, tuple[int, ...], bool]] = {
    "abort, all fields": (lambda n, b: n.abort(0x1234, 0x5678), 0x08, 0, (0x12345678, 0, 0, 0, 0, 0), False),
    "abort": (lambda n, b: n.abort(127), 0x08, 0, (0x007F0000, 0, 0, 0, 0, 0), False),
    "identify": (lambda n, b: n.identify(b), 0x06, 0, (1, 0, 0, 0, 0, 0), True),
    "identify, all fields": (
        lambda n, b: n.identify(b, nsid=0xFFFFFFFE, cns=0x13, cntid=0xABCD, csi=0xEF, nvmsetid=0x4321),
        0x06,
        0xFFFFFFFE,
        (0xABCD0013, 0xEF004321, 0, 0, 0, 0),
        True,
    ),
    "getfeatures": (lambda n, b: n.getfeatures(0x07), 0x0A, 0, (0x07, 0, 0, 0, 0, 0), False),
    "getfeatures, all fields": (
        lambda n, b: n.getfeatures(0xC5, 3, b, 0x11, 0x22, 0x33, 0x44, 0x55),
        0x0A,
        0,
        (0x3C5, 0x11, 0x22, 0x33, 0x44, 0x55),
        True,
    ),
    "getfeatures, named": (
        lambda n, b: n.getfeatures(2, sel=2, cdw11=9),
        0x0A,
        0,
        (0x202, 9, 0, 0, 0, 0),
        False,
    ),
    "setfeatures": (
        lambda n, b: n.setfeatures(0x07, cdw11=0x000F000F),
        0x09,
        0,
        (0x07, 0x000F000F, 0, 0, 0, 0),
        False,
    ),
    "setfeatures, saved": (
        lambda n, b: n.setfeatures(0xC5, 1, b, 0x11, 0x22, 0x33, 0x44, 0x55),
        0x09,
        0,
        (0x800000C5, 0x11, 0x22, 0x33, 0x44, 0x55),
        True,
    ),
    "setfeatures of the 0.1 API": (
        lambda n, b: n.setfeatures(0x04, 0x00010145, 0x22, 0x33),
        0x09,
        0,
        (0x04, 0x00010145, 0x22, 0x33, 0, 0),
        False,
    ),
    "getlogpage": (
        lambda n, b: n.getlogpage(0x02, b, 512),
        0x02,
        0xFFFFFFFF,
        (0x007F0002, 0, 0, 0, 0, 0),
        True,
    ),
    "getlogpage, whole buffer": (
        lambda n, b: n.getlogpage(5, b),
        0x02,
        0xFFFFFFFF,
        (0x03FF0005, 0, 0, 0, 0, 0),
        True,
    ),
    "getlogpage at an offset": (
        lambda n, b: n.getlogpage(0xCA, b, 4, offset=0x123456789ABCD0, nsid=7),
        0x02,
        7,
        (0x000000CA, 0, 0x789ABCD0, 0x00123456, 0, 0),
        True,
    ),
    "format": (lambda n, b: n.format(), 0x80, 1, (0, 0, 0, 0, 0, 0), False),
    "format, all fields": (
        lambda n, b: n.format(0xB, 5, 0xFFFFFFFF),
        0x80,
        0xFFFFFFFF,
        (0xA0B, 0, 0, 0, 0, 0),
        False,
    ),
    "sanitize": (lambda n, b: n.sanitize(), 0x84, 0, (2, 0, 0, 0, 0, 0), False),
    "sanitize, overwrite": (
        lambda n, b: n.sanitize(3, 0xDEADBEEF),
        0x84,
        0,
        (3, 0xDEADBEEF, 0, 0, 0, 0),
        False,
    ),
    "capacity_management": (lambda n, b: n.capacity_management(2), 0x20, 0, (2, 0, 0, 0, 0, 0), False),
    "capacity_management, all fields": (
        lambda n, b: n.capacity_management(1, elid=0xABCD, cap=0x0123456789ABCDEF),
        0x20,
        0,
        (0xABCD0001, 0x89ABCDEF, 0x01234567, 0, 0, 0),
        False,
    ),
    "virtualization_management": (
        lambda n, b: n.virtualization_management(9),
        0x1C,
        0,
        (9, 0, 0, 0, 0, 0),
        False,
    ),
    "virtualization_management, all fields": (
        lambda n, b: n.virtualization_management(8, rt=1, cntlid=0xABCD, nr=0x1234),
        0x1C,
        0,
        (0xABCD0108, 0x1234, 0, 0, 0, 0),
        False,
    ),
    "keep_alive": (lambda n, b: n.keep_alive(), 0x18, 0, (0, 0, 0, 0, 0, 0), False),
    "lockdown": (lambda n, b: n.lockdown(0x80), 0x24, 0, (0x8010, 0, 0, 0, 0, 0), False),
    "lockdown, all fields": (
        lambda n, b: n.lockdown(0xC5, scp=2, prhbt=0, ifc=1, uidx=0x7B),
        0x24,
        0,
        (0xC522, 0, 0, 0, 0x7B, 0),
        False,
    ),
    "dst": (lambda n, b: n.dst(), 0x14, 0xFFFFFFFF, (1, 0, 0, 0, 0, 0), False),
    "dst, abort": (lambda n, b: n.dst(0xF, 1), 0x14, 1, (0xF, 0, 0, 0, 0, 0), False),
    "fw_download": (lambda n, b: n.fw_download(b, 0), 0x11, 0, (1023, 0, 0, 0, 0, 0), True),
    "fw_download, all fields": (
        lambda n, b: n.fw_download(b, 0x10000, 256),
        0x11,
        0,
        (63, 0x4000, 0, 0, 0, 0),
        True,
    ),
    "fw_commit": (lambda n, b: n.fw_commit(7, 1), 0x10, 0, (0x0F, 0, 0, 0, 0, 0), False),
    "fw_commit, action 7": (lambda n, b: n.fw_commit(2, 7), 0x10, 0, (0x3A, 0, 0, 0, 0, 0), False),
    # NVMe-MI 1.2, section 4.3: dword 10 is a message's header: message type 4 (NVMe-MI), NMIMT in bits 14:11.
    "mi_send": (
        lambda n, b: n.mi_send(0x05, 0x11111111, 0x22222222, b),
        0x1D,
        0,
        (0x804, 0x05, 0x11111111, 0x22222222, 0, 0),
        True,
    ),
    "mi_receive": (
        lambda n, b: n.mi_receive(0x01, 0x11111111, 0x22222222, b),
        0x1E,
        0,
        (0x804, 0x01, 0x11111111, 0x22222222, 0, 0),
        True,
    ),
    # Base 2.1, sections 5.1.6 and 5.1.7.
    "directive_receive": (
        lambda n, b: n.directive_receive(0x03, 0x01, 0xABCD, 0x12345678, b, nsid=7),
        0x1A,
        7,
        (1023, 0xABCD0103, 0x12345678, 0, 0, 0),
        True,
    ),
    "directive_send": (
        lambda n, b: n.directive_send(0x01, value=0x101),
        0x19,
        1,
        (0, 0x01, 0x101, 0, 0, 0),
        False,
    ),
    # NVM 1.1, section 4.2.1; Base 2.1, section 5.2.5.
    "get_lba_status": (lambda n, b: n.get_lba_status(b), 0x86, 1, (0, 0, 1023, 0x10000000, 0, 0), True),
    "get_lba_status, all fields": (
        lambda n, b: n.get_lba_status(b, 0x0123456789ABCDEF, 0xFEDC, 0x11, nsid=7),
        0x86,
        7,
        (0x89ABCDEF, 0x01234567, 1023, 0x1100FEDC, 0, 0),
        True,
    ),
    "security_receive": (
        lambda n, b: n.security_receive(b, 0x1234),
        0x82,
        0,
        (0x01123400, 4096, 0, 0, 0, 0),
        True,
    ),
    "security_receive, all fields": (
        lambda n, b: n.security_receive(b, 0xABCD, secp=0xEF, nssf=0x12, size=512),
        0x82,
        0,
        (0xEFABCD12, 512, 0, 0, 0, 0),
        True,
    ),
    "security_send": (
        lambda n, b: n.security_send(b, 1, size=512),
        0x81,
        0,
        (0x01000100, 512, 0, 0, 0, 0),
        True,
    ),
    "send_cmd": (lambda n, b: n.send_cmd(0xC0), 0xC0, 0, (0, 0, 0, 0, 0, 0), False),
    "send_cmd, all fields": (
        lambda n, b: n.send_cmd(0xC1, b, 0x89ABCDEF, 0x10101010, 0x11111111, 0x12, 0x13, 0x14, 0xFFFFFFFF),
        0xC1,
        0x89ABCDEF,
        (0x10101010, 0x11111111, 0x12, 0x13, 0x14, 0xFFFFFFFF),
        True,
    ),
    "send_cmd, FUSE": (lambda n, b: n.send_cmd(0x01C0), 0x01C0, 0, (0, 0, 0, 0, 0, 0), False),
}


@pytest.fixture
def nvme0(drive: Drive, opened: Callable[..., SimpleNamespace]) -> nvme.Controller:
    """A controller that completes every unknown command with success."""
    drive.others = (0x600D, 0)
    for opcode in range(0x100):
        if opcode not in drive.admin:
            drive.on_admin[opcode] = lambda command: (0x600D, 0)
    return opened().nvme0


def last(drive: Drive) -> Command:
    return [c for c in drive.commands if c.sqid == 0][-1]


@pytest.mark.parametrize(("send", "opcode", "nsid", "dwords", "data"), COMMANDS.values(), ids=COMMANDS)
def test_admin_command(
    drive: Drive,
    nvme0: nvme.Controller,
    send: Sender,
    opcode: int,
    nsid: int,
    dwords: tuple[int, ...],
    data: bool,
) -> None:
    buf = nvme.Buffer(4096)
    if opcode in (0x06, 0x08, 0x09):
        # The scripted drive answers these itself; only the command that arrives matters here.
        drive.on_admin[opcode] = lambda command: (0x600D, 0)
    nvme0_back = send(nvme0, buf)
    assert nvme0_back is nvme0, "admin methods chain"
    cid = nvme0.latest_cid
    assert nvme0.waitdone() == 0x600D
    command = last(drive)
    assert command[0] == opcode | cid << 16
    assert command[1] == nsid
    assert command[2:6] == (0, 0, 0, 0), "reserved and MPTR"
    assert command[10:16] == dwords
    assert (command.prp1, command.prp2) == ((buf.phys_addr, 0) if data else (0, 0))


def test_cids_are_the_highest_free_first(drive: Drive, nvme0: nvme.Controller) -> None:
    """The AER of the initialisation has 127."""
    wait_until(lambda: drive.held)
    assert drive.held[0].cid == 127
    drive.on_admin[0xC0] = lambda command: None
    cids = []
    for _ in range(126):
        nvme0.send_cmd(0xC0)
        cids.append(nvme0.latest_cid)
    assert cids == [*range(126, 0, -1)]
    wait_until(lambda: len(drive.held) == 127)
    for command in [c for c in list(drive.held) if c.opcode == 0xC0]:
        drive.complete(command)
    nvme0.waitdone(126)


def test_id_data_identifies_and_picks_bytes(drive: Drive, nvme0: nvme.Controller) -> None:
    drive.identify_controller[3000:3004] = b"\x78\x56\x34\x12"
    assert nvme0.id_data(3003, 3000) == 0x12345678
    command = last(drive)
    assert (command[0] & 0xFFFF, command[1], command[10:16]) == (0x06, 0, (1, 0, 0, 0, 0, 0))
    assert nvme0.id_data(7, 0, nsid=1, cns=0) == 1 << 20
    command = last(drive)
    assert (command[1], command[10]) == (1, 0)


def test_aer_takes_no_parameters(drive: Drive, nvme0: nvme.Controller) -> None:
    nvme0.aer()
    wait_until(lambda: len(drive.held) == 2)
    assert drive.held[1][0] == AER | nvme0.latest_cid << 16
    assert drive.held[1][1:] == (0,) * 15


def test_long_log_page_is_read_in_parts_below_mdts(drive: Drive) -> None:
    parts = []

    def log_page(command: Command) -> tuple[int, int]:
        if command[10] & 0xFF != 0xC0:
            return 0, INVALID_FIELD
        offset = command[12] | command[13] << 32
        length = 4 * ((command[10] >> 16 | (command[11] & 0xFFFF) << 16) + 1)
        parts.append((offset - (1 << 32), length))
        pages = range(offset // 4096, (offset + length) // 4096)
        drive.scatter(command, b"".join(bytes([page & 0xFF]) * 4096 for page in pages))
        return 0, 0

    drive.identify_controller[77] = 1  # 8 KiB
    drive.on_admin[2] = log_page
    pcie = nvme.Pcie(drive.start())
    nvme0 = nvme.Controller(pcie)
    buf = nvme.Buffer(20480)
    nvme0.getlogpage(0xC0, buf, offset=1 << 32).waitdone()
    assert parts == [(0, 8192), (8192, 8192), (16384, 4096)]
    assert [buf[4096 * i] for i in range(5)] == [0, 1, 2, 3, 4]
    pcie.close()


def test_firmware_is_downloaded_in_parts_and_committed(drive: Drive, tmp_path: Path) -> None:
    image = bytes(i % 251 for i in range(100_001))
    received = bytearray(len(image) + 3)

    def download(command: Command) -> tuple[int, int]:
        length = 4 * (command[10] + 1)
        received[4 * command[11] : 4 * command[11] + length] = drive.gather(command, length)
        return 0, 0

    drive.on_admin[0x11] = download
    drive.on_admin[0x10] = lambda command: (0, 0)
    pcie = nvme.Pcie(drive.start())
    (tmp_path / "image").write_bytes(image)
    nvme.Controller(pcie).downfw(str(tmp_path / "image"), slot=3, action=2)
    assert bytes(received) == image + bytes(3)
    assert [c[10] for c in drive.sent(0x10)] == [3 | 2 << 3]
    pcie.close()


def test_pieces_of_firmware_are_as_large_as_the_drive_wants_them(drive: Drive, tmp_path: Path) -> None:
    drive.on_admin[0x11] = drive.on_admin[0x10] = lambda command: (0, 0)
    drive.identify_controller[319] = 3  # FWUG: 12 KiB
    pcie = nvme.Pcie(drive.start())
    (tmp_path / "image").write_bytes(bytes(100_001))
    nvme.Controller(pcie).downfw(str(tmp_path / "image"))
    pieces = [(4 * c[11], 4 * (c[10] + 1)) for c in drive.sent(0x11)]
    assert all(offset % 12288 == 0 and length % 12288 == 0 for offset, length in pieces)
    assert sum(length for _, length in pieces) == 9 * 12288
    pcie.close()


def test_host_memory_buffer_is_given_and_taken_back(drive: Drive) -> None:
    seen = []

    def set_features(command: Command) -> tuple[int, int]:
        if command[10] == 0x0D and command[11] & 1:
            entry = drive.dma_read(command[13] | command[14] << 32, 16)
            seen.append((command[12], command[15], entry))
        return (0x000F000F, 0)

    drive.identify_controller[272:276] = (64).to_bytes(4, "little")  # HMPRE: 256 KiB
    drive.on_admin[9] = set_features
    pcie = nvme.Pcie(drive.start())
    nvme0 = nvme.Controller(pcie)
    nvme0.enable_hmb()
    (size, count, entry), address = seen[0], int.from_bytes(seen[0][2][:8], "little")
    assert (size, count) == (64, 1)
    assert int.from_bytes(entry[8:12], "little") == 64
    assert address % 4096 == 0
    with drive.lock:
        drive.dma_write(address, b"the drive's own" * 1000)
    nvme0.disable_hmb()
    assert drive.sent(9)[-1][10:16] == (0x0D, 0, 0, 0, 0, 0)
    pcie.close()


def test_queues_are_created_and_deleted_with_these_commands(drive: Drive, nvme0: nvme.Controller) -> None:
    second = nvme.Qpair(nvme0, 1024, ien=False)  # the first was opened with the controller: QID 1
    assert second.sqid == 2
    create_cq, create_sq = drive.sent(CREATE_CQ), drive.sent(CREATE_SQ)
    assert [c[10:16] for c in create_cq] == [
        (0x000F0001, 0x00010003, 0, 0, 0, 0),
        (0x03FF0002, 0x00020001, 0, 0, 0, 0),
    ]
    assert [c[10:16] for c in create_sq] == [
        (0x000F0001, 0x00010001, 0, 0, 0, 0),
        (0x03FF0002, 0x00020001, 0, 0, 0, 0),
    ]
    for command in create_cq + create_sq:
        assert command.prp1 % 4096 == 0
        assert command.prp1 != 0
        assert command.prp2 == 0
        assert command[1:6] == (0,) * 5
    assert len({c.prp1 for c in create_cq + create_sq}) == 4
    second.delete()
    assert [c[10:16] for c in drive.sent(DELETE_SQ)] == [(2, 0, 0, 0, 0, 0)]
    assert [c[10:16] for c in drive.sent(DELETE_CQ)] == [(2, 0, 0, 0, 0, 0)]


def test_vector_and_priority_of_a_queue(drive: Drive) -> None:
    drive.cap |= 1 << 17  # weighted round robin
    pcie = nvme.Pcie(drive.start())

    def weighted(nvme0: nvme.Controller) -> None:
        nvme0.init_adminq()
        nvme0[0x14] = nvme0[0x14] & ~1
        while nvme0[0x1C] & 1:
            pass
        nvme0[0x14] = (nvme0[0x14] | 1 << 11) | 1
        while not nvme0[0x1C] & 1:
            pass
        nvme0.init_queues(0x000F000F)

    # The admin queue's rings are those of the first initialisation: nothing had been sent on them.
    nvme0 = nvme.Controller(pcie, nvme_init_func=weighted)
    qpair = nvme.Qpair(nvme0, 2, prio=2, iv=5)
    assert drive.sent(CREATE_CQ)[0][11] == 5 << 16 | 3
    assert drive.sent(CREATE_SQ)[0][11] == 1 << 16 | 2 << 1 | 1
    qpair.delete()
    pcie.close()
