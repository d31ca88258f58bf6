# SPDX-License-Identifier: BSD-3-Clause
"""Get and Set Features: current, default, saved and supported values of all, and what is refused."""

from __future__ import annotations

import struct
import time

import pytest
from client import Client, Nvme
from ctrl_helpers import (
    ALL_NAMESPACES,
    CC_ENABLED,
    CREATE_CQ,
    CREATE_SQ,
    GET_FEATURES,
    INVALID_FIELD,
    INVALID_NAMESPACE,
    INVALID_QID,
    NOT_NS_SPECIFIC,
    NOT_SAVEABLE,
    OK,
    SEQUENCE_ERROR,
    SET_FEATURES,
    Host,
    Start,
    get_feature,
    identify,
    log_page,
    set_data,
    set_feature,
)
from server import Server

CURRENT, DEFAULT, SAVED, SUPPORTED = range(4)
SAVEABLE, PER_NAMESPACE, CHANGEABLE = 1, 2, 4

# FID: (capabilities, default value, a value to set, what is kept of it)
FEATURES = {
    0x01: (SAVEABLE | CHANGEABLE, 0x00000007, 0x030201FF, 0x03020107),  # arbitration
    0x02: (CHANGEABLE, 0, 0x00000023, 0x00000023),  # power management
    0x04: (CHANGEABLE, 343, 400, 400),  # temperature threshold
    0x06: (SAVEABLE | CHANGEABLE, 1, 0, 0),  # volatile write cache
    0x08: (CHANGEABLE, 0, 0x00001234, 0x00001234),  # interrupt coalescing
    0x09: (CHANGEABLE, 0, 0x00010000, 0x00010000),  # interrupt vector configuration, vector 0
    0x0A: (SAVEABLE | CHANGEABLE, 0, 1, 1),  # write atomicity normal
    0x0B: (SAVEABLE | CHANGEABLE, 0x1F, 0x0102, 0x0102),  # asynchronous event configuration
    0x10: (SAVEABLE | CHANGEABLE, 0, 340 << 16 | 350, 340 << 16 | 350),  # thermal management
    0x11: (SAVEABLE | CHANGEABLE, 0, 0xFFFFFFFF, 1),  # non-operational power state configuration
    0x17: (SAVEABLE | CHANGEABLE, 0, 0xFFFFFFFF, 1),  # sanitize configuration
    0x80: (SAVEABLE | CHANGEABLE, 0, 0xFF, 0xFF),  # software progress marker
}


@pytest.mark.parametrize("fid", FEATURES)
def test_feature(nvme: Nvme, fid: int) -> None:
    capabilities, initial, value, kept = FEATURES[fid]
    assert get_feature(nvme, fid, SUPPORTED) == capabilities
    assert [get_feature(nvme, fid, select) for select in (CURRENT, DEFAULT, SAVED)] == [initial] * 3
    assert set_feature(nvme, fid, value) == OK
    assert get_feature(nvme, fid) == kept
    assert [get_feature(nvme, fid, select) for select in (DEFAULT, SAVED)] == [initial] * 2
    nvme.disable()
    nvme.enable()
    assert get_feature(nvme, fid) == initial, "a reset goes back to what is saved"


@pytest.mark.parametrize("fid", FEATURES)
def test_saving(nvme: Nvme, fid: int) -> None:
    capabilities, initial, value, kept = FEATURES[fid]
    if not capabilities & SAVEABLE:
        assert set_feature(nvme, fid, value, save=True) == NOT_SAVEABLE
        assert get_feature(nvme, fid) == initial
        return
    assert set_feature(nvme, fid, value, save=True) == OK
    assert [get_feature(nvme, fid, select) for select in (CURRENT, DEFAULT, SAVED)] == [kept, initial, kept]
    nvme.disable()
    nvme.enable()
    assert get_feature(nvme, fid) == kept


@pytest.mark.parametrize("fid", [fid for fid, found in FEATURES.items() if found[0] & SAVEABLE])
def test_what_is_saved_outlasts_a_power_cycle(server: Server, fid: int) -> None:
    _, initial, value, kept = FEATURES[fid]
    host = Host(server)
    assert set_feature(host.nvme, fid, value) == OK
    host.power_cycle()
    assert get_feature(host.nvme, fid) == initial
    assert set_feature(host.nvme, fid, value, save=True) == OK
    assert set_feature(host.nvme, fid, initial) == OK
    host.power_cycle()
    assert get_feature(host.nvme, fid) == kept
    host.close()


@pytest.mark.parametrize(
    "value, status",
    [
        (0, OK),
        (300 << 16, OK),
        (300, OK),
        (273 << 16 | 358, OK),
        (300 << 16 | 300, INVALID_FIELD),
        (310 << 16 | 300, INVALID_FIELD),
        (272 << 16 | 300, INVALID_FIELD),
        (300 << 16 | 359, INVALID_FIELD),
        (359 << 16, INVALID_FIELD),
        (272, INVALID_FIELD),
    ],
)
def test_thermal_management_temperatures(nvme: Nvme, value: int, status: int) -> None:
    data = identify(nvme, 1)
    assert struct.unpack_from("<HHH", data, 322) == (1, 273, 358), "HCTMA, MNTMT, MXTMT"
    assert set_feature(nvme, 0x10, value) == status
    assert get_feature(nvme, 0x10) == (value if status == OK else 0)


def get_data(nvme: Nvme, fid: int, length: int, select: int = 0, cdw11: int = 0) -> tuple[int, bytes]:
    """Dword 0 and the data. Checks that nothing is written past the data."""
    buffer = nvme.memory.alloc(4096)
    nvme.memory.write(buffer, b"\xa5" * 4096)
    value, status = nvme.admin.execute(GET_FEATURES, cdw10=select << 8 | fid, cdw11=cdw11, prp1=buffer)
    assert status == OK
    assert nvme.memory.read(buffer + length, 4096 - length) == b"\xa5" * (4096 - length)
    return value, nvme.memory.read(buffer, length)


def test_host_identifier_of_64_and_of_128_bits(nvme: Nvme) -> None:
    assert identify(nvme, 1)[96] & 1, "CTRATT: 128 bits"
    assert get_feature(nvme, 0x81, SUPPORTED) == CHANGEABLE
    assert get_data(nvme, 0x81, 8) == (0, bytes(8))
    assert get_data(nvme, 0x81, 16, cdw11=1) == (0, bytes(16))
    assert set_data(nvme, 0x81, bytes(range(1, 17)), cdw11=1) == OK
    assert get_data(nvme, 0x81, 16, cdw11=1)[1] == bytes(range(1, 17))
    assert get_data(nvme, 0x81, 16, DEFAULT, cdw11=1)[1] == bytes(16)
    assert set_data(nvme, 0x81, b"\x77" * 16) == OK
    assert get_data(nvme, 0x81, 16, cdw11=1)[1] == b"\x77" * 8 + bytes(8)
    assert set_data(nvme, 0x81, bytes(16), save=True) == NOT_SAVEABLE
    nvme.disable()
    nvme.enable()
    assert get_data(nvme, 0x81, 8)[1] == bytes(8)


def test_the_host_says_what_it_can_cope_with(nvme: Nvme) -> None:
    """Host Behavior Support: ACRE, ETDAS and LBAFEE; what is reserved is not kept."""
    assert get_feature(nvme, 0x16, SUPPORTED) == CHANGEABLE
    assert get_data(nvme, 0x16, 512) == (0, bytes(512))
    for values in ((1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 1), (0, 0, 0)):
        assert set_data(nvme, 0x16, bytes(values) + b"\xff" * 509) == OK
        assert get_data(nvme, 0x16, 512) == (0, bytes(values) + bytes(509))
    assert set_data(nvme, 0x16, b"\x01\x01\x01" + bytes(509)) == OK
    for place in range(3):
        for value in (2, 3, 255):
            assert set_data(nvme, 0x16, bytes(place) + bytes((value,)) + bytes(511 - place)) == INVALID_FIELD
    assert set_data(nvme, 0x16, bytes(512), save=True) == NOT_SAVEABLE
    assert get_data(nvme, 0x16, 512) == (0, b"\x01\x01\x01" + bytes(509)), "a refusal changes nothing"
    assert [get_data(nvme, 0x16, 512, select) for select in (DEFAULT, SAVED)] == [(0, bytes(512))] * 2
    nvme.disable()
    nvme.enable()
    assert get_data(nvme, 0x16, 512) == (0, bytes(512)), "it belongs to the host that set it"


def test_version_1_4_knows_one_host_behavior(start: Start) -> None:
    with Client(start("--size", "1M", "--nvme-version", "1.4").folder) as client:
        nvme = Nvme(client)
        nvme.enable()
        assert set_data(nvme, 0x16, b"\x02" + bytes(511)) == INVALID_FIELD
        assert set_data(nvme, 0x16, b"\x01\x02\x02" + bytes(509)) == OK
        assert get_data(nvme, 0x16, 512) == (0, b"\x01" + bytes(511))
        nvme.close()


def test_error_recovery_is_of_each_namespace(start: Start) -> None:
    with Client(start("--size", "1M", "--namespaces", "2").folder) as client:
        nvme = Nvme(client)
        nvme.enable()
        assert get_feature(nvme, 5, SUPPORTED, nsid=1) == PER_NAMESPACE | CHANGEABLE
        assert set_feature(nvme, 5, 0x10064, nsid=2) == OK
        assert [get_feature(nvme, 5, nsid=nsid) for nsid in (1, 2)] == [0, 0x10064]
        assert set_feature(nvme, 5, 7, nsid=ALL_NAMESPACES) == OK
        assert [get_feature(nvme, 5, nsid=nsid) for nsid in (1, 2)] == [7, 7]
        assert set_feature(nvme, 5, 7, nsid=2, save=True) == NOT_SAVEABLE
        nvme.disable()
        nvme.enable()
        assert [get_feature(nvme, 5, nsid=nsid) for nsid in (1, 2)] == [0, 0]
        nvme.close()


def ask_for_queues(nvme: Nvme, submission: int, completion: int) -> tuple[int, int]:
    """How many of each are granted, of numbers that are not 0's based."""
    request = (completion - 1) << 16 | (submission - 1)
    value, status = nvme.admin.execute(SET_FEATURES, cdw10=7, cdw11=request)
    assert status == OK and get_feature(nvme, 7) == value
    return (value & 0xFFFF) + 1, (value >> 16) + 1


def makes_cq(nvme: Nvme, qid: int) -> int:
    return nvme.admin.execute(CREATE_CQ, prp1=nvme.memory.alloc(4096), cdw10=7 << 16 | qid, cdw11=1)[1]


def makes_sq(nvme: Nvme, qid: int, cqid: int) -> int:
    cdw11 = cqid << 16 | 1
    return nvme.admin.execute(CREATE_SQ, prp1=nvme.memory.alloc(4096), cdw10=7 << 16 | qid, cdw11=cdw11)[1]


def test_number_of_queues(nvme: Nvme) -> None:
    assert get_feature(nvme, 7) == 0x000F000F, "before anybody has asked: all there are"
    assert set_feature(nvme, 7, 0xFFFF << 16) == INVALID_FIELD
    assert set_feature(nvme, 7, 0xFFFF) == INVALID_FIELD
    assert ask_for_queues(nvme, 0xFFFF, 0xFFFF) == (16, 16)
    queue = nvme.create_queue(1, 8)
    assert set_feature(nvme, 7, 0) == SEQUENCE_ERROR
    nvme.delete_queue(queue)
    assert set_feature(nvme, 7, 0) == SEQUENCE_ERROR, "they have been created once since the reset"
    nvme.disable()
    nvme.enable()
    assert set_feature(nvme, 7, 0) == OK


@pytest.mark.parametrize("wanted", [(1, 1), (2, 2), (16, 16), (3, 5), (5, 3), (17, 1)])
def test_no_more_queues_are_granted_than_were_asked_for(nvme: Nvme, wanted: tuple[int, int]) -> None:
    granted = ask_for_queues(nvme, *wanted)
    assert granted == (min(wanted[0], 16), min(wanted[1], 16))
    assert ask_for_queues(nvme, 16, 16) == granted, "it stays until the next reset"
    assert [get_feature(nvme, 7, select) for select in (1, 2)] == [0x000F000F] * 2
    for qid in range(1, 17):
        assert makes_cq(nvme, qid) == (OK if qid <= granted[1] else INVALID_QID)
    for qid in range(1, 17):
        assert makes_sq(nvme, qid, 1) == (OK if qid <= granted[0] else INVALID_QID)
    nvme.disable()
    nvme.enable()
    assert get_feature(nvme, 7) == 0x000F000F
    assert ask_for_queues(nvme, 16, 16) == (16, 16)
    nvme.create_queue(16, 8)


def test_a_host_that_never_asks_may_make_all_queues(nvme: Nvme) -> None:
    for qid in range(1, 17):
        nvme.create_queue(qid, 8)
    assert makes_cq(nvme, 17) == INVALID_QID


def test_a_drive_may_grant_all_queues_however_few_were_asked_for(start: Start) -> None:
    with Client(start("--size", "1M", "--grant-all").folder) as client:
        nvme = Nvme(client)
        nvme.enable()
        assert ask_for_queues(nvme, 1, 1) == (16, 16)
        nvme.create_queue(16, 8)
        nvme.close()


@pytest.mark.parametrize("fid", [0x00, 0x03, 0x0F, 0x12, 0x15, 0x18, 0x7F, 0x82, 0xC0, 0xFF])
def test_features_that_are_not_there(nvme: Nvme, fid: int) -> None:
    assert nvme.admin.execute(GET_FEATURES, cdw10=fid)[1] == INVALID_FIELD
    assert nvme.admin.execute(GET_FEATURES, cdw10=3 << 8 | fid)[1] == INVALID_FIELD
    assert set_feature(nvme, fid, 0) == INVALID_FIELD


@pytest.mark.parametrize("select", [4, 5, 6, 7])
def test_selections_that_are_reserved(nvme: Nvme, select: int) -> None:
    assert nvme.admin.execute(GET_FEATURES, cdw10=select << 8 | 1)[1] == INVALID_FIELD


@pytest.mark.parametrize(
    "fid, value, nsid, status",
    [
        (0x02, 5, 0, INVALID_FIELD),  # a power state that is not there
        (0x02, 31, 0, INVALID_FIELD),
        (0x02, 4, 0, OK),
        (0x04, 2 << 20 | 300, 0, INVALID_FIELD),  # THSEL
        (0x04, 3 << 16 | 300, 0, INVALID_FIELD),  # a sensor that is not there
        (0x04, 15 << 16 | 300, 0, OK),  # all sensors
        (0x09, 65, 0, INVALID_FIELD),  # a vector that is not there
        (0x09, 64, 0, OK),
        (0x19, 1, 0, INVALID_FIELD),  # a combination of command sets that is not there
        (0x01, 0, 1, NOT_NS_SPECIFIC),
        (0x01, 0, 2, INVALID_NAMESPACE),
        (0x01, 0, ALL_NAMESPACES, OK),
        (0x05, 1 << 16, 0, INVALID_NAMESPACE),
        (0x05, 1 << 16, 2, INVALID_NAMESPACE),
        (0x05, 1 << 16, 1, OK),
        (0x05, 1 << 16, ALL_NAMESPACES, OK),
    ],
)
def test_what_set_features_checks(nvme: Nvme, fid: int, value: int, nsid: int, status: int) -> None:
    assert set_feature(nvme, fid, value, nsid=nsid) == status


def test_error_recovery_belongs_to_a_namespace(start: Start) -> None:
    with Client(start("--size", "1M", "--namespaces", "3").folder) as client:
        nvme = Nvme(client)
        nvme.enable()
        assert get_feature(nvme, 5, SUPPORTED) == PER_NAMESPACE | CHANGEABLE
        assert set_feature(nvme, 5, 1 << 16, nsid=2) == OK
        assert [get_feature(nvme, 5, nsid=nsid) >> 16 for nsid in (1, 2, 3)] == [0, 1, 0]
        assert nvme.admin.execute(GET_FEATURES, nsid=ALL_NAMESPACES, cdw10=5)[1] == INVALID_NAMESPACE
        nvme.close()


def test_thresholds_of_each_sensor(nvme: Nvme) -> None:
    assert set_feature(nvme, 4, 1 << 16 | 350) == OK
    assert set_feature(nvme, 4, 1 << 20 | 1 << 16 | 250) == OK
    assert get_feature(nvme, 4) == 343
    assert get_feature(nvme, 4, cdw11=1 << 16) == 350
    assert get_feature(nvme, 4, cdw11=1 << 20 | 1 << 16) == 250
    assert get_feature(nvme, 4, cdw11=2 << 16) == 0xFFFF
    assert nvme.admin.execute(GET_FEATURES, cdw10=4, cdw11=15 << 16)[1] == INVALID_FIELD


def test_timestamp_runs(nvme: Nvme) -> None:
    buffer = nvme.memory.alloc(4096)
    nvme.memory.write(buffer, struct.pack("<Q", 1_700_000_000_000))
    begin = time.monotonic()
    assert nvme.admin.execute(SET_FEATURES, cdw10=0x0E, prp1=buffer)[1] == OK
    time.sleep(0.05)
    assert nvme.admin.execute(GET_FEATURES, cdw10=0x0E, prp1=buffer)[1] == OK
    value = struct.unpack("<Q", nvme.memory.read(buffer, 8))[0]
    assert value >> 48 & 0xE == 2, "it was set by Set Features"
    passed = (value & 0xFFFFFFFFFFFF) - 1_700_000_000_000
    assert 50 <= passed <= (time.monotonic() - begin) * 1000 + 1
    nvme.disable()
    nvme.enable()
    assert nvme.admin.execute(GET_FEATURES, cdw10=0x0E, prp1=buffer)[1] == OK
    value = struct.unpack("<Q", nvme.memory.read(buffer, 8))[0]
    assert value >> 48 == 0 and value < 10_000, "a reset clears it"


def test_a_drive_without_a_cache_has_no_feature_for_it(start: Start) -> None:
    with Client(start("--size", "1M", "--cache", "0").folder) as client:
        nvme = Nvme(client)
        nvme.enable()
        assert set_feature(nvme, 6, 1) == INVALID_FIELD
        assert nvme.admin.execute(GET_FEATURES, cdw10=6)[1] == INVALID_FIELD
        nvme.close()


def test_all_command_sets_can_be_enabled(nvme: Nvme) -> None:
    nvme.disable()
    admin = nvme.admin
    admin.head, admin.tail, admin.phase = 0, 0, 1
    nvme.memory.write(admin.cq, bytes(admin.depth * 16))
    nvme.client.write32(0x14, CC_ENABLED | 6 << 4)
    nvme.wait_ready(True)
    assert get_feature(nvme, 0x19) == 0


def test_log_page_lists_exactly_the_features_that_are_there(nvme: Nvme) -> None:
    fids = struct.unpack("<256I", log_page(nvme, 0x12, 1024))
    for fid in range(256):
        status = nvme.admin.execute(GET_FEATURES, cdw10=3 << 8 | fid)[1]
        assert status == (OK if fids[fid] & 1 else INVALID_FIELD), f"FID {fid:#04x}"
