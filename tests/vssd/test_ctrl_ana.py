# SPDX-License-Identifier: BSD-3-Clause
"""Asymmetric Namespace Access: what is reported, log page 0Ch, its event, and which commands fail when.

Base 2.1, sections 8.1.1, 5.1.12.1.13 and 5.1.13.2.1.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator

import pytest
from client import sqe
from ctrl_helpers import (
    ALL_NAMESPACES,
    ASYNC_EVENT,
    COMPARE,
    DSM,
    FLUSH,
    FORMAT,
    GET_FEATURES,
    GET_LOG,
    INVALID_FIELD,
    INVALID_LOG_PAGE,
    OK,
    POWER,
    READ,
    VERIFY,
    WRITE,
    WRITE_ZEROES,
    Host,
    Start,
    control,
    get_feature,
    identify,
    log_page,
    pattern,
    set_feature,
)
from test_ctrl_ns_management import manage, shape
from test_ctrl_several import attach, port

ANA_REQUEST = 19
"""The request of the control socket that changes a state."""
OPTIMIZED, NON_OPTIMIZED, INACCESSIBLE, LOSS, CHANGE = 1, 2, 3, 4, 15
STATUS = {INACCESSIBLE: 0x302, LOSS: 0x301, CHANGE: 0x303}
EVENTS, ERROR_RECOVERY, MASK, PERSISTENCE, CACHE = 0x0B, 0x05, 0x82, 0x83, 0x06
MEDIA_UNITS, CAPACITY_CONFIGURATIONS = 0x10, 0x11
ANA_CHANGED = 0x0C << 16 | 3 << 8 | 2
NOTICE = 1 << 11
SELF_TEST, ATTACH_FAILED, BAD_GROUP = 0x14, 0x125, 0x124


class Two:
    """Two controllers with three namespaces in two ANA groups, the third one private to the first."""

    def __init__(self, start: Start, *options: str) -> None:
        words = ("--controllers", "2", "--size", "4M", "--namespaces", "3", "--private-namespaces", "1")
        self.server = start(*words, "--ana", "2", "--reservations", *options)
        self.a, self.b = port(self.server.folder, 1), port(self.server.folder, 2)

    def state(self, host: Host, state: int, group: int = 0) -> None:
        control(host.server, ANA_REQUEST, state, nsid=group)

    def close(self) -> None:
        self.a.close()
        self.b.close()


@pytest.fixture
def two(start: Start) -> Iterator[Two]:
    made = Two(start)
    yield made
    made.close()


def ana(host: Host, only_groups: bool = False, length: int = 256) -> bytes:
    buffer = host.nvme.memory.alloc(4096)
    cdw10 = (length // 4 - 1) << 16 | only_groups << 8 | 0x0C
    assert host.nvme.admin.execute(GET_LOG, nsid=ALL_NAMESPACES, prp1=buffer, cdw10=cdw10)[1] == OK
    return host.nvme.memory.read(buffer, length)


def groups(host: Host) -> dict[int, tuple[int, int, list[int]]]:
    """Of each group the change count, the state and the namespaces."""
    page, found, at = ana(host), {}, 16
    for _ in range(struct.unpack_from("<H", page, 8)[0]):
        number, count, changes, state = struct.unpack_from("<IIQB", page, at)
        found[number] = changes, state, list(struct.unpack_from(f"<{count}I", page, at + 32))
        at += 32 + 4 * count
    return found


def create(host: Host, group: int, shared: bool = True) -> tuple[int, int]:
    """Create a namespace of 64 LBAs in this ANA group. Returns its NSID and the status."""
    data = shape(64, nmic=int(shared))
    return manage(host.nvme, 0, data=data[:92] + struct.pack("<I", group) + data[96:])


def test_what_a_controller_reports(two: Two) -> None:
    for host in (two.a, two.b):
        id = identify(host.nvme, 1)
        assert id[76] == 0b1011, "CMIC: ports, controllers, ANA"
        assert struct.unpack_from("<I", id, 92)[0] >> 11 & 1, "OAES"
        assert id[342] == 10 and id[343] == 0x5F, "ANATT and ANACAP, without Namespace Management"
        assert struct.unpack_from("<II", id, 344) == (2, 2), "ANAGRPMAX, NANAGRPID"
        assert struct.unpack_from("<I", id, 540)[0] == 3, "MNAN, without which Linux refuses the controller"
    for nsid, group in ((1, 1), (2, 2), (3, 1)):
        assert struct.unpack_from("<I", identify(two.a.nvme, 0, nsid), 92)[0] == group
        assert struct.unpack_from("<I", identify(two.a.nvme, 8, nsid), 4)[0] == group
    assert struct.unpack_from("<I", log_page(two.a.nvme, 0, 1024), 4 * 0x0C)[0] & 1, "log page 00h"


def test_the_log_page_in_bytes(two: Two) -> None:
    head = struct.pack("<QH6x", 0, 2)
    first, second = struct.pack("<IIQB15x", 1, 2, 0, 1), struct.pack("<IIQB15x", 2, 1, 0, 1)
    expected = head + first + struct.pack("<II", 1, 3) + second + struct.pack("<I", 2)
    assert ana(two.a) == expected.ljust(256, b"\0")
    one = struct.pack("<IIQB15x", 1, 1, 0, 1) + struct.pack("<I", 1)
    assert ana(two.b) == (head + one + second + struct.pack("<I", 2)).ljust(256, b"\0")
    bare = [struct.pack("<IIQB15x", number, 0, 0, 1) for number in (1, 2)]
    assert ana(two.a, only_groups=True) == (head + b"".join(bare)).ljust(256, b"\0")
    buffer = two.a.nvme.memory.alloc(4096)
    fields = {"nsid": ALL_NAMESPACES, "prp1": buffer, "cdw10": 3 << 16 | 0x0C}
    assert two.a.nvme.admin.execute(GET_LOG, **fields, cdw12=16)[1] == OK
    assert two.a.nvme.memory.read(buffer, 16) == expected[16:32], "from an offset"
    assert two.a.nvme.admin.execute(GET_LOG, **fields, cdw12=4096)[1] == INVALID_FIELD


@pytest.mark.parametrize("state", STATUS)
def test_commands_to_a_namespace_that_is_not_accessible(two: Two, state: int) -> None:
    a, b = two.a, two.b
    a.disk.write(0, pattern(0, 4))
    two.state(b, state, 1)
    status = STATUS[state]
    for opcode in (READ, WRITE, COMPARE, WRITE_ZEROES, VERIFY, FLUSH, DSM):
        assert b.disk.command(opcode, 0) == status, hex(opcode)
    b.disk.queue.submit(sqe(READ, nsid=1, prp1=b.disk.buffer))
    found = b.disk.queue.wait()
    assert found.status == status and not found.dnr, "another controller may execute it"
    for opcode in (0x0D, 0x0E, 0x11, 0x15):
        assert b.disk.queue.execute(opcode, nsid=1, prp1=b.disk.buffer)[1] == status, "reservations"
    assert b.disk.queue.execute(FLUSH, nsid=ALL_NAMESPACES)[1] == status
    b.disk.nsid = 2
    assert b.disk.command(READ, 0) == OK, "another group"
    admin = b.nvme.admin
    assert admin.execute(FORMAT, nsid=1)[1] == admin.execute(FORMAT, nsid=ALL_NAMESPACES)[1] == status
    assert admin.execute(SELF_TEST, nsid=1, cdw10=1)[1] == status
    assert admin.execute(SELF_TEST, nsid=0, cdw10=1)[1] == OK, "of the controller only"
    for fid in (ERROR_RECOVERY, MASK, PERSISTENCE):
        assert admin.execute(GET_FEATURES, nsid=1, cdw10=fid)[1] == status
        assert (
            set_feature(b.nvme, fid, 0, nsid=1) == set_feature(b.nvme, fid, 0, nsid=ALL_NAMESPACES) == status
        )
        assert set_feature(b.nvme, fid, 0, nsid=2) == OK
    assert get_feature(b.nvme, CACHE) == 1 and set_feature(b.nvme, CACHE, 1) == OK
    assert set_feature(b.nvme, CACHE, 1, nsid=ALL_NAMESPACES) == status, "any feature of all namespaces"
    mine, other = identify(b.nvme, 0, 1), identify(a.nvme, 0, 1)
    if state == CHANGE:
        assert mine == other, "figure 589: only Inaccessible and Persistent Loss clear capacities"
    else:
        assert mine[:16] == other[:16] and mine[16:24] == bytes(8) != other[16:24], "NSZE, NCAP, NUSE"
        assert mine[48:64] == bytes(16) != other[48:64], "NVMCAP"
    assert a.disk.read(0, 4) == pattern(0, 4), "the other controller has it"
    for back in (NON_OPTIMIZED, OPTIMIZED):
        two.state(b, back, 1)
        b.disk.nsid = 1
        assert b.disk.read(0, 4) == pattern(0, 4)
    assert identify(b.nvme, 0, 1) == other


def test_log_pages_of_media_are_not_available(start: Start) -> None:
    """Base 2.2, figure 589: Media Unit Status and Supported Capacity Configuration List."""
    two = Two(start, "--endurance-groups", "1", "--namespace-management", "--capacity-management", "fixed")
    for lid in (MEDIA_UNITS, CAPACITY_CONFIGURATIONS):
        fields = {"prp1": two.b.disk.buffer, "cdw10": lid | 7 << 16}
        assert two.b.nvme.admin.execute(GET_LOG, **fields)[1] == OK
        for state, status in STATUS.items():
            two.state(two.b, state, 2)
            assert two.b.nvme.admin.execute(GET_LOG, **fields)[1] == status
        assert two.a.nvme.admin.execute(GET_LOG, prp1=two.a.disk.buffer, cdw10=fields["cdw10"])[1] == OK
        two.state(two.b, OPTIMIZED, 2)
    two.close()


def test_each_change_is_counted_and_announced(two: Two) -> None:
    a, b = two.a, two.b
    assert set_feature(b.nvme, EVENTS, NOTICE) == OK and get_feature(b.nvme, EVENTS) == NOTICE
    b.nvme.admin.submit(sqe(ASYNC_EVENT))
    two.state(b, INACCESSIBLE, 2)
    assert b.nvme.admin.wait().cdw0 == ANA_CHANGED
    assert groups(b) == {1: (0, OPTIMIZED, [1]), 2: (1, INACCESSIBLE, [2])}
    b.nvme.admin.submit(sqe(ASYNC_EVENT))
    two.state(b, INACCESSIBLE)
    assert b.nvme.admin.wait().cdw0 == ANA_CHANGED, "of group 1 only"
    assert groups(b) == {1: (1, INACCESSIBLE, [1]), 2: (1, INACCESSIBLE, [2])}
    assert ana(b)[:8] == struct.pack("<Q", 2)
    assert groups(a) == {1: (0, OPTIMIZED, [1, 3]), 2: (0, OPTIMIZED, [2])}, "a state of one controller"
    b.nvme.admin.submit(sqe(ASYNC_EVENT))
    two.state(b, INACCESSIBLE)
    assert b.nvme.admin.poll() is None, "nothing has changed"
    assert set_feature(b.nvme, EVENTS, 0) == OK
    two.state(b, CHANGE)
    assert b.nvme.admin.poll() is None, "the host does not want it"
    b.start()
    assert groups(b) == {1: (0, CHANGE, [1]), 2: (0, CHANGE, [2])}, "a reset keeps states and clears counts"
    control(two.server, POWER, 0)
    control(two.server, POWER, 1)
    b.start()
    assert groups(b)[1] == (0, CHANGE, [1])


def test_a_change_while_the_controller_is_disabled_is_announced_later(two: Two) -> None:
    b = two.b
    assert set_feature(b.nvme, EVENTS, NOTICE, save=True) == OK
    b.client.write32(0x14, 0)
    two.state(b, INACCESSIBLE)
    b.start()
    b.nvme.admin.submit(sqe(ASYNC_EVENT))
    assert b.nvme.admin.wait().cdw0 == ANA_CHANGED


def test_namespace_management_chooses_the_group(start: Start) -> None:
    two = Two(start, "--namespace-management", "--unallocated", "8M")
    a, b = two.a, two.b
    assert identify(a.nvme, 1)[343] == 0xDF
    assert create(a, 3)[1] == BAD_GROUP
    assert create(a, 2) == (4, OK)
    assert groups(b)[2] == (0, OPTIMIZED, [2])
    assert attach(a, 4, [2]) == OK
    assert groups(b)[2] == (1, OPTIMIZED, [2, 4])
    assert attach(a, 4, [2], detach=True) == OK
    assert groups(b)[2] == (2, OPTIMIZED, [2])
    two.state(b, LOSS, 2)
    assert attach(a, 4, [2]) == ATTACH_FAILED and attach(a, 4, [1]) == OK
    assert attach(b, 2, [2], detach=True) == OK, "a host may detach what it has lost"
    assert groups(b) == {1: (0, OPTIMIZED, [1])}, "no namespace, no descriptor"
    two.state(b, INACCESSIBLE, 1)
    assert b.nvme.admin.execute(0x0D, nsid=1, cdw10=1)[1] == STATUS[INACCESSIBLE], "delete"
    two.close()


def test_the_group_of_a_created_namespace_outlives_the_process(start: Start, folder: str) -> None:
    options = ("--namespace-management", "--unallocated", "8M", "--file", os.path.join(folder, "drive"))
    two = Two(start, *options)
    assert create(two.a, 1, shared=False) == (4, OK)
    assert attach(two.a, 4, [1]) == OK
    two.close()
    two.server.stop()
    two.server.check_end = lambda: None  # type: ignore[method-assign]
    again = Two(start, *options)
    assert groups(again.a)[1][2] == [1, 3, 4]
    again.close()


def test_a_fault_rule_changes_states(start: Start) -> None:
    two = Two(start, "--fault", "opcode=write nth=2 do ana=inaccessible group=1 count=1")
    a, b = two.a, two.b
    a.disk.write(0, pattern(0, 1))
    assert a.disk.command(WRITE, 0) == STATUS[INACCESSIBLE], "the command at which it happens"
    assert a.disk.command(READ, 0) == STATUS[INACCESSIBLE] and b.disk.read(0) == pattern(0, 1)
    assert [state for _, state, _ in groups(a).values()] == [INACCESSIBLE, OPTIMIZED]
    two.close()


def test_a_rule_at_power_up_and_one_controller(start: Start) -> None:
    host = Host(start("--size", "4M", "--ana", "1", "--fault", "on=power-up do ana=persistent-loss"))
    assert host.disk.command(READ, 0) == STATUS[LOSS]
    assert identify(host.nvme, 1)[76] == 0b1000
    host.close()


def test_wrong_requests_and_drives_without_ana(start: Start, host: Host) -> None:
    two = Two(start)
    for state, group in ((0, 0), (5, 1), (16, 1), (INACCESSIBLE, 3), (1 << 32 | 1, 1)):
        with pytest.raises(AssertionError):
            control(two.server, ANA_REQUEST, state, nsid=group)
    two.close()
    with pytest.raises(AssertionError):
        control(host.server, ANA_REQUEST, OPTIMIZED, nsid=0)
    buffer = host.nvme.memory.alloc(4096)
    assert (
        host.nvme.admin.execute(GET_LOG, nsid=ALL_NAMESPACES, prp1=buffer, cdw10=0x0C)[1] == INVALID_LOG_PAGE
    )
    assert set_feature(host.nvme, EVENTS, NOTICE) == OK and get_feature(host.nvme, EVENTS) == 0
    old = Host(start("--size", "4M", "--ana", "1", "--nvme-version", "1.3"))
    id = identify(old.nvme, 1)
    assert id[76] == 0 and id[342:352] == bytes(10), "NVMe 1.4 has it"
    old.close()
