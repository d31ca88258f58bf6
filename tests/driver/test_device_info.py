# SPDX-License-Identifier: BSD-3-Clause
"""What a device reports about its regions: the driver refuses or ignores wrong values, no others."""

from __future__ import annotations

import mmap
import os
import struct
import threading
from collections.abc import Sequence
from typing import Callable

import nvme
import pytest
from drive import Drive
from fake import (
    BAR0,
    BAR_SIZE,
    CAPS,
    CONFIG,
    DMA_MAP,
    DOORBELLS,
    GET_INFO,
    GET_IRQ_INFO,
    GET_REGION_INFO,
    MMAP,
    PAGE,
    READ,
    REGION_INFO,
    REGION_READ,
    WRITE,
    Message,
    sparse_areas,
)

MAPPABLE = READ | WRITE | MMAP | CAPS
U64 = 0xFFFFFFFFFFFFFFFF


def region(
    drive: Drive,
    *,
    index: int = BAR0,
    flags: int = MAPPABLE,
    cap_offset: int = 32,
    size: int = BAR_SIZE,
    offset: int = 0,
    caps: bytes = b"",
    fds: Sequence[int] | None = None,
) -> None:
    """Reply with these values for one region, and as usual for the others."""

    def hook(message: Message) -> None:
        if struct.unpack_from("<I", message.payload, 8)[0] != index:
            drive.answer(message)
            return
        info = REGION_INFO.pack(32 + len(caps), flags, index, cap_offset, size, offset) + caps
        drive.reply(message, info, [drive.doorbell_fd] if fds is None else fds)

    drive.on_message[GET_REGION_INFO] = hook


def refused(drive: Drive, match: str) -> None:
    address = drive.start()
    with pytest.raises(nvme.NvmeEnumerateError, match=match):
        nvme.Controller(address)


def transfers(drive: Drive, *, process: bool = False) -> None:
    """Open the drive, write, read back, close."""
    pcie = nvme.Pcie(drive.start(process=process))
    nvme0 = nvme.Controller(pcie)
    nvme0n1, qpair = nvme.Namespace(nvme0), nvme.Qpair(nvme0, 8)
    buf = nvme.Buffer(4096)
    buf[16:32] = b"what was written"
    for lba in range(20):  # the rings go round
        nvme0n1.write(qpair, buf, lba, 8).waitdone()
    again = nvme.Buffer(4096)
    nvme0n1.read(qpair, again, 19, 8).waitdone()
    assert again[16:32] == b"what was written"
    pcie.close()


def by_store(drive: Drive) -> bool:
    """Whether doorbells were rung by stores, and not by messages."""
    return not any(entry[0] == "write" and int(entry[1]) >= DOORBELLS for entry in drive.journal)


# The device


@pytest.mark.parametrize(("flags", "regions"), [(3, 0), (3, 7), (1, 9), (0, 0)])
def test_device_that_is_no_pci_function_is_refused(drive: Drive, flags: int, regions: int) -> None:
    drive.on_message[GET_INFO] = lambda to: drive.reply(to, struct.pack("<IIII", 16, flags, regions, 5))
    refused(drive, "is not a PCI function")


def test_absurd_counts_of_regions_and_interrupts_do_no_harm(drive: Drive) -> None:
    drive.on_message[GET_INFO] = lambda to: drive.reply(to, struct.pack("<IIII", 16, 3, 2**32 - 1, 2**32 - 1))
    drive.on_message[GET_IRQ_INFO] = lambda to: drive.reply(to, struct.pack("<IIII", 16, 1, 2, 2**32 - 1))
    transfers(drive)


def test_device_without_interrupts_is_driven(drive: Drive) -> None:
    drive.on_message[GET_INFO] = lambda to: drive.reply(to, struct.pack("<IIII", 16, 3, 9, 0))
    transfers(drive)


@pytest.mark.parametrize("length", [0, 15, 4097])
def test_answer_of_a_wrong_size_is_no_answer(drive: Drive, length: int) -> None:
    drive.on_message[GET_INFO] = lambda to: drive.reply(to, bytes(length))
    refused(drive, "gave no proper answer to DEVICE_GET_INFO")


@pytest.mark.parametrize("what", [GET_INFO, GET_REGION_INFO, GET_IRQ_INFO, REGION_READ, DMA_MAP])
def test_each_refusal_while_opening_names_what_was_asked(drive: Drive, what: int) -> None:
    names = {4: "DEVICE_GET_INFO", 5: "DEVICE_GET_REGION_INFO", 7: "DEVICE_GET_IRQ_INFO", 9: "REGION_READ"}
    drive.on_message[what] = lambda to: drive.refuse(to, 28, b"and a payload")
    refused(drive, f"refused {names.get(what, 'DMA_MAP')}: No space left on device")


def test_another_class_of_device_is_refused(drive: Drive) -> None:
    drive.config[9:12] = bytes([0, 0, 2])
    refused(drive, "class is 020000, not 010802")


def test_answer_for_another_place_is_no_answer(drive: Drive) -> None:
    def elsewhere(to: Message) -> None:
        offset, index, count = struct.unpack("<QII", to.payload)
        drive.reply(to, struct.pack("<QII", offset + 4, index, count) + bytes(count))

    drive.on_message[REGION_READ] = elsewhere
    refused(drive, "answered for another place")


# BAR 0


@pytest.mark.parametrize("size", [0, 1, 4095])
def test_bar_too_small_for_the_registers_is_refused(drive: Drive, size: int) -> None:
    region(drive, flags=READ | WRITE, size=size, fds=[])
    refused(drive, f"BAR 0 has {size} bytes")


def test_bar_without_doorbells_is_refused(drive: Drive) -> None:
    region(drive, flags=READ | WRITE, size=4096, fds=[])
    refused(drive, "has no doorbell: BAR 0 has 0x1000 bytes")


@pytest.mark.parametrize("size", [1 << 32, (1 << 63) + 1, U64 - 4095, U64])
def test_bar_of_any_size_is_driven(drive: Drive, size: int) -> None:
    region(drive, caps=sparse_areas((DOORBELLS, DOORBELLS)), size=size)
    transfers(drive)
    assert by_store(drive)


def test_configuration_space_may_be_small_or_absurd(drive: Drive) -> None:
    region(drive, index=CONFIG, flags=READ | WRITE, size=256, fds=[])
    pcie = nvme.Pcie(drive.start())
    assert pcie.register(0) == 0x00101B36
    assert pcie[256] == 0xFF
    pcie.close()


def test_no_configuration_space_is_refused(drive: Drive) -> None:
    region(drive, index=CONFIG, flags=0, size=0, fds=[])
    refused(drive, "class is ffffff, not 010802")


# What can be mapped


def test_doorbells_are_stored_where_they_can_be_mapped(drive: Drive) -> None:
    transfers(drive)
    assert by_store(drive)


def test_region_without_areas_is_mapped_as_a_whole(drive: Drive) -> None:
    region(drive, flags=READ | WRITE | MMAP, cap_offset=0)
    transfers(drive)
    assert by_store(drive)


def test_region_of_several_areas_is_mapped(drive: Drive) -> None:
    region(drive, caps=sparse_areas((0x3000, PAGE), (0x1000, PAGE), (0x2000, PAGE)))
    transfers(drive)
    assert by_store(drive)


def test_place_of_the_region_in_its_file_is_kept(drive: Drive) -> None:
    file = os.memfd_create("shifted", os.MFD_CLOEXEC)
    os.truncate(file, 0x10000 + BAR_SIZE)
    drive.doorbells.close()
    drive.doorbells = mmap.mmap(file, BAR_SIZE, offset=0x10000)
    region(drive, caps=sparse_areas((DOORBELLS, DOORBELLS)), offset=0x10000, fds=[file])
    transfers(drive)
    os.close(file)
    assert by_store(drive)


NOT_MAPPABLE: dict[str, dict[str, object]] = {
    "no MMAP flag": {"flags": READ | WRITE, "caps": sparse_areas((DOORBELLS, DOORBELLS))},
    "no descriptor": {"caps": sparse_areas((DOORBELLS, DOORBELLS)), "fds": []},
    "no areas": {"caps": sparse_areas()},
    "outside of the file": {"caps": sparse_areas((DOORBELLS, DOORBELLS)), "offset": 1 << 20},
    "outside of the region": {"caps": sparse_areas((BAR_SIZE, DOORBELLS))},
    "over the region's end": {"caps": sparse_areas((DOORBELLS, BAR_SIZE))},
    "empty": {"caps": sparse_areas((DOORBELLS, 0))},
    "not a whole page": {"caps": sparse_areas((DOORBELLS, 8))},
    "not at a page": {"caps": sparse_areas((DOORBELLS + 8, PAGE))},
    "sum wraps": {"caps": sparse_areas((U64 - 4095, 2 * PAGE))},
    "file offset wraps": {"caps": sparse_areas((DOORBELLS, PAGE)), "offset": U64 - 4095},
    "not the doorbells": {"caps": sparse_areas((0x2000, PAGE))},
    "more areas than bytes": {"caps": struct.pack("<HHIII", 1, 1, 0, 0xFFFFFFFF, 0)},
    "cut off": {"caps": sparse_areas((DOORBELLS, DOORBELLS))[:-1]},
}


@pytest.mark.parametrize("lie", NOT_MAPPABLE.values(), ids=NOT_MAPPABLE)
def test_what_cannot_be_mapped_is_rung_by_message(drive: Drive, lie: dict[str, object]) -> None:
    region(drive, **lie)  # type: ignore[arg-type]
    transfers(drive, process=True)


BROKEN_LISTS = {
    "behind the reply": 4000,
    "at the end": 32 + 32,
    "far behind": 0xFFFFFFF0,
    "in the header": 8,
}


@pytest.mark.parametrize("cap_offset", BROKEN_LISTS.values(), ids=BROKEN_LISTS)
def test_capabilities_outside_of_the_reply_are_not_read(drive: Drive, cap_offset: int) -> None:
    """Without a list of areas the whole region is mappable, as the flags say."""
    region(drive, cap_offset=cap_offset, caps=sparse_areas((0x3000, PAGE)))
    transfers(drive)
    assert by_store(drive)


@pytest.mark.parametrize("next", [32, 8, 0xFFFFFFFF])
def test_capabilities_that_lead_back_end(drive: Drive, next: int) -> None:
    region(drive, caps=sparse_areas((DOORBELLS, DOORBELLS), next=next))
    transfers(drive)
    assert by_store(drive)


def test_unknown_capability_before_the_areas_is_skipped(drive: Drive) -> None:
    unknown = struct.pack("<HHIQ", 0x4444, 1, 48, U64)
    region(drive, caps=unknown + sparse_areas((DOORBELLS, DOORBELLS)))
    transfers(drive)
    assert by_store(drive)


def test_descriptor_of_something_that_cannot_be_mapped_is_rung_by_message(drive: Drive) -> None:
    read_end, write_end = os.pipe()
    region(drive, caps=sparse_areas((DOORBELLS, DOORBELLS)), fds=[write_end])
    transfers(drive, process=True)
    os.close(read_end)
    os.close(write_end)


def test_worker_runs_where_doorbells_can_be_mapped(drive: Drive) -> None:
    pcie = nvme.Pcie(drive.start())
    nvme0 = nvme.Controller(pcie)
    result = nvme.Namespace(nvme0).ioworker(io_count=50, qdepth=4, region_end=64).start().close()
    assert (result.io_count_read, result.error) == (50, 0)
    pcie.close()


def test_worker_without_mapped_doorbells_says_so(drive: Drive) -> None:
    """The worker has no connection to the device, so it could not send doorbell messages."""
    region(drive, flags=READ | WRITE, fds=[])
    pcie = nvme.Pcie(drive.start(process=True))
    nvme0 = nvme.Controller(pcie)
    worker = nvme.Namespace(nvme0).ioworker(io_count=10, qdepth=4, region_end=64).start()
    with pytest.warns(UserWarning, match="ioworker host ERROR -1: init fail in pyx"):
        assert worker.close().error == -1
    pcie.close()


def test_threads_share_one_connection(drive: Drive) -> None:
    """Doorbells by message and register accesses of other threads do not take each other's replies."""
    region(drive, flags=READ | WRITE, fds=[])
    pcie = nvme.Pcie(drive.start(process=True))
    nvme0 = nvme.Controller(pcie)
    nvme0n1, qpair = nvme.Namespace(nvme0), nvme.Qpair(nvme0, 8)
    stop, failures = threading.Event(), []

    def look(read: Callable[[], object]) -> None:
        try:
            while not stop.is_set():
                read()
        except Exception as error:
            failures.append(error)

    threads = [
        threading.Thread(target=look, args=(read,))
        for read in (lambda: nvme0[0x1C], lambda: pcie.register(0), lambda: nvme0.cap)
    ]
    for thread in threads:
        thread.start()
    buf = nvme.Buffer(512)
    try:
        for lba in range(300):
            nvme0n1.read(qpair, buf, lba).waitdone()
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert not failures
    pcie.close()
