# SPDX-License-Identifier: BSD-3-Clause
"""Error Injection, feature C0h of OCP's Datacenter NVMe SSD specification."""

from __future__ import annotations

import struct
import time
from collections.abc import Iterator

import pytest
from client import sqe
from ctrl_helpers import (
    ALL_NAMESPACES,
    GET_FEATURES,
    INVALID_FIELD,
    OK,
    READ,
    SET_FEATURES,
    UNRECOVERED_READ,
    WRITE,
    Host,
    Start,
    get_feature,
    identify,
    smart,
)
from fault_helpers import clear, faults

FID = 0xC0
ENABLE, SINGLE = 1, 2
CSTS = 0x1C

# One byte of flags, one reserved, the type, the number of reads, and 26 reserved ones.
ENTRY = struct.Struct("<BxHH26x")
INTERNAL_ERROR, WRITE_PROTECTED = 0x006, 0x020


@pytest.fixture
def host(start: Start) -> Iterator[Host]:
    host = Host(start("--size", "16M", "--error-injection"))
    yield host
    host.close()


def inject(host: Host, *entries: bytes, count: int | None = None) -> int:
    """The status of a Set Features with these entries."""
    buffer = host.nvme.memory.alloc(4096)
    host.nvme.memory.write(buffer, b"".join(entries).ljust(4096, b"\0"))
    many = len(entries) if count is None else count
    return host.nvme.admin.execute(SET_FEATURES, prp1=buffer, cdw10=FID, cdw11=many)[1]


def injected(host: Host, select: int = 0) -> tuple[int, bytes]:
    """The number of entries, and their bytes."""
    buffer = host.nvme.memory.alloc(4096)
    host.nvme.memory.write(buffer, b"\xa5" * 4096)
    count, status = host.nvme.admin.execute(GET_FEATURES, prp1=buffer, cdw10=select << 8 | FID)
    assert status == OK
    return count, host.nvme.memory.read(buffer, 4096)[: count * 32]


def once(kind: int, reads: int = 0) -> bytes:
    return ENTRY.pack(ENABLE | SINGLE, kind, reads)


def always(kind: int, reads: int = 0) -> bytes:
    return ENTRY.pack(ENABLE, kind, reads)


def test_a_drive_has_it_by_an_option_only(start: Start) -> None:
    host = Host(start("--size", "16M"))
    try:
        assert host.nvme.admin.execute(GET_FEATURES, cdw10=FID)[1] == INVALID_FIELD
        assert inject(host, once(7)) == INVALID_FIELD
    finally:
        host.close()


def test_golden_bytes_of_an_entry(host: Host) -> None:
    raw = bytes([0x03, 0, 0x07, 0, 0x34, 0x12]) + bytes(26)
    assert raw == once(7, 0x1234)
    assert inject(host, raw, bytes([0x01, 0, 0x0E, 0, 5, 0]) + bytes(26)) == OK
    count, data = injected(host)
    assert count == 2
    assert data == raw + bytes([0x01, 0, 0x0E, 0, 5, 0]) + bytes(26)
    assert get_feature(host.nvme, FID, 1) == 0, "the default is none"
    assert get_feature(host.nvme, FID, 3) == 4, "it can be changed, and not be saved"


def test_the_entries_are_fault_rules(host: Host) -> None:
    assert inject(host, once(7, 20), always(14, 100), ENTRY.pack(0, 99, 1)) == OK
    assert [line.split(" ", 3)[3] for line in faults(host.server)] == [
        "opcode=read nth=20 do status=02/81 count=1",
        "queue=io every=100 do late=3000",
    ]
    assert inject(host) == OK
    assert faults(host.server) == []
    assert injected(host)[0] == 0


def test_each_of_the_22_types_can_be_injected(host: Host) -> None:
    assert inject(host, *(once(kind, 60000) for kind in range(1, 23))) == OK
    assert injected(host)[0] == len(faults(host.server)) == 22


def test_an_unknown_type_is_refused_and_changes_nothing(host: Host) -> None:
    assert inject(host, once(7, 3)) == OK
    for kind in (0, 23, 0xFFFF):
        assert inject(host, once(9), once(kind)) == INVALID_FIELD
    assert injected(host) == (1, once(7, 3))
    assert inject(host, *[once(7, 9)] * 127) == OK
    assert injected(host)[0] == 127


def test_an_error_comes_once_at_the_read_that_the_entry_names(host: Host) -> None:
    assert inject(host, once(7, 3)) == OK
    found = [host.disk.command(READ, 0) for _ in range(8)]
    assert found == [OK, OK, UNRECOVERED_READ, OK, OK, OK, OK, OK]
    count, data = injected(host)
    assert (count, data[0]) == (1, SINGLE), "it is disabled now"
    assert smart(host.nvme, 160) == 1, "a media error"


def test_an_error_repeats_until_it_is_disabled(host: Host) -> None:
    assert inject(host, always(15, 2)) == OK
    found = [host.disk.command(opcode, 0) for opcode in (READ, WRITE, WRITE, READ)]
    assert found == [OK, INTERNAL_ERROR, OK, INTERNAL_ERROR]
    assert injected(host)[1][0] == ENABLE
    assert inject(host) == OK
    assert [host.disk.command(READ, 0) for _ in range(3)] == [OK] * 3


def test_admin_commands_fail_but_the_host_can_end_it(host: Host) -> None:
    assert inject(host, always(17)) == OK
    assert host.nvme.admin.execute(6, prp1=host.disk.buffer, cdw10=1)[1] == INTERNAL_ERROR
    assert injected(host)[0] == 1
    assert inject(host) == OK
    assert identify(host.nvme, 1)


def test_a_reset_ends_all(host: Host) -> None:
    assert inject(host, always(15)) == OK
    assert host.disk.command(READ, 0) == INTERNAL_ERROR
    host.nvme.disable()
    host.start()
    assert host.disk.command(READ, 0) == OK
    assert faults(host.server) == [] and injected(host)[0] == 0


def test_a_panic_sets_the_fatal_status(host: Host) -> None:
    assert inject(host, once(1, 2)) == OK
    assert host.disk.command(READ, 0) == OK
    host.disk.queue.submit(sqe(READ, nsid=1, prp1=host.disk.buffer))
    deadline = time.monotonic() + 10
    while not host.client.read32(CSTS) & 2 and time.monotonic() < deadline:
        time.sleep(0.005)
    assert host.client.read32(CSTS) & 2
    host.nvme.disable()
    host.start()
    assert host.disk.command(READ, 0) == OK


def test_a_command_that_times_out_never_completes(host: Host) -> None:
    assert inject(host, once(16)) == OK
    host.disk.queue.submit(sqe(READ, nsid=1, prp1=host.disk.buffer))
    time.sleep(0.05)
    assert host.disk.queue.poll() is None
    assert host.disk.command(READ, 0) == OK


@pytest.mark.parametrize(
    ("kind", "warning"), [(3, 0x10), (10, 0x09), (21, 0x02), (22, 0x00)], ids=lambda one: str(one)
)
def test_defects_are_seen_in_the_smart_log(host: Host, kind: int, warning: int) -> None:
    assert smart(host.nvme, 0, 1) == 0
    assert inject(host, once(kind)) == OK
    assert host.disk.command(READ, 0) == OK
    deadline = time.monotonic() + 10
    while smart(host.nvme, 0, 1) != warning and time.monotonic() < deadline:
        time.sleep(0.01)
    assert smart(host.nvme, 0, 1) == warning
    assert smart(host.nvme, 3, 1) == {10: 0, 22: 75}.get(kind, 100)
    assert host.disk.command(WRITE, 0) == (WRITE_PROTECTED if kind == 10 else OK)


def test_the_rules_of_others_stay(host: Host) -> None:
    buffer = host.nvme.memory.alloc(4096)
    assert inject(host, once(15)) == OK
    clear(host.server)
    assert injected(host)[1][0] == SINGLE, "the rule is gone, and with it the injection"
    status = host.nvme.admin.execute(SET_FEATURES, nsid=ALL_NAMESPACES, prp1=buffer, cdw10=FID)[1]
    assert status == OK
