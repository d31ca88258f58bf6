# SPDX-License-Identifier: BSD-3-Clause
"""`pynvme.spec` decodes zones, placement, reservations, OCP's logs and lists of any length as nvme-cli does.

As in test_decode_equals.py, nvme-cli gets random bytes from a made-up drive. Here counts and lengths are set,
so that each list has some entries.
"""

from __future__ import annotations

import random
import re
import struct
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nvme_cli
import nvme_cli_bytes as opcodes
import pytest
from nvme_cli_bytes import Answers
from test_decode_equals import differences, value

from pynvme import ocp_strings, spec
from pynvme.structure import Structure

pytestmark = [
    pytest.mark.skipif(nvme_cli.PROGRAM is None, reason="nvme-cli is not installed"),
    pytest.mark.skipif(nvme_cli.COMPILER is None, reason="there is no C compiler"),
]


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Answers]:
    """nvme-cli, whose device answers with bytes of the test."""
    folder = tmp_path_factory.mktemp("nvme-cli")
    with Answers(nvme_cli.build(folder), folder) as answers:
        yield answers


def made(seed: int, size: int, *fields: tuple[int, int, int]) -> bytearray:
    """Random bytes with numbers at these places, each given by first byte, size and value."""
    data = bytearray(random.Random(seed).randbytes(size))
    for first, width, number in fields:
        data[first : first + width] = number.to_bytes(width, "little")
    return data


def printable(seed: int, size: int) -> bytes:
    return bytes(33 + byte % 90 for byte in random.Random(seed).randbytes(size))


def all_numbers(structure: Structure) -> dict[str, Any]:
    """The fields of a structure, a word as its number."""
    return {name: int(one) if hasattr(one, "__int__") else one for name, one in dict(structure).items()}


def same(theirs: list[dict[str, Any]], ours: Any, names: dict[str, str], least: int) -> None:
    """Compare the entries of a list, of which each has at least so many numbers."""
    assert len(theirs) == len(ours) >= 2
    for shown, entry in zip(theirs, ours):
        numbers = [one for one in shown.values() if re.fullmatch(r"-?\d+", str(one))]
        assert len(numbers) >= least and differences(shown, all_numbers(entry), names) == {}


# Zones


def test_identify_of_zones(answers: Answers) -> None:
    answers.identify[0] = bytes(made(1, 4096, (25, 1, 15)))
    data = bytes(made(2, 4096))
    answers.identify[5] = answers.identify[6] = data
    theirs, ours = answers.json("zns id-ns", "-n", "1"), spec.IdentifyNamespaceZns(data)
    assert differences(theirs, all_numbers(ours), {}) == {} and len(theirs) >= 17
    for shown, entry in zip(theirs["lbafe"], ours.lbafe):
        # nvme-cli 2.3 shows 32 bits of ZSZE.
        assert value(shown["zsze"]) in (entry.zsze, entry.zsze & 0xFFFFFFFF)
        assert shown["zdes"] == entry.zdes
    assert answers.json("zns id-ctrl") == {"zasl": spec.IdentifyControllerZns(data).zasl}


STATES = {
    1: "EMPTY",
    2: "IMP_OPENED",
    3: "EXP_OPENED",
    4: "CLOSED",
    13: "READONLY",
    14: "FULL",
    15: "OFFLINE",
}


def knows_both(report: dict[str, Any]) -> bool:
    """Whether nvme-cli shows a zone's attributes and the information about them, as JSON."""
    return "attrs_info" in report["zone_list"][0]


def test_reports_of_zones(answers: Answers) -> None:
    answers.identify[0] = answers.identify[5] = bytes(4096)
    data = made(3, 64 + 7 * 64, (0, 8, 7))
    for number, state in enumerate(STATES):
        data[64 + 64 * number : 66 + 64 * number] = bytes([2, state << 4])
    answers.io[opcodes.ZONE_MANAGEMENT_RECEIVE] = bytes(data)
    theirs = answers.json("zns report-zones", "-n", "1", "-d", "7")
    ours = spec.ZoneReport(bytes(data))
    assert theirs["nr_zones"] == ours.nz
    # As JSON nvme-cli 2.3 shows ZAI and calls it ZA; 2.16 shows both.
    attributes = {"attrs": "za", "attrs_info": "zai"} if knows_both(theirs) else {"attrs": "zai"}
    same(theirs["zone_list"], ours.zones, {"slba": "zslba", "cap": "zcap", **attributes}, 4)
    assert [one["state"] for one in theirs["zone_list"]] == [STATES[one.zs.zs] for one in ours.zones]
    assert {one["type"] for one in theirs["zone_list"]} == {"SEQWRITE_REQ"}
    text = answers.run("zns report-zones", "-n", "1", "-d", "7").stdout
    shown = [(int(za, 16), int(zai, 16)) for za, zai in re.findall(r"Attrs: (\w+) +AttrsInfo: (\w+)", text)]
    assert shown == [(int(one.za), int(one.zai)) for one in ours.zones] and len(shown) == 7


def test_zones_that_changed(answers: Answers) -> None:
    answers.logs[0xBF] = bytes(made(4, 4096, (0, 2, 40)))
    shown = answers.run("zns changed-zone-list", "-n", "1", "-o", "json").stdout
    listed = [int(number) for number in re.findall(r"zid \d+\"?: ?(\d+)", shown)]
    assert listed == list(spec.ChangedZonesLog(answers.logs[0xBF]).zslba) and len(listed) == 40


# Placement


def fdp_configurations() -> bytes:
    """A log page of two configurations, with two and three reclaim unit handles."""
    data = made(5, 16, (0, 2, 1))
    for seed, handles in ((6, 2), (7, 3)):
        size = 64 + 4 * handles
        data += made(seed, size, (0, 2, size), (7, 2, handles))
    data[4:8] = len(data).to_bytes(4, "little")
    return bytes(data)


def test_placement(answers: Answers) -> None:
    group = ("-e", "1")
    answers.logs[0x20] = fdp_configurations()
    answers.logs[0x21] = bytes(made(8, 8 + 5 * 8, (0, 2, 5)))
    answers.logs[0x22] = bytes(made(9, 64))
    answers.logs[0x23] = bytes(made(10, 64 + 4 * 64, (0, 4, 4)))
    answers.io[opcodes.IO_MANAGEMENT_RECEIVE] = bytes(made(11, 16 + 6 * 32, (14, 2, 6)))
    theirs, ours = answers.json("fdp configs", *group), spec.FdpConfigurationsLog(answers.logs[0x20])
    assert theirs["n"] == ours.nfdpc == 1
    same(theirs["configs"], ours.configurations, {"nnss": "nns"}, 7)
    usage = answers.json("fdp usage", *group)["ruhus"]
    assert [one["ruha"] for one in usage] == [
        int(one.ruha) for one in spec.FdpUsageLog(answers.logs[0x21]).ruh
    ]
    statistics = spec.FdpStatisticsLog(answers.logs[0x22]).to_dict()
    assert {name: int(one) for name, one in answers.json("fdp stats", *group).items()} == statistics
    events = answers.json("fdp events", *group)
    listed = spec.FdpEventsLog(answers.logs[0x23])
    assert events["n"] == listed.nfdpe
    same(events["events"], listed.events, {"type": "et", "timestamp": "ets"}, 4)
    status = answers.json("fdp status", "-n", "1")["ruhss"]
    held = spec.ReclaimUnitHandleStatusList(answers.io[opcodes.IO_MANAGEMENT_RECEIVE])
    same(status, held.ruhs, {}, 4)


# Reservations


@pytest.mark.parametrize(
    ("kind", "options", "key", "size"),
    [
        (spec.ReservationStatus, (), "regctls", 24),
        (spec.ReservationStatusExtended, ("-e",), "regctlext", 64),
    ],
    ids=["64-bit host", "128-bit host"],
)
def test_reports_of_reservations(
    answers: Answers, kind: Any, options: tuple[str, ...], key: str, size: int
) -> None:
    data = bytes(made(12, size + 3 * size, (5, 2, 3)))
    answers.io[opcodes.RESERVATION_REPORT] = data
    theirs, ours = answers.json("resv-report", "-n", "1", *options), kind(data)
    assert differences(theirs, all_numbers(ours), {}) == {} and len(theirs) == 5
    hosts = [shown.pop("hostid") for shown in theirs[key]]
    same(theirs[key], ours.controllers, {}, 3)
    told = [one.to_bytes(8, "little") if isinstance(one, int) else bytes.fromhex(one) for one in hosts]
    assert told == [bytes(one.hostid) for one in ours.controllers]


# Lists of variable length


def test_asymmetric_namespace_access(answers: Answers) -> None:
    answers.identify[1] = bytes(
        made(13, 4096, (343, 1, 0), (344, 4, 3), (348, 4, 3), (516, 4, 16), (540, 4, 16))
    )
    data = made(14, 16, (8, 2, 3))
    for seed, state, namespaces in ((15, 1, 2), (16, 2, 1), (17, 15, 3)):
        data += made(seed, 32 + 4 * namespaces, (4, 4, namespaces), (16, 1, state))
    answers.logs[0x0C] = bytes(data)
    theirs, ours = answers.json("ana-log"), spec.AnaLog(bytes(data))
    assert (theirs["chgcnt"], theirs["ngrps"]) == (ours.chngc, ours.nagd)
    groups = theirs["ANA DESC LIST "]
    listed = [[value(one["nsid"]) for one in group.pop("NSIDS")] for group in groups]
    assert listed == [list(one.nsid) for one in ours.groups] and len(listed[2]) == 3
    for group, one in zip(groups, ours.groups):
        assert value(group["grpid"]) == one.agid
        # nvme-cli 2.3 shows 32 bits of it.
        assert value(group["chgcnt"]) in (one.chngc, one.chngc & 0xFFFFFFFF)
    assert [one["state"] for one in groups] == ["optimized", "non-optimized", "change"]
    assert [int(one.state) & 15 for one in ours.groups] == [1, 2, 15]


def test_lba_status(answers: Answers) -> None:
    data = made(18, 16, (4, 4, 2))
    for seed, ranges in ((19, 2), (20, 3)):
        data += made(seed, 16 + 16 * ranges, (4, 4, ranges))
    data[0:4] = len(data).to_bytes(4, "little")
    answers.logs[0x0E] = bytes(data)
    theirs, ours = answers.json("lba-status-log"), spec.LbaStatusLog(bytes(data))
    assert differences(theirs, all_numbers(ours), {}) == {} and theirs["nlslne"] == 2
    ranges = [element.pop("descs") for element in theirs["ns_elements"]]
    same(theirs["ns_elements"], ours.elements, {}, 3)
    for shown, element in zip(ranges, ours.elements):
        same(shown, element.ranges, {}, 2)


def test_events_of_groups_and_sets_and_changed_namespaces(answers: Answers) -> None:
    answers.identify[1] = bytes(made(21, 4096, (338, 2, 9), (340, 2, 9)))
    answers.logs[0x0B] = bytes(made(22, 8 + 2 * 4, (0, 8, 4)))
    answers.logs[0x0F] = bytes(made(23, 8 + 2 * 4, (0, 8, 4)))
    answers.logs[0x04] = bytes(made(24, 4096))
    for command, ours in (
        ("pred-lat-event-agg-log", spec.PredictableLatencyEventsLog(answers.logs[0x0B])),
        ("endurance-event-agg-log", spec.EnduranceGroupEventsLog(answers.logs[0x0F])),
    ):
        theirs = answers.json(command, "-e", "4")
        assert theirs["num_entries_avail"] == ours.ne
        assert [one["entry"] for one in theirs["list_of_entries"]] == list(ours.entry)
    (listed,) = (one for one in answers.json("changed-ns-list-log").values() if isinstance(one, dict))
    nsids = [int(one, 0) for one in listed.values()]
    assert nsids == list(spec.NamespaceList(answers.logs[0x04]).nsid) and len(nsids) == 1024


def test_descriptors_of_a_namespace_and_domains(answers: Answers) -> None:
    data = b""
    for nidt, size in ((1, 8), (2, 16), (3, 16), (4, 1)):
        data += bytes([nidt, size, 0, 0]) + made(25 + nidt, size)
    answers.identify[3] = data.ljust(4096, b"\0")
    theirs = answers.json("ns-descs", "-n", "1")["ns-descs"]
    ours = spec.NamespaceIdList(answers.identify[3]).descriptors
    assert [(one["nidt"], one["nidl"]) for one in theirs] == [(int(one.nidt), one.nidl) for one in ours]
    kinds = [one.get("type") or one["Type"] for one in theirs]
    shown = [one[kind].replace("-", "").removeprefix("0x") for one, kind in zip(theirs, kinds)]
    assert shown == [bytes(one.nid).hex() for one in ours] and len(shown) == 4
    answers.identify[0x18] = bytes(made(30, 4096, (0, 1, 5)))
    text = answers.run("id-domain", "-o", "json").stdout
    found = re.findall(r'(?:_cap|"dom_id)":"?(\d+)', text)
    domains = spec.DomainList(answers.identify[0x18]).entry
    assert [int(one) for one in found] == [one for domain in domains for one in domain.to_dict().values()]
    assert len(domains) == 5


def test_combinations_of_command_sets_and_media_units(answers: Answers) -> None:
    answers.identify[0x1C] = bytes(made(31, 4096))
    text = answers.run("id-iocs").stdout
    shown = [int(number, 16) for number in re.findall(r"\]:([\da-f]+)", text)]
    assert shown == [int(one) for one in spec.CommandSetVectors(answers.identify[0x1C]).iocsc]
    answers.logs[0x10] = bytes(made(32, 16, (0, 2, 0)))
    theirs, ours = answers.json("media-unit-stat-log", "-d", "1"), spec.MediaUnitStatusLog(answers.logs[0x10])
    # nvme-cli 2.3 reads 16 bytes, and shows units that it has not read.
    assert (theirs["nmu"], theirs["cchans"], theirs["sel_config"]) == (ours.nmu, ours.cchans, ours.scc)


def test_rpmb(answers: Answers) -> None:
    answers.identify[1] = bytes(made(34, 4096))
    text = answers.run("rpmb", "-c", "info").stdout
    rpmbs = spec.IdentifyController(answers.identify[1]).rpmbs
    shown = {name: int(number, 0) for number, name in re.findall(r": (0x\w+)\t(.*)", text)}
    assert [shown[name] for name in ("Access Size", "Total Size", "Authentication Method")] == [
        rpmbs.asz, rpmbs.tsz, rpmbs.auth
    ]  # fmt: skip
    assert shown["Number of RPMB Units"] == rpmbs.nrpmbu


# The persistent event log

EVENTS: dict[int, tuple[Any, int, dict[str, str]]] = {
    2: (spec.FirmwareCommitEvent, 22, {
        "fw_commit_action": "fca", "fw_slot": "fs", "sct_fw": "sct", "sc_fw": "sc",
        "vu_assign_fw_commit_rc": "vafcrc",
    }),
    3: (spec.TimestampChangeEvent, 16, {"prev_ts": "pts", "ml_secs_since_reset": "msr"}),
    6: (spec.ChangeNamespaceEvent, 48, {
        "nsmgt_cdw10": "nsmcdw10", "ana_grp_id": "anagrpid", "nvmset_id": "nvmsetid",
    }),
    7: (spec.FormatStartEvent, 12, {"format_nvm_cdw10": "fnvmcdw10"}),
    8: (spec.FormatCompletionEvent, 12, {
        "smallest_fpi": "sfpi", "format_nvm_status": "fnvms", "compln_info": "cinf", "status_field": "status",
    }),
    9: (spec.SanitizeStartEvent, 12, {"SANICAP": "sanicap", "sani_cdw10": "scdw10", "sani_cdw11": "scdw11"}),
    10: (spec.SanitizeCompletionEvent, 8, {
        "sani_prog": "sprog", "sani_status": "sstat", "cmpln_info": "cinf",
    }),
    13: (spec.ThermalExcursionEvent, 2, {"over_temp": "ovt", "threshold": "thld"}),
}  # fmt: skip
"""Structure, bytes, and our names by nvme-cli's, of events by their type."""

EVENT = {
    "event_type_rev": "etr", "event_header_len": "ehl", "event_header_additional_info": "ehai",
    "ctrl_id": "cntlid", "event_time_stamp": "ets", "port_id": "pelpid", "vu_info_len": "vsil",
    "event_len": "el",
}  # fmt: skip
HEADER = {
    "log_id": "lid", "total_num_of_events": "tnev", "total_log_len": "tll", "log_revision": "lrev",
    "log_header_len": "lhl", "timestamp": "ts", "power_on_hours": "poh", "power_cycle_count": "pcc",
    "pci_vid": "vid", "pci_ssvid": "ssvid", "gen_number": "gnum",
}  # fmt: skip


def persistent_events() -> bytes:
    data = b""
    for kind, (_, size, _) in EVENTS.items():
        stamp = (4 + kind, 8, 0), (20, 2, 0), (22, 2, size)  # no vendor's bytes
        data += made(40 + kind, 24, (0, 1, kind), (2, 1, 21), *stamp[1:]) + made(60 + kind, size)
    count = len(EVENTS) + 1  # nvme-cli 2.3 leaves the last one out
    data += made(39, 24, (0, 1, 3), (2, 1, 21), (20, 2, 0), (22, 2, 16)) + bytes(16)
    head = made(
        38, 512, (0, 1, 0x0D), (4, 4, count), (8, 8, 512 + len(data)), (18, 2, 492), (480, 16, 0x27FE)
    )
    head[56:372] = printable(37, 315) + b"\0"
    return bytes(head) + data


def test_persistent_events(answers: Answers) -> None:
    answers.logs[0x0D] = persistent_events()
    theirs, ours = (
        answers.json("persistent-event-log", "-a", "0"),
        spec.PersistentEventLog(answers.logs[0x0D]),
    )
    theirs.pop("rci")  # one of NVMe 2.0, which they show in other units
    assert differences(theirs, all_numbers(ours), HEADER) == {}
    assert [theirs[name] for name in ("sn", "mn", "subnqn")] == [ours.sn, ours.mn, ours.subnqn]
    listed = theirs["list_of_event_entries"]
    assert len(listed) == len(EVENTS)
    for shown, event in zip(listed, ours.events):
        kind, _, names = EVENTS[int(event.et)]
        number = int(re.search(r"\((0x\w+)\)", shown.pop("event_type"))[1], 0)  # type: ignore[index]
        shown.pop("event_number")
        assert number == int(event.et)
        both = {**all_numbers(event), **all_numbers(kind(event.data))}
        assert differences(shown, both, {**EVENT, **names}) == {}, event.et


# OCP

OCP_SMART = {
    "Bad user nand blocks - Raw": "bad_user_blocks_raw",
    "Bad user nand blocks - Normalized": "bad_user_blocks_normalised",
    "Bad system nand blocks - Raw": "bad_system_blocks_raw",
    "Bad system nand blocks - Normalized": "bad_system_blocks_normalised",
    "XOR recovery count": "xor_recoveries",
    "Uncorrectable read error count": "uncorrectable_reads",
    "Soft ecc error count": "soft_ecc_errors",
    "System data percent used": "system_data_used",
    "Refresh counts": "refresh_count",
    "Max User data erase counts": "max_erase_count",
    "Min User data erase counts": "min_erase_count",
    "Number of Thermal throttling events": "throttling_events",
    "Current throttling status": "throttling_status",
    "PCIe correctable error count": "pcie_correctable_errors",
    "Incomplete shutdowns": "incomplete_shutdowns",
    "Percent free blocks": "free_blocks",
    "Capacitor health": "capacitor_health",
    "Unaligned I/O": "unaligned_io",
    "Security Version Number": "security_version",
    "NUSE - Namespace utilization": "total_nuse",
    "PLP start count": "plp_starts",
    "Endurance estimate": "endurance_estimate",
    "Log page version": "version",
    "Errata Version Field": "dssd_errata",
    "Point Version Field": "dssd_point",
    "Minor Version Field": "dssd_minor",
    "Major Version Field": "dssd_major",
    "NVMe Base Errata Version": "errata_base",
    "Power State Change Count": "power_state_changes",
}
"""Our names, by those of nvme-cli 2.16."""


def test_ocp_smart(answers: Answers) -> None:
    guid = 0xAFD514C97C6F4F9CA4F2BFEA2810AFC5
    small = (99, 2, 110), (101, 2, 219), (192, 8, 0x12345678)  # they show fewer bytes of these
    data = answers.logs[0xC0] = bytes(made(70, 512, (494, 2, 3), (496, 16, guid), *small))
    theirs, ours = answers.json("ocp smart-add-log"), spec.OcpSmartLog(data)
    if "NVMe Errata Version" in theirs:  # nvme-cli 2.3, which does not know the log page's version 3
        theirs["NVMe Base Errata Version"] = theirs.pop("NVMe Errata Version")
        theirs["Power State Change Count"] = ours.power_state_changes
    for name, field in (("written", "media_units_written"), ("read", "media_units_read")):
        shown = theirs.pop(f"Physical media units {name}")
        assert shown["hi"] << 64 | shown["lo"] == getattr(ours, field)
    assert int(theirs.pop("Log page GUID"), 16) == ours.guid == guid
    assert theirs.pop("PCIe Link Retraining Count") == ours.link_retrains
    # Before 2.11 or so, nvme-cli has these two the other way round.
    names = ("End to end corrected errors", "End to end detected errors")
    assert {value(theirs.pop(name)) for name in names} == {ours.e2e_corrected, ours.e2e_detected}
    assert set(theirs) == set(OCP_SMART) and differences(theirs, all_numbers(ours), OCP_SMART) == {}


def test_ocp_latency_monitor(answers: Answers) -> None:
    guid = 0x85D45E58D4E643709C6C84D08CC07A92
    data = answers.logs[0xC3] = bytes(made(71, 512, (494, 2, 1), (496, 16, guid)))
    theirs, ours = answers.json("ocp latency-monitor-log"), spec.OcpLatencyLog(data)
    assert theirs["Feature Status"] == int(ours.feature_status)
    assert theirs["Active Bucket Timer"] == 5 * ours.bucket_timer
    assert theirs["Active Bucket Timer Threshold"] == 5 * ours.bucket_timer_threshold
    for letter in "ABCD":
        threshold = getattr(ours, f"threshold_{letter.lower()}")
        assert theirs[f"Active Threshold {letter}"] == 5 * (threshold + 1)
    assert theirs["Active Latency Stamp Units"] == ours.active_stamp_units
    assert theirs["Static Latency Stamp Units"] == ours.static_stamp_units
    assert theirs["Debug Log Trigger Enable"] == ours.debug_trigger
    # Before 2.8 or so, nvme-cli has the buckets of latencies and the kinds of commands of counters in another
    # order, with a reserved word first.
    for kind in ("Active", "Static"):
        for bucket, counted in enumerate(getattr(ours, f"{kind.lower()}_counters")):
            shown = theirs[f"{kind} Bucket Counter: Bucket {bucket}"].values()
            assert {counted.trim, counted.write} <= set(map(value, shown))
        measured = [set(one.to_dict().values()) for one in getattr(ours, f"{kind.lower()}_latency")]
        latencies = [set(theirs[f"{kind} Measured Latency: Bucket {bucket}"].values()) for bucket in range(4)]
        assert latencies in (measured, measured[::-1])


def knows(command: str) -> bool:
    """Whether this nvme-cli has a command of OCP: 2.3 lacks those of the newer log pages."""
    assert nvme_cli.PROGRAM
    listed = subprocess.run([nvme_cli.PROGRAM, "ocp", "help"], capture_output=True, text=True)
    return command in listed.stdout + listed.stderr


@pytest.mark.parametrize("version", [1, 2])
def test_ocp_hardware_components(answers: Answers, version: int) -> None:
    if not knows("hardware-component-log"):
        pytest.skip("this nvme-cli does not decode log page C6h")
    rng = random.Random(72)
    parts = b""
    for number, lot, more in ((1, 2, 0), (2, 0, 3), (9, 1, 5), (0x8000, 0, 0)):
        parts += struct.pack("<QQI", lot, more, number) + printable(number, 24)
        parts += rng.randbytes(4 * (lot + more))
    size = (64 + len(parts)) // (4 if version == 1 else 1)
    data = answers.logs[0xC6] = struct.pack("<H30xQ24x", version, size) + parts
    theirs, ours = answers.json("ocp hardware-component-log"), spec.OcpHardwareLog(data)
    assert int(theirs["Log Page Version"], 0) == ours.version
    shown = [one[0] for part in theirs["Component Descriptions"] for one in part.values()]
    assert len(shown) == len(ours.components) == 4
    for one, part in zip(shown, ours.components):
        assert int(one["Identifier"], 0) == part.id
        assert int(one["Date/Lot Size"], 0) == 4 * part.date_lot_size
        assert int(one["Additional Information Size"], 0) == 4 * part.additional_size
        raw = bytes(part)
        for name, at in (("Manufacture", 20), ("Revision", 28), ("Manufacture Code", 36)):
            assert int(one[name], 0) == int.from_bytes(raw[at : at + 8], "little")


def test_ocp_telemetry_strings(answers: Answers, tmp_path: Path) -> None:
    if not knows("telemetry-string-log"):
        pytest.skip("this nvme-cli does not decode log page C9h")
    statistics = struct.pack("<HBBQI", 0x8001, 0, 4, 0, 0) + struct.pack("<HBBQI", 0x9002, 0, 3, 4, 0)
    events, vendors = struct.pack("<BHBQI", 3, 0x200, 5, 7, 0), struct.pack("<BHBQI", 0x80, 0x300, 4, 12, 0)
    text = b"heatfanresetpump"
    places = [108, 8, 116, 4, 120, 4, 124, 4]
    guid = uuid.UUID(int=0xB13A83691A8F408B9EA495940057AA44).bytes[::-1]
    head = struct.pack("<B15x16sQ24x8Q", 1, guid, 128, *places)
    names = b"".join(f"FIFO number {number:4}".encode() for number in range(16))
    data = answers.logs[0xC9] = head + names + bytes(48) + statistics + events + vendors + text
    theirs = answers.json("ocp telemetry-string-log", "-f", str(tmp_path / "strings"))
    ours = spec.OcpTelemetryStringsLog(data)
    strings = ocp_strings.decode(ours)
    assert theirs["ASCII Table"].startswith(text.decode())
    assert [theirs[f"FIFO {number} ASCII String"] for number in range(1, 17)] == list(strings.fifos.values())
    table = theirs["Statistics Identifier String Table"].values()
    assert [one["Vendor Specific Statistic Identifier"] for one in table] == list(strings.statistics)
    table = theirs["Event Identifier String Table Entry"].values()
    assert [(one["Debug Event Class"], one["Event Identifier"]) for one in table] == list(strings.events)
    table = theirs["VU Event Identifier String Table Entry"].values()
    assert [(one["Debug Event Class"], one["VU Event Identifier"]) for one in table] == list(
        strings.vendor_events
    )
    assert strings[:3] == ({0x8001: "heat", 0x9002: "fan"}, {(3, 0x200): "reset"}, {(0x80, 0x300): "pump"})
