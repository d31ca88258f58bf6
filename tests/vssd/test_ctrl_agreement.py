# SPDX-License-Identifier: BSD-3-Clause
"""A drive reports the same facts in all places: Identify, log pages, features, registers, PCIe.

Each rule is judged on drives of every version and with every option. Offsets come from the specification, not
from our headers.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator

import pytest
from client import sqe
from ctrl_helpers import (
    FORMAT,
    GET_LOG,
    OK,
    READ,
    WRITE_UNCORRECTABLE,
    Host,
    Start,
    identify,
    log_page,
    set_feature,
)
from server import Server
from told import Record, Told

DRIVES = [
    "",
    *(f"--nvme-version {version}" for version in ("1.0", "1.1", "1.2", "1.2.1", "1.3", "1.4")),
    "--lba-size 4096",
    "--lba-size 4096 --nvme-version 1.4",
    "--namespaces 3",
    "--namespaces 32 --lba-size 4096 --size 64K",
    "--namespaces 2 --nvme-version 1.3",
    "--size 4K",
    "--size 4K --lba-size 4096",
    "--size 4T",
    "--mdts 0",
    "--mdts 1 --lba-size 4096",
    "--mdts 15",
    "--sgls byte --metadata",
    "--copy --protection --storage-tag 20",
    "--protection --nvme-version 1.4",
    "--sgls dword --nvme-version 1.3",
    "--cache 0",
    "--cache 4K",
    "--queues 1 --queue-entries 2",
    "--queues 64 --queue-entries 65536",
    "--serial 1",
    "--serial 12345678901234567890",
    "--null --size 1024T",
    "--null --lba-size 4096 --namespaces 2 --nvme-version 1.4",
    "--self-test-time 120000",
]


def options_of(drive: str) -> dict[str, str]:
    words = drive.replace("--null", "--null yes").split()
    return dict(zip(words[::2], words[1::2]))


@pytest.fixture(scope="module", params=DRIVES, ids=lambda drive: drive.replace("--", "") or "default")
def drive(request: pytest.FixtureRequest) -> Iterator[str]:
    """Its options."""
    yield request.param


@pytest.fixture(scope="module")
def told(drive: str) -> Iterator[Told]:
    folder = tempfile.mkdtemp(prefix="vssd-", dir="/tmp")
    options = drive.split()
    server = Server(f"{folder}/0", *([] if "--size" in drive else ["--size", "1M"]), *options)
    assert server.word == "ready", server.word
    told = Told(server)
    yield told
    told.close()
    try:
        server.check_end()
    finally:
        server.stop()
        server.log.close()
        shutil.rmtree(folder)


# Identity


def test_names(told: Told) -> None:
    id = told.controller
    assert id.data[:2] == told.config.data[:2] and id.data[2:4] == told.config.data[0x2C:0x2E]
    assert id.number(80, 4) == (told.version if told.since(1, 2) else 0)
    for first, size in ((4, 20), (24, 40), (64, 8)):
        assert all(0x20 <= byte <= 0x7E for byte in id.data[first : first + size])
    assert told.config.number(9, 3) == 0x010802, "class code: NVM Express"


def test_identifiers_are_all_of_one_maker(told: Told) -> None:
    """IEEE, EUI-64, NGUID, the serial number of PCIe, telemetry; and no two are alike."""
    oui = told.controller.data[75:72:-1]
    serial = told.extended(3)
    assert serial is not None and serial.data[11:3:-1][:3] == oui
    found = [serial.data[11:3:-1]]
    for ns in told.ns.values():
        if told.since(1, 1):
            assert ns.data[120:123] == oui
            found.append(ns.data[120:128])
        if told.since(1, 2):
            assert ns.data[104:120][8:] == ns.data[120:128], "the NGUID ends with the EUI-64"
    assert len(set(found)) == len(found)
    for lid in (7, 8):
        log = told.logs[lid]
        assert log is None or log.data[7:4:-1] == oui


def test_descriptors(told: Told) -> None:
    for nsid, ns in told.ns.items():
        found = told.identifiers(nsid)
        if told.since(1, 3):
            assert found.pop(1) == ns.data[120:128] and found.pop(2) == ns.data[104:120]
        if told.since(2, 0):
            assert found.pop(4) == b"\0"
        assert found == {}


# Sizes


def test_namespaces_are_counted_alike(told: Told, drive: str) -> None:
    assert len(told.nsids) == int(options_of(drive).get("--namespaces", "1"))
    expected = told.nsids + [0] * (1024 - len(told.nsids))
    assert told.listed is None or told.listed.entries(count=1024) == expected
    assert told.listed_of_set is None or told.listed_of_set.entries(count=1024) == expected
    assert told.controller.number(540, 4) <= told.controller.number(516, 4), "MNAN, NN"


def test_capacities_add_up(told: Told) -> None:
    total = 0
    for ns in told.ns.values():
        nsze, ncap, nuse = (ns.number(offset, 8) for offset in (0, 8, 16))
        assert nsze >= ncap >= nuse and nsze > 0
        assert ns.bit(24, 0) or ncap == nsze, "without thin provisioning"
        if told.since(1, 2):
            assert ns.number(48, 16) == ncap << lbads(ns)
        total += ns.number(48, 16)
    assert told.controller.number(280, 16) == total and told.controller.number(296, 16) == 0


def lbads(ns: Record) -> int:
    return ns.data[128 + 4 * (ns.data[26] & 0xF) + 2]


def test_formats(told: Told, drive: str) -> None:
    for ns in told.ns.values():
        count = ns.data[25] + 1
        assert count <= 16 and ns.data[26] & 0xF < count and ns.data[26] & 0x60 == 0
        assert all(9 <= ns.data[128 + 4 * index + 2] <= 12 for index in range(count))
        assert ns.data[128 + 4 * count : 384] == bytes(256 - 4 * count)
        assert 1 << lbads(ns) == int(options_of(drive).get("--lba-size", "512"))
        metadata = any(ns.number(128 + 4 * index, 2) for index in range(count))
        protection = "--protection" in drive
        assert metadata == ("--metadata" in drive or protection)
        assert ns.data[27:30] == bytes([3 if metadata else 0, 0x1F if protection else 0, 0]), "MC, DPC, DPS"
        fastest = min(range(count), key=lambda index: ns.data[128 + 4 * index + 3] & 3)
        assert ns.data[128 + 4 * fastest + 2] == 12


def preferred(ns: Record) -> list[int]:
    """NPWG, NPWA, NPDG, NPDA, NOWS, in LBAs."""
    return [ns.number(offset, 2) + 1 for offset in range(64, 74, 2)]


def test_preferred_sizes(told: Told) -> None:
    for nsid, ns in told.ns.items():
        npwg, npwa, npdg, npda, nows = preferred(ns)
        assert ns.bit(24, 4) == told.since(1, 4), "NSFEAT: OPTPERF"
        assert nows % npwg == 0 and npwg % npwa == 0 and npdg % npda == 0
        if told.since(1, 4):
            assert npwg << lbads(ns) == 4096 and npdg % npwg == 0
        mdts = told.controller.data[77]
        assert mdts == 0 or nows << lbads(ns) <= 4096 << mdts
        assert nows <= ns.number(0, 8), "a namespace has room for what it likes best"
        more = told.of_set[nsid]
        assert more is None or more.data[268:] == bytes(4096 - 268), "NPDGL, NPRG, NPRA, NORS"


def test_preferred_sizes_follow_the_format(start: Start) -> None:
    host = Host(start("--size", "1M"))
    for lbaf, shift in ((1, 12), (0, 9), (1, 12)):
        assert host.nvme.admin.execute(FORMAT, nsid=1, cdw10=lbaf)[1] == OK
        ns = Record(identify(host.nvme, 0, nsid=1))
        assert lbads(ns) == shift and [size << shift for size in preferred(ns)] == [4096] * 5
    host.close()


def test_atomicity(told: Told) -> None:
    id = told.controller
    awun, awupf, acwu = (id.number(offset, 2) for offset in (526, 528, 532))
    assert awupf <= awun and (acwu <= awun if told.since(1, 1) else acwu == 0)
    assert id.bit(522, 0), "Compare and Write: ACWU counts"
    for ns in told.ns.values():
        assert not ns.bit(24, 1) and ns.data[34:46] == bytes(12), "NSABP, NAWUN to NABSPF"


def test_two_structures_of_a_namespace(told: Told) -> None:
    """CNS 00h and 08h."""
    for nsid, ns in told.ns.items():
        other = told.independent[nsid]
        if other is None:
            continue
        assert other.bit(0, 3) == ns.bit(24, 3), "UIDREUSE"
        assert other.data[1] == ns.data[30], "NMIC"
        assert other.data[2] == ns.data[31], "RESCAP"
        assert other.data[3] == ns.data[32], "FPI"
        assert other.data[4:8] == ns.data[92:96], "ANAGRPID"
        assert other.data[8] == ns.data[99], "NSATTR"
        assert other.data[10:14] == ns.data[100:104], "NVMSETID, ENDGID"
        assert other.data[14] == 1, "ready"


def test_both_tell_how_far_a_format_is(start: Start) -> None:
    host = Host(start("--size", "1M", "--namespaces", "2", "--format-time", "400"))

    def progress(nsid: int) -> set[int]:
        return {identify(host.nvme, 0, nsid=nsid)[32], identify(host.nvme, 8, nsid=nsid)[3]}

    assert progress(1) == progress(2) == {0x80}
    host.nvme.admin.submit(sqe(FORMAT, nsid=1))
    cid = host.nvme.admin.submit(sqe(0x06, nsid=1, prp1=host.disk.buffer, cdw10=8))
    assert host.nvme.admin.wait().cid == cid, "the format has not completed"
    assert host.nvme.memory.read(host.disk.buffer, 4)[3] > 0x80
    cid = host.nvme.admin.submit(sqe(0x06, nsid=1, prp1=host.disk.buffer, cdw10=0))
    assert host.nvme.admin.wait().cid == cid
    assert host.nvme.memory.read(host.disk.buffer, 33)[32] > 0x80
    host.nvme.admin.wait()
    assert progress(1) == {0x80}
    host.close()


# Fields that depend on each other


def test_what_is_said_of_groups_that_are_not_there(told: Told) -> None:
    """Endurance groups, NVM sets, ANA, domains, shared namespaces, reservations."""
    id = told.controller
    assert not any(id.bit(96, bit) for bit in (2, 3, 4, 5, 7, 9, 10)) and id.number(100, 2) == 0
    assert id.data[338:352] == bytes(14) and id.data[356:358] == bytes(2) and id.data[368:384] == bytes(16)
    assert id.data[76] == 0, "CMIC"
    for ns in told.ns.values():
        assert ns.data[30:32] == bytes(2) and ns.data[92:96] == bytes(4) and ns.data[99:104] == bytes(5)


def test_command_sets(told: Told) -> None:
    """CAP.CSS, CNS 1Ch, the CSI of namespaces, and log page 05h by CSI."""
    css = told.cap >> 37 & 0xFF
    assert css & 1 and not css & 0x80 and bool(css & 0x40) == (told.sets is not None) == told.since(2, 0)
    assert told.sets is None or told.sets.data == b"\x01" + bytes(4095)
    assert (told.features[0x19] is not None) == bool(css & 0x40)
    assert told.of_controller_of_set is None or told.of_controller_of_set.data == bytes(4096), "no limits"


def test_registers(told: Told, drive: str) -> None:
    options = options_of(drive)
    assert (told.cap & 0xFFFF) + 1 == int(options.get("--queue-entries", "4096"))
    assert told.cap >> 48 & 0xF == 0 and told.controller.data[77] == int(options.get("--mdts", "5"))
    queues = int(options.get("--queues", "16"))
    feature = told.features[7]
    assert feature is not None and feature.current == (queues - 1) << 16 | (queues - 1)
    assert told.bar.number(0x68, 2) == (told.cap >> 24 & 0xFF if told.since(2, 0) else 0), "CRTO and TO"
    assert bool(told.cap >> 17 & 1) and told.features[1] is not None, "weighted round robin"


def test_interrupt_vectors(told: Told) -> None:
    """Feature 09h and completion queues accept exactly the vectors of the MSI-X table."""
    at = told.config.data[0x34]
    while told.config.data[at] != 0x11:
        at = told.config.data[at + 1]
    count = (told.config.number(at + 2, 2) & 0x7FF) + 1
    for vector, known in ((0, True), (count - 1, True), (count, False), (0xFFFF, False)):
        assert (told.nvme.admin.execute(0x0A, cdw10=9, cdw11=vector)[1] == OK) == known
        queue = {"cdw10": 1 << 16 | 1, "cdw11": vector << 16 | 3}
        status = told.nvme.admin.execute(0x05, prp1=told.nvme.memory.alloc(4096), **queue)[1]
        assert status == (OK if known else 0x108)
        if known:
            assert told.nvme.admin.execute(0x04, cdw10=1)[1] == OK


def supported(record: Record | None, first: int = 0) -> set[int] | None:
    return (
        None if record is None else {index for index, entry in enumerate(record.entries(first)) if entry & 1}
    )


def test_log_pages_are_listed(told: Told) -> None:
    listed = supported(told.logs[0])
    assert listed is None or listed == {lid for lid, log in told.logs.items() if log is not None}
    id = told.controller
    announced = {1, 2, 3}
    announced |= {4} if id.bit(92, 8) else set()
    announced |= {5} if id.bit(261, 1) else set()
    announced |= {6} if id.bit(256, 4) else set()
    announced |= {7, 8} if id.bit(261, 3) else set()
    announced |= {0, 0x10, 0x12, 0x13} if id.bit(261, 5) else set()
    announced |= {0x81} if id.number(328, 4) & 7 else set()
    assert announced == {lid for lid, log in told.logs.items() if log is not None}


def test_commands_are_listed(told: Told) -> None:
    id, log = told.controller, told.logs[5]
    if log is None:
        return
    admin = {0, 1, 2, 4, 5, 6, 8, 9, 0x0A, 0x0C}
    admin |= {0x80} if id.bit(256, 1) else set()
    admin |= {0x10, 0x11} if id.bit(256, 2) else set()
    admin |= {0x14} if id.bit(256, 4) else set()
    admin |= {0x84} if id.number(328, 4) & 7 else set()
    io = {0, 1, 2}
    for bit, opcode in ((0, 5), (1, 4), (2, 9), (3, 8), (7, 0x0C), (8, 0x19)):
        io |= {opcode} if id.bit(520, bit) else set()
    assert supported(log) == admin and supported(log, 1024) == io


def test_effects_are_not_those_of_commands_that_are_not_there(told: Told) -> None:
    for log in (told.logs[0x05], told.logs[0x12], told.logs[0x13]):
        assert log is None or all(entry & 1 or not entry for entry in log.entries(count=len(log.data) // 4))


def test_scopes_are_told_where_announced(told: Told) -> None:
    log = told.logs[5]
    if log is not None:
        scopes = {entry >> 20 != 0 for entry in log.entries() if entry & 1}
        assert scopes == {told.controller.bit(261, 5)}


def test_features_are_listed(told: Told) -> None:
    """Log page 12h and Get Features; a feature has the scope of a namespace or a wider one."""
    wide = {0x12: 1 << 2, 0x17: 1 << 5, 0x18: 1 << 3, 0x1D: 1 << 3}  # NVM set, subsystem, endurance group
    found = {fid for fid, feature in told.features.items() if feature is not None}
    log = told.logs[0x12]
    assert log is None or supported(log) == found
    for fid in found:
        feature = told.features[fid]
        assert feature is not None
        if not told.controller.bit(520, 4):
            assert feature[1:] == (None, None, None), "ONCS: no save and select"
            continue
        assert feature.capabilities is not None
        scope = told.logs[0x12].number(4 * fid, 4) >> 20 if told.logs[0x12] is not None else None
        assert scope is None or scope == wide.get(fid, 1 if feature.capabilities & 2 else 2)
        if fid not in (0x07, 0x0E):  # of these two, the default is what there is, or moves
            assert feature.saved == feature.default, "nothing was saved"


def test_features_that_are_announced(told: Told, drive: str) -> None:
    id = told.controller
    announced = {
        0x06: id.bit(525, 0),
        0x0C: id.bit(265, 0),
        0x0D: id.number(272, 4) > 0,
        0x0E: id.bit(520, 6),
    }
    announced |= {0x0F: id.number(320, 2) > 0, 0x10: id.bit(322, 0), 0x11: id.bit(96, 1), 0x12: id.bit(96, 3)}
    announced |= {0x82: id.bit(520, 5), 0x84: id.bit(531, 0)}
    assert announced == {fid: told.features[fid] is not None for fid in announced}
    assert id.bit(525, 0) == (options_of(drive).get("--cache") != "0")


def test_power_states(told: Told) -> None:
    id = told.controller
    states = [Record(id.data[2048 + 32 * index : 2080 + 32 * index]) for index in range(32)]
    npss = id.data[263]
    watts = [state.number(0, 2) * (1 if state.data[3] & 1 else 100) for state in states[: npss + 1]]
    assert watts == sorted(watts, reverse=True) and watts[-1] > 0
    assert all(state.data == bytes(32) for state in states[npss + 1 :])
    rest = [index for index in range(npss + 1) if states[index].data[3] & 2]
    assert bool(rest) == id.bit(265, 0), "autonomous transitions lead to states without operation"
    assert 0 not in rest
    throughput = [state.data[12:16] for state in states[: npss + 1]]
    assert all(max(ranks) <= npss for ranks in throughput)


def test_temperatures(told: Told) -> None:
    id, smart, feature = told.controller, told.logs[2], told.features[4]
    assert smart is not None and feature is not None
    assert feature.current == 343
    if told.since(1, 2):
        assert id.number(266, 2) == 343 < id.number(268, 2)
        assert smart.number(1, 2) < id.number(266, 2) and smart.data[0] == 0
    sensors = [smart.number(200 + 2 * index, 2) for index in range(8)]
    for index, sensor in enumerate(sensors):
        _, status = told.nvme.admin.execute(0x0A, cdw10=4, cdw11=(index + 1) << 16)
        assert not told.since(1, 2) or (status == OK) == (sensor > 0)
    if told.since(1, 3):
        assert id.number(324, 2) < id.number(326, 2)


def test_host_memory(told: Told) -> None:
    id = told.controller
    preferred, least, entries, limit = (
        id.number(272, 4),
        id.number(276, 4),
        id.number(332, 4),
        id.number(336, 2),
    )
    assert least <= preferred and entries <= preferred
    assert (limit > 0) == told.since(1, 4)


def test_firmware(told: Told) -> None:
    id, log = told.controller, told.logs[3]
    assert log is not None
    slots, active = id.data[260] >> 1 & 7, log.data[0] & 7
    revisions = [log.data[8 * slot : 8 * slot + 8] for slot in range(1, 8)]
    assert 1 <= active <= slots and revisions[active - 1] == id.data[64:72]
    assert all(revision == bytes(8) for revision in revisions[slots:])
    assert log.data[0] >> 4 == 0, "nothing waits"
    assert (id.number(270, 2) > 0) == id.bit(260, 4), "MTFA: activation without a reset"


def test_self_tests(told: Told, drive: str) -> None:
    id = told.controller
    assert (id.number(316, 2) > 0) == id.bit(256, 4) == id.bit(318, 0) == (told.logs[6] is not None)
    if told.since(1, 3):
        minutes = int(options_of(drive).get("--self-test-time", "500")) / 60000
        assert id.number(316, 2) >= minutes


def test_sanitize(told: Told) -> None:
    id, log = told.controller, told.logs[0x81]
    assert (log is None) == (id.number(328, 4) == 0)
    assert (told.features[0x17] is not None) == told.since(1, 4) == (id.number(328, 4) >> 30 > 0)
    if log is None:
        return
    times = [log.number(offset, 4) for offset in range(8, 32, 4)]
    assert log.number(0, 2) == 0xFFFF and log.number(2, 2) & 7 == 0
    assert all(times[:3]) and bool(times[3]) == told.since(1, 4)


def test_error_log(told: Told) -> None:
    """The log has as many entries as ELPE says, and the newest has the error count of SMART."""
    errors = Record(log_page(told.nvme, 1, 4096))
    count = int.from_bytes(log_page(told.nvme, 2)[176:192], "little")
    assert told.controller.data[262] + 1 == 64
    assert errors.number(0, 8) == count > 0, "features that are not there were asked for"
    for index in range(1, 64):
        assert errors.number(64 * index, 8) in (count - index, 0)


def test_telemetry(told: Told) -> None:
    """Log pages 07h and 08h: areas, and fields that describe the other page."""
    host, ctrl = told.logs[7], told.logs[8]
    assert (host is None) == (ctrl is None) == (not told.controller.bit(261, 3))
    if host is not None and ctrl is not None:
        assert host.data[382:384] == ctrl.data[382:384]
        assert host.number(16, 4) == 0, "there is no area 4, since the host has not enabled it"
        assert told.controller.bit(261, 6) == told.since(2, 0)


def test_deallocation(told: Told, drive: str) -> None:
    """DLFEAT, NSFEAT, and feature 05h."""
    for ns in told.ns.values():
        assert ns.data[33] == (9 if told.since(1, 3) else 0)
        assert ns.bit(24, 2) == (told.since(1, 2) and "--null" not in drive)
    assert set_feature(told.nvme, 5, 1 << 16, nsid=1) == OK
    found = told.feature(5)
    assert found is not None and found.current is not None
    assert bool(found.current) == told.ns[1].bit(24, 2)
    assert set_feature(told.nvme, 5, 0, nsid=1) == OK


def test_the_serial_number_makes_the_identifiers(start: Start) -> None:
    """The identifiers in PCIe, Identify and SUBNQN depend on the serial number only."""
    found: dict[str, tuple[bytes, ...]] = {}
    serials = ["J3", "J4", "3J", "J3 ", "x" * 20, "x" * 19 + "y", "y" + "x" * 19, "A", ""]
    for serial in [*serials, "J3"]:
        told = Told(start("--size", "64K", "--serial", serial))
        pcie = told.extended(3)
        assert pcie is not None
        names = (pcie.data[4:12], told.ns[1].data[104:128], told.controller.data[768:1024])
        assert found.setdefault(serial, names) == names
        told.close()
    distinct = {serial.ljust(20): names for serial, names in found.items()}
    for number in range(3):
        assert len({names[number] for names in distinct.values()}) == len(distinct)


def test_what_went_wrong_is_told_everywhere(start: Start) -> None:
    """An unrecovered read: SMART, the error log, and telemetry."""
    host = Host(start("--size", "1M"))
    assert host.disk.command(WRITE_UNCORRECTABLE, 7) == OK
    assert host.disk.command(READ, 7) == 0x281
    smart, error = Record(log_page(host.nvme, 2)), Record(log_page(host.nvme, 1, 64))
    assert smart.number(160, 16) == smart.number(176, 16) == error.number(0, 8) == 1
    assert (error.number(12, 2) >> 1 & 0x7FF, error.number(16, 8), error.number(24, 4)) == (0x281, 7, 1)
    buffer = host.nvme.memory.alloc(4096)
    assert host.nvme.admin.execute(GET_LOG, prp1=buffer, cdw10=127 << 16 | 1 << 15 | 8, cdw12=512)[1] == OK
    assert int.from_bytes(host.nvme.memory.read(buffer + 40, 8), "little") == smart.number(112, 16), "cycles"
    host.close()
