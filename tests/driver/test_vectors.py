# SPDX-License-Identifier: BSD-3-Clause
"""Interrupts: the driver's messages to the device, byte for byte, and the eventfds that the device raises.

vfio-user specification, VFIO_USER_DEVICE_SET_IRQS; PCI Express Base Specification 5.0, section 7.7.2 (MSI-X).
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Callable

import nvme
import pytest
from drive import CREATE_CQ, CREATE_SQ, Drive
from fake import GET_IRQ_INFO, MSIX_TABLE, NUM_VECTORS, REGION_READ, REGION_WRITE, SET_IRQS, Message

Opener = Callable[..., SimpleNamespace]
CAPABILITY, TABLE = 0x40, 0x200
MSIX_ENABLE = CAPABILITY + 3  # bit 7
SET_EVENTFD = 4 | 32  # DATA_EVENTFD, ACTION_TRIGGER


class Vectors:
    """The drive's end of the eventfds that it was given."""

    def __init__(self, drive: Drive) -> None:
        self.drive = drive
        self.fds: dict[int, int] = {}
        drive.on_message[SET_IRQS] = self.set_irqs
        config = drive.config
        config[6] |= 0x10
        config[0x34] = CAPABILITY
        entry = (0x11, 0, NUM_VECTORS - 1, TABLE | MSIX_TABLE, 0x800 | 5)
        struct.pack_into("<BBHII", config, CAPABILITY, *entry)

    def set_irqs(self, message: Message) -> None:
        vector = struct.unpack_from("<I", message.payload, 12)[0]
        if vector in self.fds:
            os.close(self.fds.pop(vector))
        if message.fds:
            self.fds[vector] = os.dup(message.fds[0])
        self.drive.reply(message)

    def fire(self, vector: int) -> None:
        os.write(self.fds[vector], (1).to_bytes(8, "little"))

    def close(self) -> None:
        for fd in self.fds.values():
            os.close(fd)


@pytest.fixture
def vectors(drive: Drive) -> Iterator[Vectors]:
    """Give the vectors of a drive with MSI-X."""
    vectors = Vectors(drive)
    yield vectors
    vectors.close()


def told(drive: Drive) -> list[tuple[tuple[int, ...], int]]:
    """The SET_IRQS messages so far: their five words, and how many descriptors came along."""
    return [
        (struct.unpack("<5I", message.payload), len(message.fds))
        for message in drive.messages
        if message.command == SET_IRQS
    ]


def table_writes(drive: Drive) -> list[tuple[int, bytes]]:
    """Writes into BAR 4: offset, data."""
    found = []
    for message in drive.messages:
        if message.command == REGION_WRITE:
            offset, region, _ = struct.unpack_from("<QII", message.payload)
            if region == MSIX_TABLE:
                found.append((offset, message.payload[16:]))
    return found


def test_each_vector_is_told_once_and_taken_back_with_its_last_queue(
    drive: Drive, vectors: Vectors, opened: Opener
) -> None:
    own = opened()
    first = [((20, SET_EVENTFD, 2, 0, 1), 1), ((20, SET_EVENTFD, 2, 1, 1), 1)]
    assert told(drive) == first, "the admin queue has vector 0, and the Qpair that was opened vector 1"
    assert drive.config[MSIX_ENABLE] & 0x80
    one, two = nvme.Qpair(own.nvme0, 4, iv=7), nvme.Qpair(own.nvme0, 4, iv=7)
    assert told(drive)[2:] == [((20, SET_EVENTFD, 2, 7, 1), 1)]
    one.delete()
    assert len(told(drive)) == 3
    two.delete()
    assert told(drive)[3:] == [((20, SET_EVENTFD, 2, 7, 1), 0)]


def test_vector_0_has_an_eventfd_as_long_as_msix_is_enabled(
    drive: Drive, vectors: Vectors, opened: Opener
) -> None:
    """The admin queue interrupts on it, and a device may call it fatal that it cannot deliver that."""
    missing: list[bytes] = []

    def watch(message: Message) -> None:
        if message.command == SET_IRQS:
            vectors.set_irqs(message)
        else:
            drive.answer(message)
        if drive.config[MSIX_ENABLE] & 0x80 and 0 not in vectors.fds:
            missing.append(message.payload)

    drive.on_message[SET_IRQS] = drive.on_message[REGION_WRITE] = watch
    own = opened()
    own.qpair.delete()
    on_zero = nvme.Qpair(own.nvme0, 4, iv=0)
    vectors.fire(0)
    assert on_zero.msix_isset()
    on_zero.delete()
    vectors.fire(0)
    on_zero = nvme.Qpair(own.nvme0, 4, iv=0)
    assert not on_zero.msix_isset(), "what nobody reads is not the script's"
    nvme.Qpair(own.nvme0, 4, iv=3).delete()
    own.nvme0.reset()
    own.pcie.close()
    assert not missing


def test_msix_is_disabled_when_the_device_is_closed(drive: Drive, vectors: Vectors, opened: Opener) -> None:
    own = opened()
    assert drive.config[MSIX_ENABLE] & 0x80
    own.pcie.close()
    assert not drive.config[MSIX_ENABLE] & 0x80


def test_msix_that_a_killed_client_left_enabled_is_disabled(drive: Drive, vectors: Vectors) -> None:
    drive.config[MSIX_ENABLE] |= 0x80
    pcie = nvme.Pcie(drive.start())
    assert not drive.config[MSIX_ENABLE] & 0x80
    pcie.close()


def test_create_commands_carry_vector_and_ien(drive: Drive, vectors: Vectors, opened: Opener) -> None:
    own = opened()
    del drive.commands[:]
    nvme.Qpair(own.nvme0, 4, iv=7)
    nvme.Qpair(own.nvme0, 4, ien=False)
    created = [c[11] for c in drive.commands if c.opcode == CREATE_CQ]
    assert created == [7 << 16 | 3, 2 << 16 | 1], "the second takes the QID that is free again"
    assert [c[11] & 0xFFFF for c in drive.commands if c.opcode == CREATE_SQ] == [1, 1]


@pytest.mark.parametrize(
    ("count", "expected"), [(3, [1, 2, 0, 1]), (2, [1, 0, 1, 0]), (1, [0] * 4), (0, [0] * 4)]
)
def test_queues_share_vectors_where_there_are_too_few(
    drive: Drive, opened: Opener, count: int, expected: list[int]
) -> None:
    def get_irq_info(message: Message) -> None:
        index = struct.unpack_from("<I", message.payload, 8)[0]
        drive.reply(message, struct.pack("<IIII", 16, 1, index, count if index == 2 else 0))

    drive.on_message[GET_IRQ_INFO] = get_irq_info
    own = opened()
    pairs = [own.qpair, *(nvme.Qpair(own.nvme0, 4) for _ in range(3))]
    assert [c[11] >> 16 for c in drive.commands if c.opcode == CREATE_CQ] == expected
    assert all(c[11] & 2 for c in drive.commands if c.opcode == CREATE_CQ), "interrupts are enabled"
    for pair in pairs[1:]:
        pair.delete()


def test_masking_writes_the_vector_control_of_the_table_entry_and_keeps_its_other_bits(
    drive: Drive, vectors: Vectors, opened: Opener
) -> None:
    own = opened()
    at = TABLE + 16 * 1 + 12
    drive.table[at : at + 4] = b"\x00\x00\x34\x12"
    own.qpair.msix_mask()
    own.qpair.msix_unmask()
    assert table_writes(drive) == [(at, b"\x01\x00\x34\x12"), (at, b"\x00\x00\x34\x12")]
    own.qpair.msix_mask()
    own.qpair.delete()
    assert table_writes(drive)[2:] == [(at, b"\x01\x00\x34\x12"), (at, b"\x00\x00\x34\x12")]


def test_isset_and_clear_follow_the_eventfd(drive: Drive, vectors: Vectors, opened: Opener) -> None:
    own = opened()
    assert own.qpair.msix_isset() is False
    for _ in range(3):
        vectors.fire(1)
    assert own.qpair.msix_isset() is True
    own.qpair.msix_clear()
    assert own.qpair.msix_isset() is False


def test_an_interrupt_that_is_on_its_way_is_waited_for_by_a_read(
    drive: Drive, vectors: Vectors, opened: Opener
) -> None:
    own = opened()

    def late(value: int) -> int:
        drive.on_read.clear()
        vectors.fire(1)
        return value

    drive.on_read[0x1C] = late
    assert own.qpair.msix_isset() is True
    drive.on_read[0x1C] = late
    own.qpair.msix_clear()
    assert own.qpair.msix_isset() is False


def test_a_drive_without_msix_has_queues_and_says_what_it_has_not(drive: Drive, opened: Opener) -> None:
    own = opened()
    own.nvme0n1.read(own.qpair, nvme.Buffer(512), 0).waitdone()
    # Its vectors can have eventfds, but there is no table.
    assert own.qpair.msix_isset() is False
    with pytest.raises(NotImplementedError, match="no MSI-X"):
        own.qpair.msix_mask()
    far = nvme.Qpair(own.nvme0, 4, iv=NUM_VECTORS)
    own.nvme0n1.read(far, nvme.Buffer(512), 0).waitdone()
    for use in (far.msix_isset, far.msix_clear, far.msix_mask, far.msix_unmask):
        with pytest.raises(NotImplementedError, match=f"no interrupt vector {NUM_VECTORS}"):
            use()


def test_a_drive_that_refuses_the_eventfd_still_has_queues(drive: Drive, opened: Opener) -> None:
    drive.on_message[SET_IRQS] = lambda message: drive.refuse(message, 22)
    own = opened()
    own.nvme0n1.read(own.qpair, nvme.Buffer(512), 0).waitdone()
    with pytest.raises(NotImplementedError, match="refused DEVICE_SET_IRQS"):
        own.qpair.msix_isset()


@pytest.mark.parametrize("bar", [6, 7])
def test_a_table_in_a_bar_that_cannot_be_is_an_error_and_nothing_is_written(
    drive: Drive, vectors: Vectors, opened: Opener, bar: int
) -> None:
    """Region 7 of the protocol is configuration space."""
    own = opened()
    struct.pack_into("<I", drive.config, CAPABILITY + 4, TABLE | bar)
    before = bytes(drive.config)
    with pytest.raises(NotImplementedError, match=f"BAR {bar}"):
        own.qpair.msix_mask()
    assert bytes(drive.config) == before


def test_a_table_that_the_drive_does_not_let_us_read_is_an_error(
    drive: Drive, vectors: Vectors, opened: Opener
) -> None:
    own = opened()
    struct.pack_into("<I", drive.config, CAPABILITY + 4, 0xFFFFFFF8 | MSIX_TABLE)
    seen: list[int] = []

    def far(message: Message) -> None:
        offset, region, _ = struct.unpack_from("<QII", message.payload)
        if region == MSIX_TABLE:
            seen.append(offset)
            drive.refuse(message, 22)
        else:
            drive.answer(message)

    drive.on_message[REGION_READ] = far
    with pytest.raises(NotImplementedError):
        own.qpair.msix_mask()
    assert seen == [0xFFFFFFF8 + 16 + 12], "nothing wraps"
