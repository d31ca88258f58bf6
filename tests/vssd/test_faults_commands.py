# SPDX-License-Identifier: BSD-3-Clause
"""Fault rules that act on commands and on their completions."""

from __future__ import annotations

import struct
import time

import pytest
from client import sqe
from ctrl_helpers import (
    ABORT,
    ABORT_REQUESTED,
    COMPARE,
    COMPARE_FAILURE,
    CQ_INVALID,
    CREATE_SQ,
    DATA_TRANSFER_ERROR,
    DELETE_SQ,
    DSM,
    FLUSH,
    FORMAT,
    FUA,
    GET_FEATURES,
    GET_LOG,
    IDENTIFY,
    INVALID_FIELD,
    INVALID_FORMAT,
    INVALID_LOG_PAGE,
    INVALID_NAMESPACE,
    INVALID_OPCODE,
    INVALID_PRP_OFFSET,
    INVALID_QID,
    LBA_OUT_OF_RANGE,
    NOT_SAVEABLE,
    OK,
    READ,
    SANITIZE,
    SET_FEATURES,
    UNRECOVERED_READ,
    VERIFY,
    WRITE,
    WRITE_UNCORRECTABLE,
    WRITE_ZEROES,
    Disk,
    Host,
    Start,
    get_feature,
    pattern,
    smart,
)
from fault_helpers import CLEAR, RELEASE, REMOVE, clear, control, fired, fired_count, plant, wrong
from server import Server

from tests.fix_load import loaded


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
    assert entry.crd == crd


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


SLOW = 2000  # ms: what is completed early is executed after the tests have looked


@pytest.mark.parametrize(
    ("opcode", "fields", "status"),
    [
        (READ, {"nsid": 5}, INVALID_NAMESPACE),
        (READ, {"cdw10": 1 << 20}, LBA_OUT_OF_RANGE),
        (WRITE, {"cdw11": 1}, LBA_OUT_OF_RANGE),
        (WRITE, {"prp1": 2}, INVALID_PRP_OFFSET),
        (READ, {"prp1": 1 << 60}, DATA_TRANSFER_ERROR),
        (WRITE, {"cdw12": 1024}, INVALID_FIELD),
        (WRITE_ZEROES, {"cdw10": 1 << 20}, LBA_OUT_OF_RANGE),
        (WRITE_UNCORRECTABLE, {"cdw10": 1 << 20}, LBA_OUT_OF_RANGE),
        (COMPARE, {"cdw10": 1}, COMPARE_FAILURE),
        (VERIFY, {"cdw10": 9}, UNRECOVERED_READ),
        (READ, {"cdw10": 9}, UNRECOVERED_READ),
        (DSM, {"nsid": 0, "cdw11": 4}, INVALID_NAMESPACE),
        (DSM, {"cdw11": 4, "cdw10": 1}, LBA_OUT_OF_RANGE),
        (FLUSH, {"nsid": 9}, INVALID_NAMESPACE),
        (0x7F, {}, INVALID_OPCODE),
    ],
)
def test_an_io_command_that_would_fail_does_not_succeed_early(
    server: Server, disk: Disk, opcode: int, fields: dict[str, int], status: int
) -> None:
    assert disk.command(WRITE_UNCORRECTABLE, 9) == OK
    plant(server, f"queue=io do early={SLOW}")
    disk.nvme.memory.write(disk.buffer, struct.pack("<IIQIIQ", 0, 1, 0, 0, 8, 1 << 40))
    command = {"nsid": 1, "prp1": disk.buffer, **fields}
    assert disk.queue.execute(opcode, **command)[1] == status


@pytest.mark.parametrize(
    ("opcode", "fields", "status"),
    [
        (FORMAT, {"nsid": 1, "cdw10": 9}, INVALID_FORMAT),
        (FORMAT, {"nsid": 7}, INVALID_NAMESPACE),
        (SANITIZE, {"cdw10": 0}, INVALID_FIELD),
        (SET_FEATURES, {"cdw10": 0xEE}, INVALID_FIELD),
        (SET_FEATURES, {"cdw10": 2, "cdw11": 31}, INVALID_FIELD),
        (SET_FEATURES, {"cdw10": 1 << 31 | 7}, NOT_SAVEABLE),
        (GET_FEATURES, {"cdw10": 0xEE}, INVALID_FIELD),
        (GET_LOG, {"cdw10": 0xEE}, INVALID_LOG_PAGE),
        (IDENTIFY, {"cdw10": 0xEE}, INVALID_FIELD),
        (DELETE_SQ, {"cdw10": 9}, INVALID_QID),
        (CREATE_SQ, {"cdw10": 0x70009, "cdw11": 0x90001}, CQ_INVALID),
    ],
)
def test_an_admin_command_that_would_fail_does_not_succeed_early(
    server: Server, host: Host, opcode: int, fields: dict[str, int], status: int
) -> None:
    plant(server, f"queue=admin do early={SLOW}")
    assert host.nvme.admin.execute(opcode, prp1=host.disk.buffer & ~0xFFF, **fields)[1] == status


def test_what_succeeds_early_has_no_effect_before(server: Server, host: Host, disk: Disk) -> None:
    before = get_feature(host.nvme, 2)
    plant(server, f"opcode!=read do early={SLOW}")
    nvme = host.nvme
    assert nvme.admin.execute(SET_FEATURES, cdw10=2, cdw11=1)[1] == OK
    assert nvme.admin.execute(FORMAT, nsid=1)[1] == OK
    assert nvme.admin.execute(DELETE_SQ, cdw10=1)[1] == OK
    for opcode in (WRITE_ZEROES, WRITE_UNCORRECTABLE):
        assert disk.command(opcode, 3) == OK
    disk.nvme.memory.write(disk.buffer, b"\1" * 512)
    assert disk.command(WRITE, 3) == OK
    assert disk.read(0, 16) == pattern(0, 16)
    clear(server)
    assert get_feature(nvme, 2) == before


def test_an_early_write_is_counted_when_it_completes(server: Server, disk: Disk) -> None:
    units, commands = smart(disk.nvme, 48), smart(disk.nvme, 80)
    plant(server, "opcode=write do early=1")
    for _ in range(70):
        disk.write(0, pattern(0, 16))
    assert smart(disk.nvme, 80) == commands + 70
    assert smart(disk.nvme, 48) == units + 1


def test_rules_follow_a_format_that_has_ended(server: Server, host: Host, disk: Disk) -> None:
    late = plant(server, "after=format-nvm opcode=flush do status=00/06")
    reset = plant(server, "on=disable after=format-nvm do late=1")
    on = plant(server, "on=format-nvm do set cqe.result=77")
    disk.flush()
    assert host.nvme.admin.execute(FORMAT, nsid=1) == (77, OK)
    assert fired_count(server, on) == 1
    assert disk.queue.execute(FLUSH, nsid=1)[1] == 0x006
    host.nvme.disable()
    assert (fired_count(server, late), fired_count(server, reset)) == (1, 1)


def test_resets_follow_commands_though_no_rule_acts_on_these(server: Server, host: Host, disk: Disk) -> None:
    first = plant(server, "on=disable after=write do late=1", "on=disable since=create-sq nth=1 do late=1")
    disk.write(0, pattern(0, 1))
    host.nvme.disable()
    assert fired_count(server, first) == 1
    host.start()
    host.nvme.disable()
    assert fired_count(server, first + 1) >= 1


def test_the_power_fails_when_a_command_has_succeeded(start: Start) -> None:
    host = Host(start("--size", "16M"))
    try:
        host.disk.write(0, pattern(0, 1))
        plant(host.server, "on=flush do power-off")
        host.disk.flush()
        deadline = time.monotonic() + 10
        while host.client.read32(8) != 0xFFFFFFFF and time.monotonic() < deadline:
            time.sleep(0.01)
        clear(host.server)
        host.power_cycle()
        assert host.disk.read(0) == pattern(0, 1)
    finally:
        host.close()


@pytest.mark.parametrize("where", ["held", "in the queue", "waits for the medium"])
def test_rules_of_completions_see_aborted_commands(
    server: Server, host: Host, disk: Disk, where: str
) -> None:
    rule = plant(server, "queue=io status=00/07 do set cqe.result=0x55")
    if where == "held":
        plant(server, "opcode=write do hold")
    elif where == "waits for the medium":
        plant(server, "opcode=write do late=2s")
    else:
        cid = _waiting_half(disk)
        assert host.nvme.admin.execute(ABORT, cdw10=cid << 16 | 1) == (0, OK)
        assert (disk.queue.wait().cdw0, fired_count(server, rule)) == (0x55, 1)
        return
    cid = disk.queue.submit(sqe(WRITE, nsid=1, prp1=disk.buffer))
    time.sleep(0.05)
    assert host.nvme.admin.execute(ABORT, cdw10=cid << 16 | 1) == (0, OK)
    entry = disk.queue.wait()
    assert (entry.cid, entry.status, entry.cdw0) == (cid, ABORT_REQUESTED, 0x55)
    assert fired_count(server, rule) == 1


def _waiting_half(disk: Disk) -> int:
    """Submit the first half of a fused operation, which waits in its queue for the second. Return its CID."""
    half = bytearray(sqe(COMPARE, nsid=1, prp1=disk.buffer))
    half[1] = 1
    return disk.queue.submit(bytes(half))


def test_an_aborted_command_never_completes(server: Server, host: Host, disk: Disk) -> None:
    plant(server, "opcode=write do hold", "status=00/07 do never")
    cid = disk.queue.submit(sqe(WRITE, nsid=1, prp1=disk.buffer))
    time.sleep(0.05)
    assert host.nvme.admin.execute(ABORT, cdw10=cid << 16 | 1) == (0, OK)
    clear(server)
    time.sleep(0.05)
    assert disk.queue.poll() is None


def test_late_times_have_a_shape(server: Server, disk: Disk) -> None:
    shares = {}
    for shape in ("uniform", "normal", "tail"):
        clear(server)
        plant(server, f"opcode=read seed=5 do late=0..40 shape={shape}")
        times = []
        for _ in range(30):
            began = time.monotonic()
            disk.command(READ, 0)
            times.append(time.monotonic() - began)
        shares[shape] = sum(one > 0.02 for one in times) / len(times)
    assert shares["tail"] < 0.2 < shares["uniform"] or loaded()


def test_a_pace_limits_bytes_a_second(server: Server, disk: Disk) -> None:
    plant(server, "opcode=write do pace=409600 burst=40960")
    disk.nvme.memory.write(disk.buffer, bytes(8192))
    began = time.monotonic()
    for _ in range(5):
        disk.command(WRITE, 0, 16)
    fast = time.monotonic() - began
    for _ in range(5):
        disk.command(WRITE, 0, 16)
    assert time.monotonic() - began - fast >= 0.08
    assert fast < 0.08 or loaded()


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
