# SPDX-License-Identifier: BSD-3-Clause
"""Fault rules that act on commands and on their completions."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from client import sqe
from ctrl_helpers import (
    ABORT,
    ABORT_REQUESTED,
    FLUSH,
    FUA,
    IDENTIFY,
    LBA_OUT_OF_RANGE,
    OK,
    READ,
    UNRECOVERED_READ,
    WRITE,
    WRITE_ZEROES,
    Disk,
    Host,
    Start,
    pattern,
    smart,
)
from fault_helpers import CLEAR, RELEASE, REMOVE, clear, control, fired, fired_count, plant, wrong
from server import Server

from tests.fix_load import loaded


@pytest.fixture
def host(server: Server) -> Iterator[Host]:
    host = Host(server)
    yield host
    host.close()


@pytest.fixture
def disk(host: Host) -> Disk:
    host.disk.write(0, pattern(0, 16))
    return host.disk


def test_a_status_replaces_the_command(server: Server, disk: Disk) -> None:
    number = plant(server, "opcode=write lba=4..5 nth=2 do status=02/81 count=1")
    for expected in (OK, UNRECOVERED_READ, OK):
        assert disk.command(WRITE_ZEROES, 4) == OK
        disk.nvme.memory.write(disk.buffer, b"\x11" * 1024)
        assert disk.command(WRITE, 3, 2) == expected
        assert disk.read(4) == (b"\x11" if expected == OK else b"\0") * 512
    assert disk.command(WRITE, 6, 2) == OK, "outside of the range"
    assert fired_count(server, number) == 1
    entry = fired(server)[-1]
    assert (entry.rule, entry.place, entry.qid, entry.opcode, entry.nsid, entry.slba) == (
        number,
        0,
        1,
        1,
        1,
        3,
    )
    assert smart(disk.nvme, 176) > 0, "the failed command is in the error log"


@pytest.mark.parametrize(
    ("words", "dnr", "crd"), [("", True, 0), ("dnr=0 crd=2", False, 2), ("dnr", True, 0)]
)
def test_dnr_and_crd_are_as_the_rule_says(
    server: Server, disk: Disk, words: str, dnr: bool, crd: int
) -> None:
    plant(server, f"opcode=read do status=02/81 {words} result=0x12345678")
    disk.queue.submit(sqe(READ, nsid=1, prp1=disk.buffer))
    entry = disk.queue.wait()
    assert (entry.status, entry.dnr, entry.cdw0) == (UNRECOVERED_READ, dnr, 0x12345678)
    queue = disk.queue
    last = queue.cq + (queue.head - 1) % queue.depth * 16
    assert disk.nvme.memory.read(last + 15, 1)[0] >> 4 & 3 == crd


def test_skip_reports_success_and_does_nothing(server: Server, disk: Disk) -> None:
    plant(server, "opcode=write do skip")
    disk.nvme.memory.write(disk.buffer, b"\x22" * 512)
    assert disk.command(WRITE, 0) == OK
    clear(server)
    assert disk.read(0) == pattern(0, 1)


def test_an_invalid_command_is_accepted_by_skip_or_by_its_completion(server: Server, disk: Disk) -> None:
    assert disk.command(WRITE, 1 << 40) == LBA_OUT_OF_RANGE
    plant(server, "lba>=0x100000 do skip count=1", "opcode=write status=00/80 do set cqe.sc=0 cqe.dnr=0")
    assert disk.command(WRITE, 1 << 40) == OK
    assert disk.command(WRITE, 1 << 40) == OK
    assert disk.command(READ, 1 << 40) == LBA_OUT_OF_RANGE


def test_fields_of_the_command_change_before_it_executes(server: Server, disk: Disk) -> None:
    plant(server, "opcode=read slba=2 do set slba=5", "opcode=write-zeroes do add nlb=1")
    assert disk.read(2) == pattern(5, 1)
    assert disk.read(3) == pattern(3, 1)
    assert disk.command(WRITE_ZEROES, 8) == OK
    assert disk.read(8, 3) == bytes(1024) + pattern(10, 1)
    clear(server)
    plant(server, "opcode=write do set opcode=write-zeroes", "opcode=read do set slba[2:0]=0")
    disk.nvme.memory.write(disk.buffer, b"\x33" * 512)
    assert disk.command(WRITE, 8) == OK
    assert disk.read(15) == bytes(512)


def test_an_unknown_opcode_can_get_a_meaning(server: Server, disk: Disk) -> None:
    plant(server, "queue=io opcode=0xc0 do set opcode=flush")
    assert disk.queue.execute(0xC0, nsid=1)[1] == OK


def test_fua_is_ignored(start: Start) -> None:
    host = Host(start("--size", "16M"))
    try:
        plant(host.server, "opcode=write fua=1 do set fua=0")
        host.disk.write(0, pattern(0, 1), FUA)
        host.power_cycle()
        assert host.disk.read(0) == bytes(512)
        clear(host.server)
        host.disk.write(0, pattern(0, 1), FUA)
        host.power_cycle()
        assert host.disk.read(0) == pattern(0, 1)
    finally:
        host.close()


def test_rules_select_by_queue(server: Server, host: Host, disk: Disk) -> None:
    other = Disk(host.nvme, host.nvme.create_queue(2, 8))
    plant(server, "queue=2 do status=00/06")
    assert other.command(READ, 0) == 0x006
    assert disk.command(READ, 0) == OK
    assert host.nvme.admin.execute(IDENTIFY, prp1=disk.buffer, cdw10=1)[1] == OK


def test_admin_commands_and_their_parameters(server: Server, host: Host) -> None:
    buffer = host.nvme.memory.alloc(4096)
    plant(server, "cns=1 do status=00/06", "log=2 do status=00/07")
    assert host.nvme.admin.execute(IDENTIFY, prp1=buffer, cdw10=1)[1] == 0x006
    assert host.nvme.admin.execute(IDENTIFY, prp1=buffer, cdw10=0, nsid=1)[1] == OK
    assert host.nvme.admin.execute(2, prp1=buffer, cdw10=2 | 127 << 16, nsid=0xFFFFFFFF)[1] == 0x007
    assert host.nvme.admin.execute(2, prp1=buffer, cdw10=3 | 127 << 16, nsid=0xFFFFFFFF)[1] == OK


# completions


def test_a_late_command_does_not_delay_others(server: Server, disk: Disk) -> None:
    plant(server, "opcode=read lba=1 do late=200")
    began = time.monotonic()
    slow = disk.queue.submit(sqe(READ, nsid=1, prp1=disk.buffer, cdw10=1))
    fast = disk.queue.submit(sqe(READ, nsid=1, prp1=disk.buffer, cdw10=2))
    assert disk.queue.wait().cid == fast
    assert disk.queue.wait().cid == slow
    assert time.monotonic() - began >= 0.2


def test_never_executes_and_does_not_complete(server: Server, host: Host, disk: Disk) -> None:
    plant(server, "opcode=write do never")
    disk.nvme.memory.write(disk.buffer, b"\x44" * 512)
    disk.queue.submit(sqe(WRITE, nsid=1, prp1=disk.buffer))
    time.sleep(0.05)
    assert disk.queue.poll() is None
    assert disk.read(0) == b"\x44" * 512
    assert host.nvme.admin.execute(ABORT, cdw10=1 << 16 | 1)[0] == 1, "the drive has forgotten it"


@pytest.mark.parametrize("how", ["release", "release by name", "remove", "clear", "abort"])
def test_a_held_command_is_released(server: Server, host: Host, disk: Disk, how: str) -> None:
    number = plant(server, "name=stuck opcode=write do hold")
    cid = disk.queue.submit(sqe(WRITE, nsid=1, prp1=disk.buffer))
    time.sleep(0.05)
    assert disk.queue.poll() is None
    if how == "release":
        control(server, RELEASE, number)
    elif how == "release by name":
        control(server, RELEASE, data=b"stuck")
    elif how == "remove":
        control(server, REMOVE, number)
    elif how == "clear":
        control(server, CLEAR)
    else:
        assert host.nvme.admin.execute(ABORT, cdw10=cid << 16 | 1) == (0, OK)
    entry = disk.queue.wait()
    assert (entry.cid, entry.status) == (cid, ABORT_REQUESTED if how == "abort" else OK)


def test_twice_completes_the_same_command_again(server: Server, disk: Disk) -> None:
    plant(server, "opcode=read do twice count=1")
    cid = disk.queue.submit(sqe(READ, nsid=1, prp1=disk.buffer))
    assert [disk.queue.wait().cid, disk.queue.wait().cid] == [cid, cid]
    assert disk.command(READ, 0) == OK


def test_fields_of_the_completion_change(server: Server, disk: Disk) -> None:
    plant(
        server, "opcode=flush do add cqe.cid=0x1000 cqe.sqid=1 cqe.sqhd=3", "opcode=read do set cqe.result=77"
    )
    cid = disk.queue.submit(sqe(FLUSH, nsid=1))
    entry = disk.queue.wait()
    assert entry.cid == cid + 0x1000
    assert entry.sqid == 2
    disk.queue.submit(sqe(READ, nsid=1, prp1=disk.buffer))
    assert disk.queue.wait().cdw0 == 77


def test_the_wrong_phase_hides_a_completion(server: Server, disk: Disk) -> None:
    plant(server, "opcode=flush do add cqe.phase=1")
    disk.queue.submit(sqe(FLUSH, nsid=1))
    time.sleep(0.05)
    assert disk.queue.poll() is None


def test_early_flush_is_lost_by_a_power_loss_before_it_executes(start: Start) -> None:
    host = Host(start("--size", "16M"))
    try:
        plant(host.server, "opcode=flush do early=2s")
        host.disk.write(0, pattern(0, 1))
        began = time.monotonic()
        host.disk.flush()
        assert time.monotonic() - began < 1 or loaded()
        host.power_cycle()
        assert host.disk.read(0) == bytes(512)
        clear(host.server)
        plant(host.server, "opcode=flush do early=20")
        host.disk.write(0, pattern(0, 1))
        host.disk.flush()
        time.sleep(0.2)
        host.power_cycle()
        assert host.disk.read(0) == pattern(0, 1)
    finally:
        host.close()


def test_rules_survive_resets_and_power(server: Server, host: Host) -> None:
    number = plant(server, "opcode=read do status=02/81")
    host.nvme.disable()
    host.start()
    assert host.disk.command(READ, 0) == UNRECOVERED_READ
    host.power_cycle()
    assert host.disk.command(READ, 0) == UNRECOVERED_READ
    assert fired_count(server, number) == 2


def test_a_wrong_rule_is_refused_by_the_drive(server: Server) -> None:
    said = wrong(server, "opcode=read do fliip")
    assert "fliip" in said and "opcode=read do fliip" in said
    assert "name=twice" not in wrong(server, "")


def test_rules_of_the_command_line(start: Start, folder: str) -> None:
    with open(f"{folder}/rules", "w") as file:
        file.write("# two rules\nopcode=write do status=00/06\nopcode=flush do status=00/07\n")
    host = Host(
        start("--size", "16M", "--fault", "opcode=read do status=02/81", "--faults", f"{folder}/rules")
    )
    try:
        assert [host.disk.command(opcode, 0) for opcode in (READ, WRITE, FLUSH)] == [0x281, 0x006, 0x007]
    finally:
        host.close()
