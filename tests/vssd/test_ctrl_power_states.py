# SPDX-License-Identifier: BSD-3-Clause
"""Power states, which the host or the drive selects and IO ends, and thermal management."""

from __future__ import annotations

import struct
import time

import pytest
from client import Nvme, sqe
from ctrl_helpers import (
    GET_FEATURES,
    INVALID_FIELD,
    NOT_SAVEABLE,
    OK,
    READ,
    SET_FEATURES,
    Disk,
    Host,
    Start,
    get_feature,
    identify,
    log_page,
    set_feature,
    smart,
)
from server import Server

from tests.fix_load import loaded

POWER, APST, THERMAL = 0x02, 0x0C, 0x10
DEFAULT, SAVED, SUPPORTED = 1, 2, 3
TMT1_COUNT, TMT2_COUNT, TMT1_TIME = 216, 220, 224


def table(entries: dict[int, tuple[int, int]]) -> bytes:
    """The 256 bytes of feature 0Ch: by power state (ITPS, ITPT in ms)."""
    data = [0] * 32
    for state, (target, milliseconds) in entries.items():
        data[state] = target << 3 | milliseconds << 8
    return struct.pack("<32Q", *data)


def set_apst(nvme: Nvme, data: bytes, enable: bool = True, save: bool = False) -> int:
    buffer = nvme.memory.alloc(4096)
    nvme.memory.write(buffer, data)
    return nvme.admin.execute(SET_FEATURES, cdw10=save << 31 | APST, cdw11=int(enable), prp1=buffer)[1]


def get_apst(nvme: Nvme, select: int = 0) -> tuple[int, bytes]:
    buffer = nvme.memory.alloc(4096)
    value, status = nvme.admin.execute(GET_FEATURES, cdw10=select << 8 | APST, prp1=buffer)
    assert status == OK
    return value, nvme.memory.read(buffer, 256)


def wait_state(nvme: Nvme, state: int) -> float:
    """Seconds until the drive is in this power state. Completions of other commands are dropped."""
    begin = time.monotonic()
    while True:
        asked = nvme.admin.submit(sqe(GET_FEATURES, cdw10=POWER))
        while (found := nvme.admin.wait()).cid != asked:
            assert found.status == OK
        if found.cdw0 & 0x1F == state:
            return time.monotonic() - begin
        assert time.monotonic() < begin + 5 or loaded()
        time.sleep(0.002)


def test_each_power_state_can_be_set(nvme: Nvme) -> None:
    data = identify(nvme, 1)
    states = data[263] + 1
    assert [data[2048 + 32 * state + 3] >> 1 & 1 for state in range(states)] == [0, 0, 0, 1, 1]
    for state in range(states):
        assert set_feature(nvme, POWER, state | 2 << 5) == OK
        assert get_feature(nvme, POWER) == state | 2 << 5
    assert set_feature(nvme, POWER, states) == INVALID_FIELD
    assert set_feature(nvme, POWER, 31) == INVALID_FIELD
    assert set_feature(nvme, POWER, 1, save=True) == NOT_SAVEABLE


def test_io_ends_a_state_without_operation(nvme: Nvme) -> None:
    disk = Disk(nvme, nvme.create_queue(1, 8))
    for operational in (0, 2):
        assert set_feature(nvme, POWER, operational) == OK
        assert disk.command(READ, 0) == OK
        assert set_feature(nvme, POWER, 4) == OK
        identify(nvme, 1)
        assert get_feature(nvme, POWER) == 4, "admin commands do not"
        assert disk.command(READ, 0) == OK
        assert get_feature(nvme, POWER) == operational


def test_the_drive_goes_to_the_states_of_its_table_and_back(nvme: Nvme) -> None:
    disk = Disk(nvme, nvme.create_queue(1, 8))
    assert identify(nvme, 1)[265] == 1, "APSTA"
    assert set_apst(nvme, table({0: (3, 100), 3: (4, 150)})) == OK
    assert disk.command(READ, 0) == OK
    for state, least in ((3, 0.09), (4, 0.14)):
        took = wait_state(nvme, state)
        assert took >= least
        assert took < 1 or loaded()
    time.sleep(0.05)
    assert get_feature(nvme, POWER) == 4
    assert disk.command(READ, 0) == OK
    assert get_feature(nvme, POWER) == 0
    assert set_apst(nvme, table({0: (3, 20)}), enable=False) == OK
    time.sleep(0.1)
    assert get_feature(nvme, POWER) == 0, "not where it is disabled"


def test_io_keeps_it_awake(nvme: Nvme) -> None:
    disk = Disk(nvme, nvme.create_queue(1, 8))
    assert set_apst(nvme, table({0: (4, 200)})) == OK
    end = time.monotonic() + 0.6
    while time.monotonic() < end:
        assert disk.command(READ, 0) == OK
        assert get_feature(nvme, POWER) == 0
    wait_state(nvme, 4)


@pytest.mark.parametrize("work", ["sanitize", "format", "self-test"])
def test_its_own_work_keeps_it_awake(start: Start, work: str) -> None:
    options = {"sanitize": (0x84, 0, 2), "format": (0x80, 1, 0), "self-test": (0x14, 0, 1)}
    opcode, nsid, cdw10 = options[work]
    host = Host(start("--size", "1M", f"--{work}-time", "300"))
    assert set_apst(host.nvme, table({0: (4, 50)})) == OK
    host.nvme.admin.submit(sqe(opcode, nsid=nsid, cdw10=cdw10))
    assert wait_state(host.nvme, 4) >= 0.3
    host.close()


def test_its_table_is_kept_and_saved(server: Server) -> None:
    host = Host(server)
    assert get_feature_capabilities(host.nvme) == 5
    first, second = table({0: (3, 1000)}), table({0: (4, 2000), 1: (4, 3000)})
    assert get_apst(host.nvme) == (0, bytes(256))
    assert set_apst(host.nvme, first, save=True) == OK
    assert set_apst(host.nvme, second, enable=False) == OK
    assert [get_apst(host.nvme, select) for select in range(3)] == [(0, second), (0, bytes(256)), (1, first)]
    host.nvme.disable()
    host.nvme.enable()
    assert get_apst(host.nvme) == (1, first)
    host.power_cycle()
    assert [get_apst(host.nvme, select) for select in range(3)] == [(1, first), (0, bytes(256)), (1, first)]
    host.close()


def get_feature_capabilities(nvme: Nvme) -> int:
    return get_feature(nvme, APST, SUPPORTED)


@pytest.mark.parametrize("target", [0, 1, 2, 5, 31])
def test_only_states_without_operation_can_be_its_targets(nvme: Nvme, target: int) -> None:
    assert set_apst(nvme, table({0: (target, 100)})) == INVALID_FIELD
    assert set_apst(nvme, table({4: (3, 100)})) == INVALID_FIELD, "one that needs more"
    assert get_apst(nvme) == (0, bytes(256))


def test_a_reset_begins_anew_with_state_0(nvme: Nvme) -> None:
    assert set_feature(nvme, POWER, 3) == OK
    nvme.disable()
    nvme.enable()
    assert get_feature(nvme, POWER) == 0


def test_thermal_management_is_counted_and_timed(server: Server) -> None:
    host = Host(server)
    nvme = host.nvme
    kelvin = smart(nvme, 1, 2)
    counts = [TMT1_COUNT, TMT2_COUNT, TMT1_TIME, TMT1_TIME + 4]
    assert [smart(nvme, offset, 4) for offset in counts] == [0, 0, 0, 0]
    assert set_feature(nvme, THERMAL, (kelvin - 2) << 16 | 350) == OK
    time.sleep(1.5)
    assert [smart(nvme, offset, 4) for offset in counts[:2]] == [1, 0]
    assert 1 <= smart(nvme, TMT1_TIME, 4) <= 3
    assert set_feature(nvme, THERMAL, (kelvin - 3) << 16 | (kelvin - 2)) == OK
    time.sleep(0.3)
    assert [smart(nvme, offset, 4) for offset in counts[:2]] == [1, 1]
    host.power_cycle()
    assert [smart(nvme, offset, 4) for offset in counts[:2]] == [1, 1], "they are of the drive's whole life"
    assert struct.unpack_from("<I", log_page(nvme, 2), TMT1_TIME)[0] >= 1
    host.close()
