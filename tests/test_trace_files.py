# SPDX-License-Identifier: BSD-3-Clause
"""Command logs as files for others: tshark reads a capture as NVMe, and a trace for Perfetto is in order.

The log has commands of all opcodes, with random fields and data, beside those whose decoding is compared.
"""

from __future__ import annotations

import json
import random
import shutil
import struct
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import pynvme
from pynvme import spec, trace
from pynvme.structure import Kelvin
from pynvme.trace import Command, CommandLog, Fault, pcapng
from pynvme.trace.command import MISMATCH, NEVER, RECORD, TIMED_OUT

TSHARK = shutil.which("tshark")
needs_tshark = pytest.mark.skipif(
    TSHARK is None, reason="needs tshark: `make test` installs it where the distribution has it"
)
START_NS = 1_795_968_825_059_189_203
GET_LOG_PAGE, IDENTIFY, READ, WRITE = 0x02, 0x06, 0x02, 0x01


class Made:
    """Makes commands one after the other, with their numbers, CIDs and times."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.now = START_NS
        self.numbers: Counter[int] = Counter()
        self.commands: list[Command] = []

    def add(
        self,
        qid: int,
        opcode: int,
        nsid: int = 1,
        dwords: tuple[int, ...] = (),
        status: int = 0,
        latency: int | None = 1000,
        data: bytes | None = None,
        told: int = 0,
        faults: tuple[Fault, ...] = (),
    ) -> None:
        self.numbers[qid] += 1
        number = self.numbers[qid]
        self.now += self.random.randrange(1, 100_000)
        cid = number % 4000
        rest = (*dwords, *[0] * (6 - len(dwords)))
        sqe = struct.pack("<BBHI8xQQQ6I", opcode, 0, cid, nsid, 0, 0x1000, 0x2000, *rest)
        cqe = struct.pack("<IIHHHH", number, 0, number % 64, qid, cid, status << 1 | 1)
        end = NEVER if latency is None else latency
        record = RECORD.pack(sqe, cqe, self.now, end, number, 0, 0, qid, told, 0)
        self.commands.append(Command(record, faults, data))

    def any(self, qid: int, opcode: int) -> None:
        dwords = tuple(self.random.getrandbits(self.random.choice((1, 8, 32))) for _ in range(6))
        data = (
            self.random.randbytes(self.random.choice((4, 512, 4096))) if self.random.random() < 0.7 else None
        )
        status = self.random.choice((0, 0, 0x002, 0x281, 0x4080, self.random.getrandbits(15)))
        self.add(qid, opcode, self.random.getrandbits(32), dwords, status, self.random.getrandbits(34), data)


def identify_data() -> bytes:
    view = spec.IdentifyController()
    view.sn, view.mn, view.vid = "SERIAL", "a model", 0x1234
    return bytes(view)


def smart_data(kelvin: int) -> bytes:
    view = spec.SmartLog()
    view.ctemp = Kelvin(kelvin)
    return bytes(view)


def known(made: Made) -> None:
    """The commands whose decoding the tests compare."""
    made.add(0, IDENTIFY, 0, (1,), data=identify_data(), latency=12_345)
    made.add(0, GET_LOG_PAGE, 0xFFFFFFFF, (0x7F0002,), data=smart_data(313), latency=7)
    made.add(1, WRITE, 1, (0x1234, 5, 7), data=bytes(range(256)) * 16, latency=1_234_567_891)
    made.add(1, READ, 1, (0x1234, 5, 255), data=b"r" * 131072, latency=1)
    made.add(1, READ, 1, (9,), status=0x4281)
    made.add(1, READ, 1, (10,), told=MISMATCH)
    made.add(1, READ, 1, (11,), latency=None, told=TIMED_OUT)
    fault = Fault(made.now + 5000, "rule 1 (command): opcode=read lba=12 do status=02/81")
    made.add(1, READ, 1, (12,), status=0x281, faults=(fault,))
    made.add(0, GET_LOG_PAGE, 0xFFFFFFFF, (0x7F0002,), data=smart_data(320))
    for opcode, cdw10 in ((0x09, 0x80000001), (0x0A, 0x01), (0x0A, 0x301)):  # the feature Arbitration
        made.add(0, opcode, 0, (cdw10, 0x01020305))
    for lid, least in pcapng.LEAST_OF_LOG.items():
        for size in (4, least // 2, least):
            made.add(0, GET_LOG_PAGE, 0xFFFFFFFF, ((size // 4 - 1) << 16 | lid,), data=bytes(size))


@pytest.fixture(scope="module")
def log() -> CommandLog:
    made = Made(7)
    known(made)
    for opcode in range(256):
        made.any(0, opcode)
        made.any(2, opcode)
    for _ in range(300):  # as a worker does: a completion and the next submission have one time
        made.add(3, READ, 1, (made.random.getrandbits(20), 0, 7), latency=made.random.randrange(0, 3000))
    return CommandLog(made.commands, "/tmp/drive")


FIELDS = (
    "frame.time_epoch",
    "tcp.srcport",
    "tcp.dstport",
    "nvme.cmd_latency",
    "nvme.cqe.status.sc",
    "frame.comment",
    "_ws.col.Info",
    "_ws.malformed",
    "tcp.analysis.flags",
    "tcp.checksum.status",
    "ip.checksum.status",
    "nvme.cmd.identify.ctrl.sn",
    "nvme.cmd.identify.ctrl.mn",
    "nvme.cmd.get_logpage.smart.ct",
    "nvme.cmd.opc",
    "nvme.cmd.slba",
)
GOOD = "1"
"""The status of a checksum, for tshark."""


@pytest.fixture(scope="module")
def capture(log: CommandLog, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("capture") / "log.pcapng"
    log.save(file)
    return file


@pytest.fixture(scope="module")
def packets(capture: Path) -> list[dict[str, str]]:
    """All packets with the values of the fields, by one run of tshark, which takes a second to start."""
    assert TSHARK
    line = [TSHARK, "-r", str(capture), "-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE"]
    line += ["-T", "fields", *(word for field in FIELDS for word in ("-e", field))]
    done = subprocess.run(line, check=True, capture_output=True, text=True, timeout=120)
    return [dict(zip(FIELDS, row.split("\t"))) for row in done.stdout.splitlines()]


def of_queue(packets: list[dict[str, str]], qid: int) -> list[dict[str, str]]:
    port = str(pcapng.HOST_PORT + qid)
    return [packet for packet in packets if port in (packet["tcp.srcport"], packet["tcp.dstport"])]


def to_drive(packet: dict[str, str]) -> bool:
    return packet["tcp.dstport"] == str(pcapng.TARGET_PORT)


@needs_tshark
def test_nothing_of_the_capture_is_malformed(packets: list[dict[str, str]]) -> None:
    assert len(packets) > 1600
    for packet in packets:
        assert packet["tcp.analysis.flags"] == "", packet
        assert packet["_ws.malformed"] == "", packet
        assert packet["tcp.checksum.status"] == packet["ip.checksum.status"] == GOOD


@needs_tshark
def test_every_latency_and_time_is_exact_to_a_nanosecond(
    log: CommandLog, packets: list[dict[str, str]]
) -> None:
    shown = [round(float(p["nvme.cmd_latency"]) * 1e6) for p in packets if p["nvme.cmd_latency"]]
    # The dissector shows no latency of Fabrics commands (7Fh).
    wanted = [c.latency_ns for c in log if c.latency_ns is not None and c.opcode != pcapng.FABRICS]
    assert len(shown) == len(wanted) > 800
    assert max(abs(a - b) for a, b in zip(sorted(shown), sorted(wanted))) <= 1
    for qid in (0, 1, 2, 3):
        sent = [c.submitted_ns for c in log.filter(qid=qid)]
        times = [int(p["frame.time_epoch"].replace(".", "")) for p in of_queue(packets, qid) if to_drive(p)]
        assert sorted(set(times))[-len(sent) :] == sent
    everything = [int(packet["frame.time_epoch"].replace(".", "")) for packet in packets]
    assert everything == sorted(everything)


@needs_tshark
def test_commands_and_statuses_have_their_names(packets: list[dict[str, str]]) -> None:
    texts = Counter(packet["_ws.col.Info"] for packet in packets)
    assert texts["NVMe Identify Controller"] >= 1 and texts["NVMe CQE for Identify Controller"] >= 1
    assert texts["NVMe Get Log Page SMART/Health Information"] >= 2
    assert texts["NVMe Write"] >= 1 and texts["NVMe CQE for Read"] >= 300
    codes = [packet["nvme.cqe.status.sc"] for packet in of_queue(packets, 1)]
    assert codes.count("0x0081") == 2  # a mismatch is the driver's status, and not the drive's


@needs_tshark
def test_warnings_and_faults_are_comments(log: CommandLog, packets: list[dict[str, str]]) -> None:
    (faulty,) = log.filter(lambda c: bool(c.faults))
    after = faulty.faults[0].time_ns - faulty.submitted_ns
    assert [packet["frame.comment"] for packet in of_queue(packets, 1) if packet["frame.comment"]] == [
        "ERROR status: 02/81 Unrecovered Read Error",
        "ERROR status: 07/81 Data Verification Failed",
        "drive timeout: qpair: 1, cid: 5",
        f"fault fired {after} ns after the submission: {faulty.faults[0].text}",
        "ERROR status: 02/81 Unrecovered Read Error",
    ]


@needs_tshark
def test_arbitration_is_a_comment_since_wireshark_cannot_decode_it(packets: list[dict[str, str]]) -> None:
    comments = [packet["frame.comment"] for packet in of_queue(packets, 0)]
    assert comments.count(pcapng.IS_ARBITRATION) >= 3


@needs_tshark
def test_data_that_are_shorter_than_their_log_page_are_a_comment(packets: list[dict[str, str]]) -> None:
    found = [p["frame.comment"] for p in of_queue(packets, 0) if "shorter than" in p["frame.comment"]]
    assert "its data are shorter than their structure: 00000000" in found
    assert len(found) >= 2 * len(pcapng.LEAST_OF_LOG)


@needs_tshark
def test_data_are_decoded(packets: list[dict[str, str]]) -> None:
    found = [(p["nvme.cmd.identify.ctrl.sn"], p["nvme.cmd.identify.ctrl.mn"]) for p in packets]
    assert ("SERIAL".ljust(20), "a model".ljust(40)) in found
    heat = [p["nvme.cmd.get_logpage.smart.ct"] for p in packets]
    assert [one for one in heat if one][0:2] == ["313", "320"]
    reads = [p for p in of_queue(packets, 1) if p["nvme.cmd.opc"] in ("2", "0x02")]
    assert int(reads[0]["nvme.cmd.slba"], 0) == 0x1234 | 5 << 32


def test_a_capture_gives_the_commands_back(log: CommandLog, capture: Path) -> None:
    again = trace.load(capture)
    wanted = log.filter(lambda c: c.opcode != pcapng.FABRICS)
    assert len(again) == len(wanted)
    for one, other in zip(sorted(again, key=order), sorted(wanted, key=order)):
        assert (one.qid, one.cid, one.opcode, one.nsid) == (other.qid, other.cid, other.opcode, other.nsid)
        assert (one.submitted_ns, one.latency_ns, one.fields) == (
            other.submitted_ns,
            other.latency_ns,
            other.fields,
        )
        if (
            pcapng.shown_data(other)
            and other.opcode & 3 in (1, 2)
            and (one.completed or other.opcode & 3 == 1)
        ):
            assert one.data == other.data
        if other.completed:
            assert one.cdw0 == other.cdw0
    damaged = capture.with_name("damaged.pcapng")
    for keep in (10, 200, 5001):
        damaged.write_bytes(capture.read_bytes()[:keep])
        with pytest.raises(ValueError, match="is no trace of pynvme, or is damaged"):
            trace.load(damaged)


def order(command: Command) -> tuple[int, int, int]:
    return command.submitted_ns, command.qid, command.cid


def test_an_empty_log_is_a_capture_without_packets(tmp_path: Path) -> None:
    CommandLog().save(tmp_path / "a.pcapng")
    assert trace.load(tmp_path / "a.pcapng") == CommandLog()
    CommandLog().save(tmp_path / "a.json")
    assert len(json.loads((tmp_path / "a.json").read_text())["traceEvents"]) == 1


# ---- Perfetto ----


@pytest.fixture(scope="module")
def events(log: CommandLog, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    file = tmp_path_factory.mktemp("perfetto") / "log.json"
    log.save(file)
    loaded = json.loads(file.read_text())
    schema = Path(pynvme.__file__).parent / "schemas" / "trace-events.json"
    jsonschema.Draft202012Validator(json.loads(schema.read_text())).validate(loaded)
    assert loaded["displayTimeUnit"] == "ns" and loaded["otherData"]["start_ns"] == str(log[0].submitted_ns)
    found: list[dict[str, Any]] = loaded["traceEvents"]
    return found


def test_events_are_in_the_order_of_their_times(events: list[dict[str, Any]]) -> None:
    times = [event.get("ts", -1) for event in events]
    assert times == sorted(times) and times[0] == -1


def test_every_event_has_what_its_phase_needs(events: list[dict[str, Any]]) -> None:
    needed = {
        "M": {"name", "pid", "tid", "args"},
        "X": {"name", "cat", "pid", "tid", "ts", "dur", "args"},
        "i": {"name", "cat", "pid", "tid", "ts", "s"},
        "C": {"name", "pid", "tid", "ts", "args"},
    }
    for event in events:
        assert set(event) - {"cname"} == needed[event["ph"]] | {"ph"}
        assert event.get("ts", 0) >= 0 and event.get("dur", 0) >= 0
        if event["ph"] == "C":
            assert all(isinstance(value, int) for value in event["args"].values())


def test_slices_are_the_commands_and_do_not_overlap(log: CommandLog, events: list[dict[str, Any]]) -> None:
    slices = [event for event in events if event["ph"] == "X"]
    assert len(slices) == len(log)
    tracks: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for event in slices:
        start = round(event["ts"] * 1000)
        tracks.setdefault((event["pid"], event["tid"]), []).append(
            (start, start + round(event["dur"] * 1000))
        )
    for places in tracks.values():
        places.sort()
        assert all(end <= start for (_, end), (start, _) in zip(places, places[1:]))
    exact = Counter((c.submitted_ns - log[0].submitted_ns, c.latency_ns) for c in log if c.completed)
    shown = Counter(
        (round(e["ts"] * 1000), round(e["dur"] * 1000)) for e in slices if e["args"]["latency_ns"] is not None
    )
    assert exact == shown
    (late,) = [event for event in slices if event["name"] == "Read (not completed)"]
    assert late["cname"] == "terrible" and late["args"]["slba"] == 11


def test_counters_are_the_depth_and_the_temperature(log: CommandLog, events: list[dict[str, Any]]) -> None:
    depths: dict[int, list[int]] = {}
    for event in events:
        if event["ph"] == "C" and event["name"] == "in flight":
            depths.setdefault(event["pid"], []).append(event["args"]["commands"])
    assert set(depths) == {1, 2, 3, 4} and min(min(one) for one in depths.values()) >= 0
    assert depths[2][-1] == 1 and depths[4][-1] == 0  # one command of queue 1 never completed
    heat = [event["args"]["celsius"] for event in events if event["name"] == "composite temperature"]
    assert 40 in heat and 47 in heat
    marks = [event["name"] for event in events if event["ph"] == "i" and event["pid"] == 2]
    assert "ERROR status: 07/81 Data Verification Failed" in marks and any(
        mark.startswith("fault: rule 1") for mark in marks
    )
