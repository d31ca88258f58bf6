# SPDX-License-Identifier: BSD-3-Clause
"""Host Metadata (features 7Dh, 7Eh and 7Fh), byte by byte."""

from __future__ import annotations

import struct
from collections.abc import Iterator

import pytest
from client import Client, Nvme
from ctrl_helpers import (
    ALL_NAMESPACES,
    INVALID_FIELD,
    INVALID_NAMESPACE,
    NOT_SAVEABLE,
    OK,
    Host,
    Start,
    get_feature,
)

ENHANCED, CTRL, NS = 0x7D, 0x7E, 0x7F
SET_FEATURES, GET_FEATURES = 0x09, 0x0A
REPLACE, DELETE, ADD, RESERVED = (action << 13 for action in range(4))


@pytest.fixture
def host(start: Start) -> Iterator[Host]:
    host = Host(start("--size", "1M", "--host-metadata", "--namespaces", "2"))
    yield host
    host.close()


def elements(*pairs: tuple[int, bytes]) -> bytes:
    data = bytes([len(pairs), 0])
    return data + b"".join(struct.pack("<BBH", kind, 1, len(value)) + value for kind, value in pairs)


def put(nvme: Nvme, fid: int, action: int, data: bytes, nsid: int = 0) -> int:
    buffer = nvme.memory.alloc(4096)
    nvme.memory.write(buffer, data.ljust(4096, b"\0"))
    return nvme.admin.execute(SET_FEATURES, nsid=nsid, cdw10=fid, cdw11=action, prp1=buffer)[1]


def take(nvme: Nvme, fid: int, nsid: int = 0, select: int = 0) -> bytes:
    buffer = nvme.memory.alloc(4096)
    nvme.memory.write(buffer, b"\xa5" * 4096)
    assert nvme.admin.execute(GET_FEATURES, nsid=nsid, cdw10=select << 8 | fid, prp1=buffer) == (0, OK)
    return nvme.memory.read(buffer, 4096)


def holds(nvme: Nvme, fid: int, data: bytes, nsid: int = 0) -> bool:
    return take(nvme, fid, nsid) == data.ljust(4096, b"\0")


def test_a_drive_has_it_by_an_option_only(start: Start) -> None:
    for options, status in (
        ((), INVALID_FIELD),
        (("--host-metadata",), OK),
        (("--host-metadata", "--nvme-version", "1.4"), INVALID_FIELD),
    ):
        with Client(start("--size", "1M", *options).folder) as client:
            nvme = Nvme(client)
            nvme.enable()
            for fid, action in ((ENHANCED, ADD), (CTRL, REPLACE), (NS, REPLACE)):
                assert put(nvme, fid, action, elements(), nsid=int(fid == NS)) == status
            nvme.close()


def test_elements_are_replaced_by_their_types(host: Host) -> None:
    nvme = host.nvme
    assert [get_feature(nvme, fid, 3) for fid in (ENHANCED, CTRL, NS)] == [4, 4, 6]
    assert holds(nvme, CTRL, b"")
    assert put(nvme, CTRL, REPLACE, elements((1, b"Linux"), (2, b"nvme"), (3, b"6.1"))) == OK
    golden = b"\x03\x00\x01\x01\x05\x00Linux\x02\x01\x04\x00nvme\x03\x01\x03\x006.1"
    assert holds(nvme, CTRL, golden)
    assert put(nvme, CTRL, REPLACE, elements((2, b"pynvme"))) == OK
    assert holds(nvme, CTRL, elements((1, b"Linux"), (3, b"6.1"), (2, b"pynvme")))
    assert put(nvme, CTRL, DELETE, elements((1, b""), (9, b""))) == OK
    assert holds(nvme, CTRL, elements((3, b"6.1"), (2, b"pynvme")))
    assert holds(nvme, ENHANCED, b"") and not any(take(nvme, CTRL, select=1)), "the default"


def test_enhanced_metadata_hold_several_elements_of_a_type(host: Host) -> None:
    nvme = host.nvme
    assert put(nvme, ENHANCED, ADD, elements((1, b"a"), (2, b"b"))) == OK
    assert put(nvme, ENHANCED, ADD, elements((1, b"c"))) == OK
    assert holds(nvme, ENHANCED, elements((1, b"a"), (2, b"b"), (1, b"c")))
    assert put(nvme, ENHANCED, DELETE, elements((1, b""))) == OK
    assert holds(nvme, ENHANCED, elements((2, b"b")))


def test_wrong_elements_change_nothing(host: Host) -> None:
    nvme = host.nvme
    kept = elements((1, b"x" * 2000))
    assert put(nvme, CTRL, REPLACE, kept) == OK
    beyond = bytes([1, 0]) + struct.pack("<BBH", 2, 0, 4091)
    most = bytes([1, 0]) + struct.pack("<BBH", 1, 0, 4090)
    for fid, action, data in (
        (CTRL, ADD, elements()),
        (CTRL, RESERVED, elements()),
        (ENHANCED, REPLACE, elements()),
        (CTRL, DELETE, elements((1, b"x"))),
        (CTRL, REPLACE, beyond),
        (CTRL, REPLACE, b"\xff\x00" + b"\xff" * 4094),
        (CTRL, REPLACE, elements((1, b"y"), (2, b"z" * 2085), (3, b"z" * 2085))),
        (CTRL, REPLACE, elements((2, b"z" * 2100))),
    ):
        assert put(nvme, fid, action, data) == INVALID_FIELD and holds(nvme, CTRL, kept)
    assert nvme.admin.execute(SET_FEATURES, cdw10=1 << 31 | CTRL)[1] == NOT_SAVEABLE
    assert put(nvme, CTRL, REPLACE, most) == OK and holds(nvme, CTRL, most)
    assert put(nvme, CTRL, DELETE, elements((1, b""))) == OK and holds(nvme, CTRL, b"")
    for _ in range(5):
        assert put(nvme, ENHANCED, ADD, bytes([51, 0]) + bytes(51 * 4)) == OK
    assert put(nvme, ENHANCED, ADD, bytes([1, 0])) == INVALID_FIELD, "255 elements at most"


def test_each_namespace_has_its_own(host: Host) -> None:
    nvme = host.nvme
    assert put(nvme, NS, REPLACE, elements((1, b"one")), nsid=1) == OK
    assert put(nvme, NS, REPLACE, elements((1, b"two")), nsid=2) == OK
    assert holds(nvme, NS, elements((1, b"one")), 1) and holds(nvme, NS, elements((1, b"two")), 2)
    assert put(nvme, NS, REPLACE, elements((2, b"all")), nsid=ALL_NAMESPACES) == OK
    assert holds(nvme, NS, elements((1, b"one"), (2, b"all")), 1)
    assert put(nvme, NS, REPLACE, elements(), nsid=0) == INVALID_NAMESPACE
    buffer = nvme.memory.alloc(4096)
    for nsid in (0, 3, ALL_NAMESPACES):
        assert nvme.admin.execute(GET_FEATURES, nsid=nsid, cdw10=NS, prp1=buffer)[1] == INVALID_NAMESPACE
    assert holds(nvme, CTRL, b"")
    assert put(nvme, CTRL, REPLACE, elements((1, b"c"))) == OK
    nvme.disable()
    nvme.enable()
    assert holds(nvme, NS, b"", 1) and holds(nvme, NS, b"", 2) and holds(nvme, CTRL, b"")
