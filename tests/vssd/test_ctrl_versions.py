# SPDX-License-Identifier: BSD-3-Clause
"""A drive reports nothing that a later version than the claimed one added: every field of every structure.

The tables are written out from the revisions 1.0 to 2.0 of the NVM Express Base Specification. A line names a
field, its first byte, and the bits that each revision added; bits of no line are reserved, and 0.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import pytest
from client import Client, Nvme
from ctrl_helpers import (
    ALL_NAMESPACES,
    GET_FEATURES,
    GET_LOG,
    IDENTIFY,
    INVALID_FIELD,
    INVALID_LOG_PAGE,
    INVALID_OPCODE,
    OK,
    SET_FEATURES,
    Start,
    get_feature,
    identify,
    log_page,
    set_feature,
)
from server import Server

VERSIONS = ["1.0", "1.1", "1.2", "1.2.1", "1.3", "1.4", "2.0", "2.1"]


def number(version: str) -> int:
    """As the register VS has it."""
    major, minor, *tertiary = map(int, version.split("."))
    return major << 16 | minor << 8 | (tertiary[0] if tertiary else 0)


class Field(NamedTuple):
    """A field, and which of its bits came with which version."""

    name: str
    first: int
    size: int
    bits: dict[str, int]


def whole(name: str, first: int, last: int, version: str) -> Field:
    """A field from its first to its last byte, all bits of which are defined since `version`."""
    size = last - first + 1
    return Field(name, first, size, {version: (1 << 8 * size) - 1})


def known(fields: list[Field], version: str, size: int) -> bytes:
    """A structure with a 1 in every bit that this version defines."""
    found = bytearray(size)
    for field in fields:
        bits = 0
        for since, added in field.bits.items():
            bits |= added if number(since) <= number(version) else 0
        for place, byte in enumerate(bits.to_bytes(field.size, "little")):
            found[field.first + place] |= byte
    return bytes(found)


def reserved(data: bytes, fields: list[Field], version: str) -> list[int]:
    """The bytes in which a bit is 1 although this version reserves it."""
    mask = known(fields, version, len(data))
    return [place for place, byte in enumerate(data) if byte & ~mask[place]]


def power_state(index: int) -> list[Field]:
    first = 2048 + 32 * index
    return [
        whole("MP", first, first + 1, "1.0"),
        Field("MXPS, NOPS", first + 3, 1, {"1.1": 3}),
        whole("ENLAT, EXLAT", first + 4, first + 11, "1.0"),
        Field("RRT, RRL, RWT, RWL", first + 12, 4, {"1.0": 0x1F1F1F1F}),
        whole("IDLP", first + 16, first + 17, "1.2"),
        Field("IPS", first + 18, 1, {"1.2": 0xC0}),
        whole("ACTP", first + 20, first + 21, "1.2"),
        Field("APW, APS", first + 22, 1, {"1.2": 0xC7}),
    ]


CONTROLLER = [
    whole("VID, SSVID, SN, MN, FR, RAB, IEEE", 0, 75, "1.0"),
    Field("CMIC", 76, 1, {"1.0": 3, "1.1": 4, "1.4": 8}),
    whole("MDTS", 77, 77, "1.0"),
    whole("CNTLID", 78, 79, "1.1"),
    whole("VER, RTD3R, RTD3E", 80, 91, "1.2"),
    Field("OAES", 92, 4, {"1.2": 0x300, "1.4": 0x7800, "2.0": 0x88008000, "2.1": 0xB0000}),
    Field("CTRATT", 96, 4, {"1.2.1": 1, "1.3": 2, "1.4": 0x3FC, "2.0": 0xFC00}),
    whole("RRLS", 100, 101, "1.4"),
    whole("CNTRLTYPE", 111, 111, "1.4"),
    whole("FGUID", 112, 127, "1.3"),
    whole("CRDT1 to CRDT3", 128, 133, "1.4"),
    whole("NVMSR, VWCI, MEC", 253, 255, "1.3"),
    Field("OACS", 256, 2, {"1.0": 7, "1.2": 8, "1.3": 0x1F0, "1.4": 0x200, "2.0": 0x400}),
    whole("ACL, AERL", 258, 259, "1.0"),
    Field("FRMW", 260, 1, {"1.0": 0xF, "1.2": 0x10, "2.0": 0x20}),
    Field("LPA", 261, 1, {"1.0": 1, "1.2": 2, "1.2.1": 4, "1.3": 8, "1.4": 0x10, "2.0": 0x60}),
    whole("ELPE, NPSS", 262, 263, "1.0"),
    Field("AVSCC", 264, 1, {"1.0": 1}),
    Field("APSTA", 265, 1, {"1.1": 1}),
    whole("WCTEMP, CCTEMP, MTFA, HMPRE, HMMIN, TNVMCAP, UNVMCAP, RPMBS", 266, 315, "1.2"),
    whole("EDSTT", 316, 317, "1.3"),
    Field("DSTO", 318, 1, {"1.3": 1}),
    whole("FWUG", 319, 319, "1.3"),
    whole("KAS", 320, 321, "1.2.1"),
    Field("HCTMA", 322, 2, {"1.3": 1}),
    whole("MNTMT, MXTMT", 324, 327, "1.3"),
    Field("SANICAP", 328, 4, {"1.3": 7, "1.4": 0xE0000000}),
    whole("HMMINDS to PELS", 332, 355, "1.4"),
    whole("DOMAINID", 356, 357, "2.0"),
    whole("MEGCAP", 368, 383, "2.0"),
    whole("SQES, CQES", 512, 513, "1.0"),
    whole("MAXCMD", 514, 515, "1.2.1"),
    whole("NN", 516, 519, "1.0"),
    Field("ONCS", 520, 2, {"1.0": 7, "1.1": 0x38, "1.3": 0x40, "1.4": 0x80, "2.0": 0x100}),
    Field("FUSES", 522, 2, {"1.0": 1}),
    Field("FNA", 524, 1, {"1.0": 7, "2.0": 8}),
    Field("VWC", 525, 1, {"1.0": 1, "1.4": 6}),
    whole("AWUN, AWUPF", 526, 529, "1.0"),
    Field("NVSCC", 530, 1, {"1.0": 1}),
    Field("NWPC", 531, 1, {"1.4": 7}),
    whole("ACWU", 532, 533, "1.1"),
    whole("OCFS", 534, 535, "2.0"),
    whole("SGLS", 536, 539, "1.1"),
    whole("MNAN", 540, 543, "1.4"),
    whole("MAXDNA, MAXCNA", 544, 563, "2.0"),
    whole("SUBNQN", 768, 1023, "1.2.1"),
    whole("vendor specific", 3072, 4095, "1.0"),
    *(field for index in range(32) for field in power_state(index)),
]

NAMESPACE = [
    whole("NSZE, NCAP, NUSE", 0, 23, "1.0"),
    Field("NSFEAT", 24, 1, {"1.0": 1, "1.2": 6, "1.3": 8, "1.4": 0x10}),
    whole("NLBAF", 25, 25, "1.0"),
    Field("FLBAS", 26, 1, {"1.0": 0x1F, "2.0": 0x60}),
    Field("MC, DPC, DPS", 27, 3, {"1.0": 0x0F1F03}),
    Field("NMIC", 30, 1, {"1.1": 1}),
    Field("RESCAP", 31, 1, {"1.1": 0x7F, "1.3": 0x80}),
    whole("FPI", 32, 32, "1.2"),
    Field("DLFEAT", 33, 1, {"1.3": 0x1F}),
    whole("NAWUN to NABSPF", 34, 45, "1.2"),
    whole("NOIOB", 46, 47, "1.3"),
    whole("NVMCAP", 48, 63, "1.2"),
    whole("NPWG, NPWA, NPDG, NPDA, NOWS", 64, 73, "1.4"),
    whole("MSSRL, MCL, MSRC", 74, 80, "2.0"),
    whole("ANAGRPID", 92, 95, "1.4"),
    Field("NSATTR", 99, 1, {"1.4": 1}),
    whole("NVMSETID, ENDGID", 100, 103, "1.4"),
    whole("NGUID", 104, 119, "1.2"),
    whole("EUI64", 120, 127, "1.1"),
    whole("LBAF0 to LBAF15", 128, 191, "1.0"),
    whole("LBAF16 to LBAF63", 192, 383, "2.0"),
]

SMART = [
    Field("critical warning", 0, 1, {"1.0": 0x1F, "1.4": 0x20}),
    whole("composite temperature, spare, threshold, used", 1, 5, "1.0"),
    Field("endurance group critical warnings", 6, 1, {"1.4": 0x0D}),
    whole("counters", 32, 191, "1.0"),
    whole("time at warning and critical temperature, sensors", 192, 215, "1.2"),
    whole("thermal management", 216, 231, "1.3"),
]

EFFECTS = [
    Field(f"command {opcode}", 4 * opcode, 4, {"1.2": 0x7001F, "1.4": 0x80000, "2.0": 0xFFF0C000})
    for opcode in range(512)
]

SANITIZE = [
    whole("SPROG, SSTAT, SCDW10, times", 0, 19, "1.3"),
    whole("times without deallocation", 20, 31, "1.4"),
]

TELEMETRY = [
    whole("LID", 0, 0, "1.3"),
    whole("IEEE, data areas 1 to 3", 5, 13, "1.3"),
    whole("data area 4", 16, 19, "2.0"),
    whole("generation of the host's", 381, 381, "2.0"),
    whole("available, generation, reason", 382, 511, "1.3"),
]

CAP = [
    Field(
        "CAP",
        0,
        8,
        {
            "1.0": 0x00FF_002F_FF07_FFFF,  # MQES, CQR, AMS, TO, DSTRD, CSS: NVM, MPSMIN, MPSMAX
            "1.1": 1 << 36,  # NSSRS
            "1.3": 1 << 45,  # BPS
            "1.4": 3 << 56,  # PMRS, CMBS
            "2.0": 3 << 43 | 3 << 46 | 7 << 58,  # CSS: all, none; CPS; NSSS, CRMS
        },
    )
]

# All structures, and their first versions.
CNS = {0x00: "1.0", 0x01: "1.0", 0x02: "1.1", 0x03: "1.3"} | dict.fromkeys((5, 6, 7, 8, 9, 0x0A, 0x1C), "2.0")
ADMIN = dict.fromkeys((0, 1, 2, 4, 5, 6, 8, 9, 0x0A, 0x0C, 0x10, 0x11, 0x80), "1.0") | {
    0x14: "1.3",
    0x84: "1.3",
}
IO = dict.fromkeys((0, 1, 2, 4, 5, 9), "1.0") | {8: "1.1", 0x0C: "1.4", 0x18: "2.1"}
LOGS = dict.fromkeys((1, 2, 3), "1.0") | dict.fromkeys((4, 5), "1.2")
LOGS |= dict.fromkeys((6, 7, 8, 0x81), "1.3") | dict.fromkeys((0, 0x10, 0x12, 0x13), "2.0") | {0x1C: "2.1"}
FEATURES = dict.fromkeys((1, 2, 4, 5, 6, 7, 8, 9, 0x0A, 0x0B, 0x80), "1.0")
FEATURES |= {0x0C: "1.1", 0x81: "1.1", 0x0D: "1.2", 0x0E: "1.3", 0x10: "1.3", 0x11: "1.3"}
FEATURES |= {0x16: "1.4", 0x17: "1.4", 0x19: "2.0"}


def there(table: dict[int, str], version: str) -> set[int]:
    return {item for item, since in table.items() if number(since) <= number(version)}


class Drive:
    """An enabled drive that claims a version."""

    def __init__(self, server: Server, version: str) -> None:
        self.version, self.client = version, Client(server.folder)
        self.nvme = Nvme(self.client)
        self.nvme.enable()

    def has(self, version: str) -> bool:
        return number(self.version) >= number(version)

    def close(self) -> None:
        self.nvme.close()
        self.client.close()


@pytest.fixture(params=VERSIONS)
def drive(request: pytest.FixtureRequest, start: Start) -> Iterator[Drive]:
    drive = Drive(start("--size", "1M", "--nvme-version", request.param), request.param)
    yield drive
    drive.close()


def test_the_version_is_told(drive: Drive) -> None:
    assert drive.client.read32(8) == number(drive.version)
    version = identify(drive.nvme, 1)[80:84]
    assert int.from_bytes(version, "little") == (number(drive.version) if drive.has("1.2") else 0)


@pytest.mark.parametrize(
    "version", ["0.9", "1.5", "1.2.2", "2.2", "2.0.1", "1", "1.", "1.4.", "1.4.0.0", "x"]
)
def test_a_version_that_never_was_is_refused(folder: str, version: str) -> None:
    server = Server(f"{folder}/0", "--nvme-version", version)
    try:
        assert server.word != "ready" and server.process.wait(20) != 0
    finally:
        server.stop()
        server.log.close()


def test_capabilities(drive: Drive) -> None:
    assert reserved(drive.client.bar_read(0, 8), CAP, drive.version) == []
    assert drive.client.bar_read(0x38, 0x30) == bytes(0x30), "no memory buffer, no boot partition"
    assert bool(drive.client.read64(0) >> 59 & 3) == drive.has("2.0") == bool(drive.client.read32(0x68))


def test_identify_controller(drive: Drive) -> None:
    assert reserved(identify(drive.nvme, 1), CONTROLLER, drive.version) == []


@pytest.mark.parametrize("options", [(), ("--lba-size", "4096"), ("--null",)], ids=" ".join)
@pytest.mark.parametrize("version", VERSIONS)
def test_identify_namespace(start: Start, version: str, options: tuple[str, ...]) -> None:
    drive = Drive(start("--size", "1M", "--nvme-version", version, *options), version)
    data = identify(drive.nvme, 0, nsid=1)
    assert reserved(data, NAMESPACE, version) == []
    assert (data[120:128] != bytes(8)) == drive.has("1.1") and (data[104:120] != bytes(16)) == drive.has(
        "1.2"
    )
    drive.close()


def test_descriptors_of_a_namespace(drive: Drive) -> None:
    """EUI-64 and NGUID came with the list itself, the command set in 2.0."""
    if not drive.has("1.3"):
        return
    data, kinds, offset = identify(drive.nvme, 3, nsid=1), [], 0
    while data[offset]:
        kinds.append(data[offset])
        offset += 4 + data[offset + 1]
    assert kinds == ([1, 2, 4] if drive.has("2.0") else [1, 2])
    assert data[offset:] == bytes(4096 - offset)


def test_identify_structures(drive: Drive) -> None:
    buffer = drive.nvme.memory.alloc(4096)
    found = set()
    for cns in range(256):
        nsid = 0 if cns in (1, 2, 6, 7) else 1
        status = drive.nvme.admin.execute(IDENTIFY, nsid=nsid, prp1=buffer, cdw10=0xFFFF << 16 | cns)[1]
        assert status in (OK, INVALID_FIELD)
        found |= {cns} if status == OK else set()
    assert found == there(CNS, drive.version)


def test_log_pages(drive: Drive) -> None:
    buffer = drive.nvme.memory.alloc(4096)
    statuses = {
        lid: drive.nvme.admin.execute(GET_LOG, nsid=ALL_NAMESPACES, prp1=buffer, cdw10=127 << 16 | lid)[1]
        for lid in range(256)
    }
    assert set(statuses.values()) == {OK, INVALID_LOG_PAGE}
    assert {lid for lid, status in statuses.items() if status == OK} == there(LOGS, drive.version)


def test_lengths_and_offsets_of_log_pages(drive: Drive) -> None:
    """NUMDU and LPO came with 1.2.1, as LPA says."""
    buffer = drive.nvme.memory.alloc(4096)
    for fields in ({"cdw12": 4}, {"cdw13": 1}, {"cdw11": 1}):
        status = drive.nvme.admin.execute(GET_LOG, prp1=buffer, cdw10=127 << 16 | 2, **fields)[1]
        assert status == (OK if drive.has("1.2.1") and "cdw12" in fields else INVALID_FIELD)


def test_smart(drive: Drive) -> None:
    assert reserved(log_page(drive.nvme, 2), SMART, drive.version) == []


def test_effects(drive: Drive) -> None:
    if drive.has("1.2"):
        assert reserved(log_page(drive.nvme, 5, 4096), EFFECTS, drive.version) == []


def test_sanitize_and_telemetry_logs(drive: Drive) -> None:
    if drive.has("1.3"):
        assert reserved(log_page(drive.nvme, 0x81), SANITIZE, drive.version) == []
        cdw10 = 127 << 16 | 1 << 8 | 7
        buffer = drive.nvme.memory.alloc(4096)
        assert drive.nvme.admin.execute(GET_LOG, prp1=buffer, cdw10=cdw10)[1] == OK
        assert reserved(drive.nvme.memory.read(buffer, 512), TELEMETRY, drive.version) == []


def test_admin_commands(drive: Drive) -> None:
    found = set()
    for opcode in set(range(256)) - {0x0C}:  # a request of an event does not complete
        # There is no such queue, namespace, log page, feature, firmware …
        status = drive.nvme.admin.execute(opcode, nsid=0x7777, cdw10=0x7777FF77, cdw11=0x7777)[1]
        assert status != OK or opcode == 8
        found |= {opcode} if status != INVALID_OPCODE else set()
    assert found | {0x0C} == there(ADMIN, drive.version)


def test_io_commands(drive: Drive) -> None:
    queue = drive.nvme.create_queue(1, 8)
    found = {op for op in range(256) if queue.execute(op, nsid=0x7777)[1] != INVALID_OPCODE}
    assert found == there(IO, drive.version)


def test_features(drive: Drive) -> None:
    buffer = drive.nvme.memory.alloc(4096)
    found = set()
    for fid in range(256):
        status = drive.nvme.admin.execute(GET_FEATURES, nsid=fid == 5, prp1=buffer, cdw10=fid)[1]
        assert status in (OK, INVALID_FIELD)
        found |= {fid} if status == OK else set()
    assert found == there(FEATURES, drive.version)


def test_default_and_saved_values(drive: Drive) -> None:
    """SEL and SV came with 1.1, as ONCS says."""
    for select in (1, 2, 3):
        status = drive.nvme.admin.execute(GET_FEATURES, cdw10=select << 8 | 1)[1]
        assert status == (OK if drive.has("1.1") else INVALID_FIELD)
    assert set_feature(drive.nvme, 1, 0x01010107, save=True) == (OK if drive.has("1.1") else INVALID_FIELD)
    assert bool(identify(drive.nvme, 1)[520] & 0x10) == drive.has("1.1")


def test_events_that_can_be_enabled(drive: Drive) -> None:
    """SMART in 1.0, namespaces and firmware in 1.2, telemetry in 1.3."""
    assert set_feature(drive.nvme, 0x0B, 0xFFFFFFFF) == OK
    notices = 0x300 * drive.has("1.2") | 0x400 * drive.has("1.3") | 0x80000 * drive.has("2.1")
    assert get_feature(drive.nvme, 0x0B) == 0x1F | notices


def test_power_states_without_operation(drive: Drive) -> None:
    npss = identify(drive.nvme, 1)[263]
    assert npss == (4 if drive.has("1.1") else 2)
    for state in range(8):
        assert set_feature(drive.nvme, 2, state) == (OK if state <= npss else INVALID_FIELD)
    assert set_feature(drive.nvme, 2, 0xE0) == OK
    assert get_feature(drive.nvme, 2) == (0xE0 if drive.has("1.2") else 0), "the workload hint"


def test_other_bits_of_features(drive: Drive) -> None:
    """Sensors and thresholds, DULBE: 1.2. Identifiers of 128 bits: 1.2.1."""
    assert set_feature(drive.nvme, 4, 1 << 16 | 340) == OK
    assert get_feature(drive.nvme, 4) == (343 if drive.has("1.2") else 340)
    assert set_feature(drive.nvme, 5, 1 << 16, nsid=1) == OK
    dulbe = get_feature(drive.nvme, 5, nsid=1) >> 16
    assert dulbe == drive.has("1.2") == identify(drive.nvme, 0, nsid=1)[24] >> 2 & 1
    if drive.has("1.1"):
        buffer = drive.nvme.memory.alloc(4096)
        status = drive.nvme.admin.execute(SET_FEATURES, prp1=buffer, cdw10=0x81, cdw11=1)[1]
        assert status == (OK if drive.has("1.2.1") else INVALID_FIELD)


def test_firmware_without_a_reset(drive: Drive) -> None:
    """Commit action 3 came with 1.2, as FRMW says: slot 1 holds what runs."""
    announced = identify(drive.nvme, 1)[260] >> 4 & 1
    status = drive.nvme.admin.execute(0x10, cdw10=3 << 3 | 1)[1]
    assert (status != INVALID_FIELD) == announced == drive.has("1.2")


def test_a_subsystem_reset(drive: Drive) -> None:
    """NSSR came with 1.1, as CAP says."""
    drive.client.write32(0x20, 0x4E564D65)
    assert drive.client.read32(0x1C) == (0x10 if drive.has("1.1") else 1)
