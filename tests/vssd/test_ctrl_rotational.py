# SPDX-License-Identifier: BSD-3-Clause
"""Rotational media: Identify, log pages 09h and 16h, and Spinup Control (feature 1Ah), byte by byte."""

from __future__ import annotations

import struct
from collections.abc import Iterator

import pytest
from client import Client, Nvme
from ctrl_helpers import (
    ALL_NAMESPACES,
    FLUSH,
    GET_LOG,
    INVALID_FIELD,
    INVALID_LOG_PAGE,
    NOT_SAVEABLE,
    OK,
    READ,
    WRITE,
    Host,
    Start,
    get_feature,
    identify,
    set_feature,
)

LID, GROUP_LID, SPINUP, POWER = 0x16, 0x09, 0x1A, 0x02
NOT_READY = 0x082
RESET = 0x4E564D65  # NSSR


def group_log(nvme: Nvme, lid: int, endgid: int = 1) -> tuple[int, bytes]:
    """The status, and the page of an endurance group."""
    buffer = nvme.memory.alloc(4096)
    nvme.memory.write(buffer, b"\xa5" * 512)
    fields = {"cdw10": lid | 127 << 16, "cdw11": endgid << 16}
    status = nvme.admin.execute(GET_LOG, nsid=ALL_NAMESPACES, prp1=buffer, **fields)[1]
    return status, nvme.memory.read(buffer, 512)


def spinups(nvme: Nvme, speed: int = 7200) -> int:
    status, data = group_log(nvme, LID)
    assert status == OK
    endgid, actuators, found, zero, spinc, fspinc, ldc, fldc = struct.unpack_from("<HHHHIIII", data)
    assert (endgid, actuators, found, zero, fspinc, fldc) == (1, 1, speed, 0, 0, 0) and not any(data[24:])
    assert ldc == spinc, "the heads are loaded as the spindle starts"
    return int(spinc)


@pytest.fixture
def host(start: Start) -> Iterator[Host]:
    host = Host(start("--size", "1M", "--rotational", "7200"))
    yield host
    host.close()


def test_a_drive_has_it_by_an_option_only(start: Start) -> None:
    for options, there in (
        (("--endurance-groups", "1"), 0),
        (("--rotational", "5400"), 1),
        (("--rotational", "5400", "--nvme-version", "1.4", "--endurance-groups", "1"), 0),
    ):
        with Client(start("--size", "1M", *options).folder) as client:
            nvme = Nvme(client)
            nvme.enable()
            assert identify(nvme, 1)[96] >> 4 & 1 == 1, "CTRATT: endurance groups"
            if "1.4" not in options:
                assert identify(nvme, 8, nsid=1)[0] >> 4 & 1 == there, "NSFEAT: RMEDIA"
            assert group_log(nvme, GROUP_LID)[1][1] == there, "EGFEAT"
            assert group_log(nvme, LID)[0] == (OK if there else INVALID_LOG_PAGE)
            assert set_feature(nvme, SPINUP, 0) == (OK if there else INVALID_FIELD)
            if there:
                assert spinups(nvme, 5400) == 1
                assert group_log(nvme, LID, 2)[0] == group_log(nvme, LID, 0)[0] == INVALID_FIELD
            nvme.close()


def test_the_spindle_stops_in_states_without_operation(host: Host) -> None:
    for count, state in enumerate((3, 4, 4), 1):
        assert spinups(host.nvme) == count
        assert set_feature(host.nvme, POWER, state) == OK
        assert spinups(host.nvme) == count
        assert host.disk.command(READ, 0) == OK, "which wakes it"
    assert set_feature(host.nvme, POWER, 1) == OK
    host.nvme.disable()
    host.nvme.enable()
    assert spinups(host.nvme) == 4
    host.power_cycle()
    assert spinups(host.nvme) == 5


@pytest.mark.parametrize("how", ["power", "subsystem"])
def test_spinup_control_inhibits_the_spindle(host: Host, how: str) -> None:
    nvme = host.nvme
    assert [get_feature(nvme, SPINUP, select) for select in range(4)] == [0, 0, 0, 4]
    assert set_feature(nvme, SPINUP, 1, save=True) == NOT_SAVEABLE
    assert set_feature(nvme, SPINUP, 0xFFFFFFFF) == OK and get_feature(nvme, SPINUP) == 1
    nvme.disable()
    nvme.enable()
    assert get_feature(nvme, SPINUP) == 1, "it persists"
    host.disk.queue = nvme.create_queue(1, 16)
    assert host.disk.command(READ, 0) == OK, "a controller reset does not matter"
    before = spinups(nvme)
    if how == "power":
        host.power_cycle()
    else:
        host.client.write32(0x20, RESET)
        host.start()
    for _ in range(2):
        assert get_feature(nvme, POWER) == 4
        assert host.disk.command(READ, 0) == host.disk.command(WRITE, 0) == NOT_READY
        assert host.disk.queue.execute(FLUSH, nsid=1)[1] == NOT_READY
        assert spinups(nvme) == before
        assert set_feature(nvme, POWER, 3) == OK, "which is not operational either"
        assert set_feature(nvme, POWER, 4) == OK
    assert set_feature(nvme, POWER, 2) == OK
    assert spinups(nvme) == before + 1 and host.disk.command(READ, 0) == OK
    assert set_feature(nvme, SPINUP, 0) == OK
    host.power_cycle()
    assert spinups(nvme) == before + 2 and host.disk.command(READ, 0) == OK
