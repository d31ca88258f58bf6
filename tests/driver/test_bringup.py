# SPDX-License-Identifier: BSD-3-Clause
"""Initialisation, shutdown and reset as NVM Express Base Specification 2.0 has them, sections 3.5 to 3.7."""

from __future__ import annotations

import math
import time

import nvme
import pytest
from drive import (
    ACQ,
    AER,
    AQA,
    ASQ,
    CAP,
    CC,
    CREATE_CQ,
    CREATE_SQ,
    CRTO,
    CSTS,
    DELETE_CQ,
    DELETE_SQ,
    GET_LOG_PAGE,
    IDENTIFY,
    SET_FEATURES,
    Drive,
    capabilities,
)
from fake import DEVICE_RESET, DMA_UNMAP, DOORBELLS, Message, lasts_at_most, wait_until

from tests.fix_load import loaded

EN = 1
SHN_NORMAL = 1 << 14


def refused(drive: Drive, match: str, seconds: float = 2.0) -> None:
    address = drive.start()
    with lasts_at_most(seconds), pytest.raises(nvme.NvmeEnumerateError, match=match):
        nvme.Controller(address)


def bring_up(drive: Drive) -> nvme.Pcie:
    pcie = nvme.Pcie(drive.start())
    nvme.Controller(pcie)
    return pcie


def writes(drive: Drive, *registers: int) -> list[tuple[int, int]]:
    """The writes to these registers (all but doorbells, where none is named), in their order."""
    found = [(int(e[1]), int(e[2])) for e in drive.journal if e[0] == "write"]
    return [(r, v) for r, v in found if r in registers or (not registers and r < DOORBELLS)]


# Initialisation


def test_admin_queue_is_set_up_before_the_controller_is_enabled(drive: Drive) -> None:
    pcie = bring_up(drive)
    order = [register for register, _ in writes(drive)]
    enabled = next(i for i, (r, v) in enumerate(writes(drive)) if r == CC and v & EN)
    assert {AQA, ASQ, ACQ} <= set(order[:enabled])
    assert not {AQA, ASQ, ACQ} & set(order[enabled:])
    pcie.close()


def test_cc_says_entry_sizes_page_size_and_command_set(drive: Drive) -> None:
    pcie = bring_up(drive)
    cc = next(value for _, value in writes(drive, CC) if value & EN)
    assert cc >> 16 & 0xF == 6, "IOSQES: 64 bytes"
    assert cc >> 20 & 0xF == 4, "IOCQES: 16 bytes"
    assert cc >> 7 & 0xF == 0, "MPS: 4 KiB"
    assert cc >> 4 & 7 == 0, "CSS: NVM"
    assert cc >> 11 & 7 == 0, "AMS: round robin"
    assert cc >> 14 & 3 == 0, "SHN: none"
    pcie.close()


@pytest.mark.parametrize(
    ("css", "expected"),
    [(0x01, 0), (0x41, 6), (0x80, 7), (0xC1, 6), (0x81, 0)],
    ids=["NVM", "all", "admin", "all-and-admin", "NVM-and-admin"],
)
def test_command_set_is_one_that_the_controller_has(drive: Drive, css: int, expected: int) -> None:
    drive.cap = capabilities(css=css)
    pcie = bring_up(drive)
    assert next(value for _, value in writes(drive, CC) if value & EN) >> 4 & 7 == expected
    pcie.close()


def test_default_initialisation_identifies_counts_queues_and_leaves_one_aer(drive: Drive) -> None:
    pcie = bring_up(drive)
    wait_until(lambda: drive.held)
    assert [c[10] & 0xFF for c in drive.sent(IDENTIFY)] == [1, 2]
    assert [c[10] for c in drive.sent(SET_FEATURES)] == [7]
    assert drive.sent(SET_FEATURES)[0][11] == 0xFFFEFFFE
    assert [c.opcode for c in drive.held] == [AER]
    pcie.close()


def test_enabled_controller_is_disabled_first(drive: Drive) -> None:
    """A previous driver left the controller enabled: CSTS.RDY = 1, with old queues."""
    drive.registers[CC : CC + 4] = (0x00460001).to_bytes(4, "little")
    drive.unready_after = 0.2
    pcie = bring_up(drive)
    first = writes(drive)[0]
    assert first[0] == CC
    assert not first[1] & EN
    pcie.close()  # that CSTS.RDY = 0 was waited for, the drive itself checks


def test_controller_that_is_being_enabled_is_ready_before_it_is_disabled(drive: Drive) -> None:
    """Clearing CC.EN is undefined until CSTS.RDY has followed CC.EN = 1."""
    drive.registers[CC : CC + 4] = (0x00460001).to_bytes(4, "little")
    drive._changes_at = time.monotonic() + 0.3
    pcie = bring_up(drive)
    journal = list(drive.journal)
    disabled = next(i for i, e in enumerate(journal) if e[:2] == ("write", CC))
    assert journal[:disabled].count(("read", CSTS)) > 10 or loaded()
    pcie.close()


def test_controller_is_awaited_for_as_long_as_cap_to_says(drive: Drive) -> None:
    drive.cap = capabilities(timeout=2)
    drive.ready_after = 0.8
    start = time.monotonic()
    pcie = bring_up(drive)
    assert time.monotonic() - start >= 0.8
    pcie.close()


def test_controller_that_is_never_ready_is_given_up_after_cap_to(drive: Drive) -> None:
    drive.cap = capabilities(timeout=1)
    drive.ready_after = math.inf
    start = time.monotonic()
    refused(drive, r"does not become ready.*after 500 ms", seconds=1.5)
    assert time.monotonic() - start >= 0.5


def test_controller_that_is_never_disabled_is_given_up_after_cap_to(drive: Drive) -> None:
    drive.cap = capabilities(timeout=1)
    drive.on_read[CSTS] = lambda value: 1
    refused(drive, r"after 500 ms", seconds=1.5)


def test_cap_to_of_0_is_not_no_time_at_all(drive: Drive) -> None:
    drive.cap = capabilities(timeout=0)
    drive.ready_after = 0.2
    bring_up(drive).close()


def test_crto_with_media_is_honoured_where_crms_says_so(drive: Drive) -> None:
    drive.cap = capabilities(timeout=1, crms=1)
    drive.registers[CRTO : CRTO + 4] = (4).to_bytes(4, "little")
    drive.ready_after = 0.9  # longer than CAP.TO
    pcie = bring_up(drive)
    assert not next(value for _, value in writes(drive, CC) if value & EN) >> 24 & 1, "CRIME"
    pcie.close()


def test_crto_means_nothing_without_crms(drive: Drive) -> None:
    drive.cap = capabilities(timeout=1)
    drive.registers[CRTO : CRTO + 4] = (240).to_bytes(4, "little")
    drive.ready_after = math.inf
    refused(drive, "after 500 ms", seconds=1.5)


def test_controller_that_is_only_ready_without_media_is_told_so(drive: Drive) -> None:
    drive.cap = capabilities(timeout=1, crms=2)
    drive.registers[CRTO : CRTO + 4] = (4 << 16).to_bytes(4, "little")
    drive.ready_after = 0.9
    pcie = bring_up(drive)
    assert next(value for _, value in writes(drive, CC) if value & EN) >> 24 & 1, "CRIME"
    pcie.close()


def test_fatal_status_is_told_at_once(drive: Drive) -> None:
    drive.cap = capabilities(timeout=20)
    drive.ready_after = math.inf
    drive.on_read[CSTS] = lambda value: value | 2 if drive.registers[CC] & EN else value
    refused(drive, r"fatal status \(CSTS 0x00000002, CFS = 1\)")


def test_fatal_status_of_before_is_cleared_by_the_reset(drive: Drive) -> None:
    """The driver resets a failed controller, and ignores its CFS until it has enabled it again."""
    drive.registers[CC : CC + 4] = (0x00460001).to_bytes(4, "little")
    drive.on_read[CSTS] = lambda value: value | 2 if not writes(drive, CC) else value
    bring_up(drive).close()


@pytest.mark.parametrize("register", [CAP, CC, CSTS])
def test_register_of_all_ones_is_a_device_that_is_gone(drive: Drive, register: int) -> None:
    drive.on_read[register] = lambda value: 0xFFFFFFFF
    if register == CAP:
        drive.on_read[CAP + 4] = lambda value: 0xFFFFFFFF
    refused(drive, "reads all ones: the device is gone")


def test_smallest_page_above_4_kib_is_refused_before_anything_is_changed(drive: Drive) -> None:
    drive.cap = capabilities(mpsmin=10)
    refused(drive, r"smallest memory page has 4096 KiB \(CAP.MPSMIN = 10\): pynvme uses up to 2048 KiB")
    assert not writes(drive)


@pytest.mark.parametrize("mqes", [1, 15, 127])
def test_mqes_limits_io_queues_and_not_the_admin_queue(drive: Drive, mqes: int) -> None:
    drive.cap = capabilities(mqes=mqes)
    pcie = nvme.Pcie(drive.start())
    nvme0 = nvme.Controller(pcie)
    with pytest.raises(AssertionError, match=f"from 2 to {mqes + 1}"):
        nvme.Qpair(nvme0, mqes + 2)
    qpair, buf = nvme.Qpair(nvme0, mqes + 1), nvme.Buffer(512)
    for lba in range(4):
        nvme.Namespace(nvme0).read(qpair, buf, lba).waitdone()
    aqa = writes(drive, AQA)[-1][1]
    assert aqa & 0xFFF == aqa >> 16 & 0xFFF
    assert aqa & 0xFFF >= 127, "the API promises 127 admin commands in flight"
    pcie.close()


@pytest.mark.parametrize("stride", [0, 1, 2, 5])
def test_doorbells_are_rung_at_the_stride_of_the_device(drive: Drive, stride: int) -> None:
    drive.cap = capabilities(stride=stride)
    pcie = nvme.Pcie(drive.start())
    nvme0 = nvme.Controller(pcie)
    qpairs = [nvme.Qpair(nvme0, 8) for _ in range(2)]
    buf = nvme.Buffer(512)
    nvme0n1 = nvme.Namespace(nvme0)
    for count, qpair in zip((3, 5), qpairs):
        for lba in range(count):
            nvme0n1.read(qpair, buf, lba).waitdone()
    step = 4 << stride
    page = drive.doorbells[DOORBELLS : 2 * DOORBELLS]
    rung = {at: page[at] for at in range(0, len(page), 4) if page[at]}
    admin = len([c for c in drive.commands if c.sqid == 0])
    assert rung == {0: admin, step: admin - 1, 2 * step: 3, 3 * step: 3, 4 * step: 5, 5 * step: 5}
    pcie.close()


def test_stride_beyond_the_bar_is_refused(drive: Drive) -> None:
    drive.cap = capabilities(stride=15)
    refused(drive, "queue 0 has no doorbell: BAR 0 has 0x4000 bytes")


def test_queue_whose_doorbells_are_beyond_the_bar_is_refused(drive: Drive) -> None:
    drive.cap = capabilities(stride=9)  # 2 KiB apart: three queue pairs fit, and the drive promises 16
    pcie = nvme.Pcie(drive.start())
    nvme0 = nvme.Controller(pcie)
    qpairs = []
    with pytest.raises(nvme.QpairCreationError, match="has no doorbell"):
        for _ in range(8):
            qpairs.append(nvme.Qpair(nvme0, 2))
    assert len(qpairs) == 2
    pcie.close()


def test_nothing_is_written_before_a_script_asks_for_it(drive: Drive) -> None:
    pcie = nvme.Pcie(drive.start())
    nvme0 = nvme.Controller(pcie, nvme_init_func=True)
    assert nvme0[CSTS] == 0
    assert nvme0.cap == drive.cap
    assert not writes(drive)
    pcie.close()
    assert not writes(drive)


# Shutdown


def test_close_deletes_queues_shuts_down_and_disables_in_this_order(drive: Drive) -> None:
    pcie = nvme.Pcie(drive.start())
    nvme0 = nvme.Controller(pcie)
    qpairs = [nvme.Qpair(nvme0, 8) for _ in range(3)]
    drive.journal.clear()
    pcie.close()
    done = [e for e in drive.journal if e[0] == "admin" or (e[0] == "write" and int(e[1]) < DOORBELLS)]
    deleted = [(e[1], e[2]) for e in done if e[0] == "admin"]
    assert sorted(deleted) == [(DELETE_SQ, q) for q in (1, 2, 3)] + [(DELETE_CQ, q) for q in (1, 2, 3)]
    for qid in (1, 2, 3):
        assert deleted.index((DELETE_SQ, qid)) < deleted.index((DELETE_CQ, qid))
    ccs = [e for e in done if e[:2] == ("write", CC)]
    assert done.index(ccs[0]) == len(deleted), "the queues are deleted first"
    assert int(ccs[0][2]) & (SHN_NORMAL | EN) == SHN_NORMAL | EN
    assert [int(e[2]) & EN for e in ccs[1:]] == [0]
    assert len(qpairs) == 3


def test_shutdown_is_complete_before_the_controller_is_disabled(drive: Drive) -> None:
    end = [math.inf]

    def shst(value: int) -> int:
        if value & 8 and end[0] == math.inf:
            end[0] = time.monotonic() + 0.3
        return value if time.monotonic() >= end[0] or not value & 8 else value & ~0xC | 4

    drive.on_read[CSTS] = shst
    pcie = bring_up(drive)
    drive.journal.clear()
    pcie.close()
    ccs = [i for i, e in enumerate(drive.journal) if e[:2] == ("write", CC)]
    assert drive.journal[ccs[0] : ccs[1]].count(("read", CSTS)) > 10 or loaded()
    assert time.monotonic() >= end[0]


def test_shutdown_that_is_never_complete_does_not_keep_close(drive: Drive) -> None:
    drive.on_read[CSTS] = lambda value: value & ~0xC
    pcie = nvme.Pcie(drive.start())
    nvme.Controller(pcie).timeout = 200
    with lasts_at_most(1.0):
        pcie.close()


def test_shutdown_notification_is_written_and_awaited(drive: Drive) -> None:
    pcie = nvme.Pcie(drive.start())
    subsystem = nvme.Subsystem(nvme.Controller(pcie))
    assert subsystem.shutdown_notify()
    assert writes(drive, CC)[-1][1] >> 14 & 3 == 1
    assert subsystem.shutdown_notify(abrupt=True)
    assert writes(drive, CC)[-1][1] >> 14 & 3 == 2
    pcie.close()


def test_shutdown_notification_that_is_not_completed_is_an_exception(drive: Drive) -> None:
    drive.on_read[CSTS] = lambda value: value & ~0xC
    pcie = nvme.Pcie(drive.start())
    nvme0 = nvme.Controller(pcie)
    nvme0.timeout = 100
    with lasts_at_most(1.0), pytest.raises(nvme.NvmeShutdownStatusTimeoutError, match="after 100 ms"):
        nvme.Subsystem(nvme0).shutdown_notify()
    pcie.close()


def test_close_unmaps_memory_and_takes_bus_mastering_away_last(drive: Drive) -> None:
    pcie = bring_up(drive)
    mapped = len(drive.memory)
    assert drive.config[4] & 4
    pcie.close()
    assert len([m for m in drive.messages if m.command == DMA_UNMAP]) == mapped > 0
    assert not drive.config[4] & 4
    assert all(m.command == DMA_UNMAP for m in drive.messages[-mapped:])


def test_drive_is_closed_with_the_last_reference(drive: Drive) -> None:
    nvme0 = nvme.Controller(drive.start())
    drive.journal.clear()
    del nvme0
    assert [v & (SHN_NORMAL | EN) for _, v in writes(drive, CC)] == [SHN_NORMAL | EN, 0]


# Reset


def test_reset_disables_enables_and_initialises_again(drive: Drive) -> None:
    pcie = nvme.Pcie(drive.start())
    nvme0 = nvme.Controller(pcie)
    wait_until(lambda: drive.held)
    drive.commands.clear()
    drive.journal.clear()
    nvme0.reset()
    ens = [v & EN for _, v in writes(drive, CC)]
    assert ens[0] == 0
    assert ens[-1] == 1
    assert ens == sorted(ens), "enabled once"
    wait_until(lambda: drive.held)
    opcodes = [c.opcode for c in drive.commands if c.opcode != GET_LOG_PAGE]
    assert opcodes == [IDENTIFY, IDENTIFY, SET_FEATURES, AER]
    pcie.close()


def test_queues_are_created_with_the_completion_queue_first(drive: Drive) -> None:
    pcie = nvme.Pcie(drive.start())
    nvme0 = nvme.Controller(pcie)
    qpair = nvme.Qpair(nvme0, 16)
    assert [c.opcode for c in drive.commands[-2:]] == [CREATE_CQ, CREATE_SQ]
    assert qpair.sqid == 1
    pcie.close()


def test_hot_reset_is_asked_of_the_device(drive: Drive) -> None:
    resets = []

    def reset(message: Message) -> None:
        resets.append(drive.registers[CC] & EN)
        drive.registers[CC] = 0
        drive.config[4] = 0
        drive._disable()
        drive.reply(message)

    drive.on_message[DEVICE_RESET] = reset
    pcie = nvme.Pcie(drive.start())
    nvme0 = nvme.Controller(pcie)
    assert pcie.reset()
    assert len(resets) == 1
    assert drive.config[4] & 2, "memory space is enabled again"
    nvme0.reset()
    assert nvme0.id_data(23, 4, str) == "FAKE0001"
    pcie.close()


def test_reset_that_the_device_refuses_is_an_exception(drive: Drive) -> None:
    drive.on_message[DEVICE_RESET] = lambda message: drive.refuse(message, 95)
    pcie = nvme.Pcie(drive.start())
    nvme0 = nvme.Controller(pcie)
    with pytest.raises(NotImplementedError, match="refused DEVICE_RESET"):
        pcie.reset()
    assert nvme0.id_data(23, 4, str) == "FAKE0001"
    pcie.close()
