# SPDX-License-Identifier: BSD-3-Clause
"""The Persistent Event log page (0Dh): its contexts, its header and its events, byte by byte."""

from __future__ import annotations

import os
import struct
import time
from collections.abc import Iterator
from typing import NamedTuple

import pytest
from client import Client, Nvme
from ctrl_helpers import (
    ALL_NAMESPACES,
    FORMAT,
    GET_LOG,
    INVALID_FIELD,
    INVALID_LOG_PAGE,
    OK,
    SANITIZE,
    SEQUENCE_ERROR,
    SET_FEATURES,
    Host,
    Start,
    control,
    firmware_image,
    identify,
    log_page,
    set_feature,
    smart,
)
from mctp import Endpoint, entry
from server import Server

LID = 0x0D
READ_IT, ESTABLISH, RELEASE, HEADER_ONLY = range(4)
HEALTH, COMMIT, TIMESTAMP, POWER_ON = range(1, 5)
NS_CHANGED, FORMAT_START, FORMAT_END, SANITIZE_START, SANITIZE_END = range(6, 11)
FEATURE, THERMAL = 0x0B, 0x0D
AGE, UNCHANGED = 18, 0xFFFFFFFF
OPTIONS = ("--size", "16M", "--persistent-events", "--format-time", "0", "--sanitize-time", "0")


class Event(NamedTuple):
    kind: int
    ctrl: int
    stamp: int
    data: bytes


@pytest.fixture
def host(start: Start) -> Iterator[Host]:
    host = Host(start(*OPTIONS))
    yield host
    host.close()


def act(nvme: Nvme, action: int, length: int = 512, offset: int = 0) -> tuple[int, bytes]:
    """The status of a Get Log Page, and its data."""
    buffer = nvme.memory.alloc(4096)
    nvme.memory.write(buffer, b"\xa5" * 4096)
    cdw10 = (length // 4 - 1) << 16 | action << 8 | LID
    fields = {"nsid": ALL_NAMESPACES, "prp1": buffer, "cdw10": cdw10, "cdw12": offset}
    return nvme.admin.execute(GET_LOG, **fields)[1], nvme.memory.read(buffer, length)


def read_rest(nvme: Nvme, header: bytes) -> list[Event]:
    """The events of the established context, the newest first. Releases it."""
    length = struct.unpack_from("<Q", header, 8)[0]
    data = b""
    while len(data) < length:
        status, piece = act(nvme, READ_IT, min(4096, length - len(data) + 3 & ~3), len(data))
        assert status == OK
        data += piece
    assert act(nvme, RELEASE)[0] == OK
    assert data[:512] == header
    found, at = [], 512
    while at < length:
        kind, revision, rest, extra, ctrl, stamp, port = struct.unpack_from("<BBBBHQH", data, at)
        vendor, size = struct.unpack_from("<HH", data, at + 20)
        assert (revision, rest, extra, port, vendor) == (1, 21, 0, 0, 0) and data[at + 16 : at + 20] == bytes(
            4
        )
        found.append(Event(kind, ctrl, stamp, data[at + 24 : at + 24 + size]))
        at += 24 + size
    assert at == length and len(found) == struct.unpack_from("<I", header, 4)[0]
    return found


def events(nvme: Nvme) -> list[Event]:
    status, header = act(nvme, ESTABLISH)
    assert status == OK
    return read_rest(nvme, header)


def since(nvme: Nvme, before: list[Event]) -> list[Event]:
    """The events that have come since, the oldest first."""
    now = events(nvme)
    assert now[len(now) - len(before) :] == before
    return now[: len(now) - len(before)][::-1]


def test_a_drive_has_it_by_an_option_only(start: Start) -> None:
    for options, there in (((), 0), (("--persistent-events",), 1), (("--profile", "datacenter"), 1)):
        with Client(start("--size", "1M", *options).folder) as client:
            nvme = Nvme(client)
            nvme.enable()
            data = identify(nvme, 1)
            assert (data[261] >> 4 & 1, struct.unpack_from("<I", data, 352)[0]) == (there, there), "LPA, PELS"
            assert act(nvme, ESTABLISH)[0] == (OK if there else INVALID_LOG_PAGE)
            assert struct.unpack("<256I", log_page(nvme, 0, 1024))[LID] & 1 == there
            nvme.close()


def test_golden_bytes_of_the_header(host: Host) -> None:
    status, data = act(host.nvme, ESTABLISH)
    assert status == OK
    ctrl = identify(host.nvme, 1)
    assert data[:4] == b"\x0d\0\0\0" and data[16:20] == bytes([2, 0, 492 & 0xFF, 492 >> 8])
    assert data[28:44] == bytes(16) and struct.unpack_from("<Q", data, 44)[0] == smart(host.nvme, 112)
    assert data[52:56] == ctrl[:4] and data[56:116] == ctrl[4:64] and data[116:372] == ctrl[768:1024]
    assert data[372:374] == b"\1\0" and data[374:480] == bytes(106)
    supported = int.from_bytes(data[480:512], "little")
    assert [kind for kind in range(256) if supported >> kind & 1] == [1, 2, 3, 4, *range(6, 12), 13]
    assert act(host.nvme, RELEASE)[0] == OK


def test_contexts(host: Host) -> None:
    nvme = host.nvme
    assert act(nvme, READ_IT)[0] == SEQUENCE_ERROR, "there is none"
    assert act(nvme, RELEASE) == (OK, b"\xa5" * 512), "it transfers nothing"
    status, first = act(nvme, ESTABLISH)
    assert status == OK and act(nvme, ESTABLISH)[0] == SEQUENCE_ERROR
    assert nvme.admin.execute(FORMAT, nsid=1)[1] == OK
    status, header = act(nvme, HEADER_ONLY)
    assert status == OK and header[374:378] == b"\0\0\4\0", "the context existed"
    assert header[:374] == first[:374]
    assert len(read_rest(nvme, first)) == struct.unpack_from("<I", first, 4)[0], "no new events"
    status, header = act(nvme, HEADER_ONLY)
    assert status == OK and header[374:378] == bytes(4), "it is a new one"
    assert struct.unpack_from("<I", header, 4)[0] == struct.unpack_from("<I", first, 4)[0] + 2
    nvme.disable()
    nvme.enable()
    assert act(nvme, READ_IT)[0] == SEQUENCE_ERROR, "a reset has released it"
    assert act(nvme, ESTABLISH, offset=65540)[0] == INVALID_FIELD


def test_power_and_resets(host: Host) -> None:
    first = events(host.nvme)[::-1]
    assert [event.kind for event in first[:2]] == [POWER_ON, HEALTH]
    assert first[0].data == b"1.0     ", "no controller was there when the drive was switched on"
    assert len(first[1].data) == 512 and struct.unpack_from("<H", first[1].data, 1)[0] > 273
    before = events(host.nvme)
    host.nvme.disable()
    host.nvme.enable()
    (event,) = since(host.nvme, before)
    assert event.kind == POWER_ON and event.data[:12] == b"1.0     \1\0\0\0" and len(event.data) == 44
    cycles = smart(host.nvme, 112)
    assert struct.unpack_from("<I", event.data, 24) == (cycles,)
    before = events(host.nvme)
    host.power_cycle()
    kinds = [event.kind for event in since(host.nvme, before)]
    assert kinds[:2] == [POWER_ON, HEALTH] and set(kinds[2:]) <= {POWER_ON}


def test_format_and_sanitize(host: Host) -> None:
    before = events(host.nvme)
    word = 1 | 2 << 9  # LBAF 1, SES 2
    assert host.nvme.admin.execute(FORMAT, nsid=1, cdw10=word)[1] == OK
    assert host.nvme.admin.execute(FORMAT, nsid=1, cdw10=0x2F)[1] != OK
    assert host.nvme.admin.execute(SANITIZE, cdw10=3 | 1 << 4, cdw11=0x12345678)[1] == OK
    while log_page(host.nvme, 0x81)[2] & 7 == 2:
        time.sleep(0.001)
    found = since(host.nvme, before)
    assert [event.kind for event in found] == [FORMAT_START, FORMAT_END, SANITIZE_START, SANITIZE_END]
    assert {event.ctrl for event in found} == {1}
    assert found[0].data == struct.pack("<IB3xI", 1, identify(host.nvme, 1)[524], word)
    assert found[1].data[:4] == b"\1\0\0\0" and found[1].data[5:] == bytes(7)
    assert found[2].data == identify(host.nvme, 1)[328:332] + struct.pack("<II", 3 | 1 << 4, 0x12345678)
    assert found[3].data[:2] == b"\xff\xff" and found[3].data[2] & 7 == 1


def test_firmware_timestamp_and_saved_features(host: Host) -> None:
    nvme = host.nvme
    buffer = nvme.memory.alloc(8192)
    before = events(nvme)
    nvme.memory.write(buffer, firmware_image("2.0"))
    assert nvme.admin.execute(0x11, prp1=buffer, prp2=buffer + 4096, cdw10=2047)[1] == OK
    assert nvme.admin.execute(0x10, cdw10=1 << 3 | 2)[1] == OK
    assert nvme.admin.execute(0x10, cdw10=3 << 3 | 3)[1] == 0x107, "there is no image"
    nvme.memory.write(buffer, struct.pack("<Q", 1_700_000_000_000))
    assert nvme.admin.execute(SET_FEATURES, cdw10=0x0E, prp1=buffer)[1] == OK
    assert set_feature(nvme, 1, 7) == OK
    assert set_feature(nvme, 1, 0x01020307, save=True) == OK
    good, bad, clock, feature = since(nvme, before)
    assert [one.kind for one in (good, bad, clock, feature)] == [COMMIT, COMMIT, TIMESTAMP, FEATURE]
    assert good.data == b"1.0     2.0     \1\2\0\0\0\0" and bad.data[16:20] == b"\3\3\1\7"
    assert struct.unpack_from("<Q", clock.data)[0] & (1 << 48) - 1 < 3_600_000, (
        "since the power-up, till then"
    )
    assert feature.stamp & (1 << 48) - 1 >= 1_700_000_000_000 and feature.stamp >> 49 == 1
    words = struct.unpack_from("<8I", feature.data)
    assert words[0] == 6 | 8 and words[1:3] == (1 << 31 | 1, 0x01020307) and len(feature.data) == 32


def test_the_controller_of_a_command(start: Start) -> None:
    server = start(*OPTIONS, "--controllers", "2")
    with Client(os.path.join(server.folder, "2")) as client:
        nvme = Nvme(client)
        nvme.enable()
        before = events(nvme)
        assert nvme.admin.execute(FORMAT, nsid=1)[1] == OK
        assert nvme.admin.execute(SANITIZE, cdw10=2)[1] == OK
        while log_page(nvme, 0x81)[2] & 7 == 2:
            time.sleep(0.001)
        found = [(event.kind, event.ctrl) for event in since(nvme, before)]
        assert found[:3] == [(FORMAT_START, 2), (FORMAT_END, 2), (SANITIZE_START, 2)]
        nvme.close()


def test_namespaces(start: Start) -> None:
    host = Host(start(*OPTIONS, "--namespace-management", "--protection"))
    before = events(host.nvme)
    assert host.nvme.admin.execute(0x0D, nsid=1, cdw10=1)[1] == OK
    buffer = host.nvme.memory.alloc(4096)
    shape = struct.pack("<QQ10xB2xB", 2048, 2048, 0x12, 1)  # 512 + 8 bytes, extended, type 1
    host.nvme.memory.write(buffer, shape.ljust(4096, b"\0"))
    nsid, status = host.nvme.admin.execute(0x0D, prp1=buffer, cdw10=0)
    assert (nsid, status) == (1, OK)
    deleted, created = since(host.nvme, before)
    assert deleted.kind == created.kind == NS_CHANGED
    assert struct.unpack_from("<I4xQ8xQ", deleted.data) == (1, 32768, 32768)
    assert struct.unpack_from("<I4xQ8xQBBB", created.data) == (0, 2048, 2048, 0x12, 1, 0)
    assert deleted.data[44:] == created.data[44:] == b"\1\0\0\0"
    host.close()


def test_temperatures(host: Host) -> None:
    before = events(host.nvme)

    def ambient(kelvin: int) -> None:
        values = (UNCHANGED, UNCHANGED, UNCHANGED, UNCHANGED, kelvin, UNCHANGED)
        control(host.server, AGE, data=struct.pack("<Q6I", 0, *values))

    for kelvin in (345, 345, 360, 300):
        ambient(kelvin)
    found = [event for event in since(host.nvme, before) if event.kind == THERMAL]
    assert [event.data[1] for event in found] == [1, 2, 0]
    assert 2 <= found[0].data[0] <= 6 and 7 <= found[1].data[0] <= 12 and found[2].data[0] == 0


def test_the_events_outlive_the_process_and_the_oldest_make_room(folder: str) -> None:
    path = os.path.join(folder, "drive")
    last: list[Event] = []
    for life in range(2):
        server = Server(os.path.join(folder, str(life)), *OPTIONS, "--file", path)
        assert server.word == "ready"
        host = Host(server)
        now = events(host.nvme)
        assert now[len(now) - len(last) :] == last
        for value in range(1600 * life):
            set_feature(host.nvme, 1, value << 8 | 7, save=True)
        last = events(host.nvme)
        host.close()
        server.check_end()
        server.log.close()
    assert sum(24 + len(event.data) for event in last) > 60_000
    values = [struct.unpack_from("<I", event.data, 8)[0] >> 8 for event in last if event.kind == FEATURE]
    assert values == list(range(1599, 1599 - len(values), -1)) and len(values) > 1000


def test_an_event_names_the_controller_that_did_it(start: Start) -> None:
    """Format, namespaces and sanitize, by controller 2, in band and out of band."""
    server = start(*OPTIONS, "--controllers", "2", "--namespace-management", "--mi")
    client = Client(os.path.join(server.folder, "2", "cntrl"))
    second = Nvme(client)
    second.enable()
    host, endpoint = Host(server), Endpoint(server.folder)
    blocks = struct.pack("<QQ", 64, 64).ljust(4096, b"\0")
    buffer = second.memory.alloc(4096)
    second.memory.write(buffer, blocks)

    def by(kind: int) -> list[int]:
        return [event.ctrl for event in events(host.nvme) if event.kind == kind]

    assert second.admin.execute(FORMAT, nsid=1)[1] == OK
    assert by(FORMAT_START) == by(FORMAT_END) == [2]
    endpoint.erase(entry(FORMAT, nsid=1, ctrl=2))
    assert host.nvme.admin.execute(FORMAT, nsid=1)[1] == OK
    assert by(FORMAT_START) == by(FORMAT_END) == [1, 2, 2], "the newest first"
    assert second.admin.execute(0x0D, nsid=1, cdw10=1)[1] == OK
    assert second.admin.execute(0x0D, prp1=buffer) == (1, OK)
    assert endpoint.execute(entry(0x0D, 1, nsid=1, ctrl=2))[1] == OK
    assert endpoint.execute(entry(0x0D, 0, dlen=4096) + blocks) == (1, OK, b"")
    assert by(NS_CHANGED) == [1, 2, 2, 2]
    assert second.admin.execute(SANITIZE, cdw10=2)[1] == OK
    while log_page(host.nvme, 0x81)[2] & 7 == 2:
        time.sleep(0.001)
    assert by(SANITIZE_START) == by(SANITIZE_END) == [2]
    endpoint.close()
    second.close()
    client.close()
    host.close()
