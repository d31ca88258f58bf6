# SPDX-License-Identifier: BSD-3-Clause
"""A namespace whose format changed during a reset, and one with metadata that the driver cannot transfer."""

from __future__ import annotations

import struct
from types import SimpleNamespace
from typing import Callable

import drive as scripted
import nvme
import pytest
from drive import FLUSH, IDENTIFY, READ, WRITE, Drive

from pynvme.sgl import DataBlock, Sgl

Opened = Callable[..., SimpleNamespace]
COMPARE, WRITE_ZEROES, DSM, ZONE_APPEND, FORMAT = 5, 8, 9, 0x7D, 0x80


def set_size(drive: Drive, lbas: int) -> None:
    struct.pack_into("<QQQ", drive.identify_namespace, 0, lbas, lbas, lbas)


def own_initialisation(nvme0: nvme.Controller) -> None:
    nvme0[0x14] = 0
    while nvme0[0x1C] & 1:
        pass
    nvme0.init_adminq()
    nvme0[0x14] = 0x00460001
    while not nvme0[0x1C] & 1:
        pass


def resets(opened: SimpleNamespace) -> dict[str, Callable[[], object]]:
    return {
        "controller": opened.nvme0.reset,
        "registers": lambda: own_initialisation(opened.nvme0),
    }


@pytest.mark.parametrize("kind", ["controller", "registers"])
def test_a_namespace_that_shrank_over_a_reset_is_not_left_by_a_worker(
    drive: Drive, opened: Opened, kind: str
) -> None:
    o = opened()
    before = o.nvme0n1.ioworker(io_size=8, io_count=500, qdepth=2, read_percentage=0)
    set_size(drive, 1000)
    resets(o)[kind]()
    worker = o.nvme0n1.ioworker(io_size=8, io_count=500, qdepth=2, read_percentage=0)
    assert worker.start().close().error == 0
    assert before.start().close().error == 0
    assert max(drive.lbas) < 1000
    assert o.nvme0n1.capacity == 1000 * 512
    assert "1000 LBAs of 512" in repr(o.nvme0n1)


def test_a_transfer_after_a_reset_is_described_by_the_lbas_that_there_are(
    drive: Drive, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    o = opened()
    waiting = o.nvme0n1.ioworker(io_size=4, io_count=16, qdepth=4, read_percentage=0, region_end=64)
    drive.identify_namespace[130] = 12
    monkeypatch.setattr(scripted, "LBA_SIZE", 4096)
    o.nvme0.reset()
    qpair = nvme.Qpair(o.nvme0, 4)
    data, back = nvme.Buffer(8 * 4096, ptype=0xBEEF, pvalue=100), nvme.Buffer(8 * 4096)
    o.nvme0n1.write(qpair, data, 0, 8).waitdone()
    o.nvme0n1.read(qpair, back, 0, 8).waitdone()
    assert bytes(back[:]) == bytes(data[:])
    assert o.nvme0n1.verify_stats() == {"judged": 8, "unverified": 0, "mismatch": 0}
    with pytest.raises(AssertionError, match="32768 bytes"):
        o.nvme0n1.read(qpair, nvme.Buffer(4096), 0, 8)
    assert waiting.start().close().error == 0
    assert all(len(lba) == 4096 for lba in drive.lbas.values())


def test_each_reset_is_followed_by_one_identification_before_the_first_transfer(
    drive: Drive, opened: Opened
) -> None:
    o = opened()
    for _ in range(3):
        o.nvme0.reset()
        qpair = nvme.Qpair(o.nvme0, 4)
        before = len(drive.commands)
        for lba in range(3):
            o.nvme0n1.write(qpair, nvme.Buffer(512), lba).waitdone()
        sent = [(c.opcode, c.sqid > 0) for c in drive.commands[before:]]
        assert sent == [(IDENTIFY, False)] + [(WRITE, True)] * 3


def test_what_is_known_of_a_namespace_stays_over_a_reset_unless_it_is_another_one(
    drive: Drive, opened: Opened
) -> None:
    o = opened()
    drive.on_admin[scripted.GET_LOG_PAGE] = lambda command: (drive.scatter(command, bytes(512)), (0, 0))[1]
    o.nvme0.init_ns()

    def judged_after_reset() -> int:
        qpair = nvme.Qpair(o.nvme0, 4)
        o.nvme0n1.write(qpair, nvme.Buffer(512), 7).waitdone()
        o.nvme0.reset()
        qpair = nvme.Qpair(o.nvme0, 4)
        before = o.nvme0n1.verify_stats().judged
        o.nvme0n1.read(qpair, nvme.Buffer(512), 7).waitdone()
        return int(o.nvme0n1.verify_stats().judged - before)

    assert judged_after_reset() == 1

    def with_change(change: Callable[[], None]) -> int:
        qpair = nvme.Qpair(o.nvme0, 4)
        o.nvme0n1.write(qpair, nvme.Buffer(512), 7).waitdone()
        change()
        o.nvme0.reset()
        qpair = nvme.Qpair(o.nvme0, 4)
        before = o.nvme0n1.verify_stats().judged
        o.nvme0n1.read(qpair, nvme.Buffer(512), 7).waitdone()
        return int(o.nvme0n1.verify_stats().judged - before)

    def another_eui64() -> None:
        drive.identify_namespace[120:128] = b"another1"

    def another_serial() -> None:
        drive.identify_controller[4:24] = b"another".ljust(20)

    assert with_change(another_eui64) == 0
    assert with_change(lambda: None) == 1
    assert with_change(another_serial) == 0
    assert with_change(lambda: None) == 1


def test_where_the_drive_does_not_count_power_losses_a_reset_may_be_one(drive: Drive, opened: Opened) -> None:
    o = opened()
    o.nvme0n1.write(o.qpair, nvme.Buffer(512), 7).waitdone()
    o.nvme0n1.flush(o.qpair).waitdone()
    drive.identify_controller[525] = 1
    o.nvme0.reset()
    qpair = nvme.Qpair(o.nvme0, 4)
    o.nvme0n1.write(qpair, nvme.Buffer(512), 8).waitdone()
    o.nvme0n1.flush(qpair).waitdone()
    o.nvme0n1.write(qpair, nvme.Buffer(512), 9).waitdone()
    o.nvme0.reset()
    qpair = nvme.Qpair(o.nvme0, 4)
    before = o.nvme0n1.verify_stats()
    o.nvme0n1.read(qpair, nvme.Buffer(1024), 8, 2).waitdone()
    after = o.nvme0n1.verify_stats()
    assert (after.judged - before.judged, after.unverified - before.unverified) == (1, 1)


# -- metadata --------------------------------------------------------------------------------------------

SEPARATE = (
    "namespace 1 keeps 8 bytes of metadata of each LBA in a separate buffer "
    ".*pass a Buffer for them as meta.*format it without metadata"
)


@pytest.fixture
def separate(drive: Drive, opened: Opened) -> SimpleNamespace:
    drive.identify_namespace[128] = 8
    drive.identify_namespace[27] = 2
    return opened()


def test_each_way_to_transfer_lbas_with_separate_metadata_is_refused_by_name(
    drive: Drive, separate: SimpleNamespace
) -> None:
    o, b = separate, nvme.Buffer(4096)
    for refused in (
        lambda: o.nvme0n1.read(o.qpair, b, 0, 8),
        lambda: o.nvme0n1.write(o.qpair, b, 0, 8),
        lambda: o.nvme0n1.compare(o.qpair, b, 0, 8),
        lambda: o.nvme0n1.send_cmd(READ, o.qpair, b),
        lambda: o.nvme0n1.send_cmd(WRITE, o.qpair, b),
        lambda: o.nvme0n1.send_cmd(ZONE_APPEND, o.qpair, b),
    ):
        with pytest.raises(NotImplementedError, match=SEPARATE):
            refused()
    assert not [c for c in drive.commands if c.sqid > 0]


def test_an_sgl_of_metadata_is_a_segment_of_one_descriptor_at_mptr(
    drive: Drive, separate: SimpleNamespace
) -> None:
    """PSDT is 10b, and a data block descriptor has type 0h in its last byte (Base 2.0, 3.3.3.1 and 4.1.2)."""
    o, buf, meta = separate, nvme.Buffer(4096), nvme.Buffer(64)
    memory = []

    def write(command: scripted.Command) -> scripted.Result:
        memory.append(drive.dma_read(command[4] | command[5] << 32, 16))
        return 0, 0

    drive.on_io[WRITE] = write
    o.nvme0n1.write(o.qpair, buf, 0, 8, meta=DataBlock(meta)).waitdone()
    o.nvme0n1.write(o.qpair, buf, 0, 8, meta=Sgl(DataBlock(meta, 0, 8), DataBlock(meta, 8))).waitdone()
    one, two = (c for c in drive.commands if c.sqid > 0)
    assert (one[0] >> 8 & 0xFF, two[0] >> 8 & 0xFF) == (0x80, 0x80)
    assert struct.pack("<4I", *one[6:10]) == struct.pack("<QII", buf.phys_addr, 4096, 0), "the data"
    assert (one[4] % 8, two[4] % 8) == (0, 0)
    assert memory[0] == struct.pack("<QII", meta.phys_addr, 64, 0)
    segment, length, kind = struct.unpack("<QII", memory[1])
    assert (length, kind) == (32, 0x30000000), "a last segment of two descriptors"
    assert drive.dma_read(segment, 32) == struct.pack(
        "<QIIQII", meta.phys_addr, 8, 0, meta.phys_addr + 8, 56, 0
    )


def test_what_transfers_no_metadata_is_sent(drive: Drive, separate: SimpleNamespace) -> None:
    o = separate
    drive.others = (0, 0)
    ranges = nvme.Buffer(4096)
    ranges.set_dsm_range(0, 0, 8)
    o.nvme0n1.flush(o.qpair).waitdone()
    o.nvme0n1.write_zeroes(o.qpair, 0, 8).waitdone()
    o.nvme0n1.dsm(o.qpair, ranges, 1).waitdone()
    o.nvme0n1.verify(o.qpair, 0, 8).waitdone()
    r = (
        o.nvme0n1.ioworker(io_size=8, io_count=10, op_percentage={FLUSH: 50, WRITE_ZEROES: 50})
        .start()
        .close()
    )
    assert r.error == 0
    assert o.nvme0n1.id_data(7, 0) > 0


def test_protection_information_that_the_drive_makes_itself_is_no_metadata_to_transfer(
    drive: Drive, separate: SimpleNamespace
) -> None:
    o, b, pract = separate, nvme.Buffer(512), 0x2000
    with pytest.raises(NotImplementedError, match=SEPARATE):
        o.nvme0n1.write(o.qpair, b, 5, io_flags=pract)
    drive.identify_namespace[29] = 1
    o.nvme0.reset()
    qpair = nvme.Qpair(o.nvme0, 4)
    o.nvme0n1.write(qpair, b, 5, io_flags=pract).waitdone()
    o.nvme0n1.read(qpair, b, 5, io_flags=pract).waitdone()
    with pytest.raises(NotImplementedError, match=SEPARATE):
        o.nvme0n1.read(qpair, b, 5)


def test_formatted_without_metadata_it_is_served(drive: Drive, separate: SimpleNamespace) -> None:
    o = separate

    def reformat(command: scripted.Command) -> scripted.Result:
        drive.identify_namespace[128] = 0
        return 0, 0

    drive.on_admin[FORMAT] = reformat
    o.nvme0.format(0).waitdone()
    o.nvme0n1.write(o.qpair, nvme.Buffer(512), 5).waitdone()
    o.nvme0n1.read(o.qpair, nvme.Buffer(512), 5).waitdone()
    assert o.nvme0n1.verify_stats().judged == 1


def test_a_worker_that_was_made_before_it_got_metadata_has_a_buffer_for_them(
    drive: Drive, opened: Opened
) -> None:
    o = opened()
    drive.others = (0, 0)
    worker = o.nvme0n1.ioworker(io_size=8, io_count=1)
    drive.identify_namespace[128] = 8
    o.nvme0.reset()
    assert worker.start().close().error == 0
    (command,) = [c for c in drive.commands if c.sqid > 0]
    assert command[4] | command[5] << 32, "MPTR"


@pytest.fixture
def second(drive: Drive, opened: Opened) -> SimpleNamespace:
    """Give a drive whose namespace 2, which nobody has opened, keeps metadata in a separate buffer."""
    metadata = bytearray(drive.identify_namespace)
    metadata[128] = 8
    described = {2: metadata}

    def identify(command: scripted.Command) -> scripted.Result:
        if command[10] & 0xFF or command.nsid not in described:
            return drive.identify(command)
        drive.scatter(command, bytes(described[command.nsid]))
        return 0, 0

    drive.on_admin[IDENTIFY] = identify
    o = opened()
    o.described = described
    return o


def identified(drive: Drive, nsid: int) -> int:
    return sum(c.opcode == IDENTIFY and c.sqid == 0 and c.nsid == nsid for c in drive.commands)


@pytest.mark.parametrize("opcode", [READ, WRITE, COMPARE, ZONE_APPEND])
def test_what_would_transfer_lbas_of_another_namespace_with_separate_metadata_is_refused_by_name(
    drive: Drive, second: SimpleNamespace, opcode: int
) -> None:
    o, b = second, nvme.Buffer(4096)
    for _ in range(3):
        with pytest.raises(NotImplementedError, match="namespace 2 keeps 8 bytes of metadata"):
            o.nvme0n1.send_cmd(opcode, o.qpair, b, nsid=2)
    assert identified(drive, 2) == 1, "once, and not with each command"
    assert not [c for c in drive.commands if c.sqid > 0]
    o.nvme0n1.write(o.qpair, b, 0, 8).waitdone()


def test_other_commands_to_a_namespace_with_separate_metadata_are_sent(
    drive: Drive, second: SimpleNamespace
) -> None:
    o = second
    o.nvme0n1.send_cmd(FLUSH, o.qpair, nsid=2).waitdone()
    assert [c.opcode for c in drive.commands if c.sqid > 0] == [FLUSH]
    assert identified(drive, 2) == 0


def test_another_namespace_that_was_formatted_without_metadata_is_served(
    drive: Drive, second: SimpleNamespace
) -> None:
    o, b = second, nvme.Buffer(512)
    with pytest.raises(NotImplementedError, match="namespace 2 keeps"):
        o.nvme0n1.send_cmd(READ, o.qpair, b, nsid=2)
    drive.on_admin[FORMAT] = lambda command: (0, 0)
    o.described[2][128] = 0
    o.nvme0.format(0, nsid=2).waitdone()
    o.nvme0n1.send_cmd(READ, o.qpair, b, nsid=2).waitdone()


@pytest.mark.parametrize("nsid", [0, 3, 0xFFFFFFFE, 0xFFFFFFFF])
def test_a_command_to_a_namespace_that_the_drive_does_not_describe_is_sent(
    drive: Drive, second: SimpleNamespace, nsid: int
) -> None:
    second.nvme0n1.send_cmd(READ, second.qpair, nvme.Buffer(512), nsid=nsid).waitdone()
    assert [c.nsid for c in drive.commands if c.sqid > 0] == [nsid]
