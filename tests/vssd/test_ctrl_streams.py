# SPDX-License-Identifier: BSD-3-Clause
"""The Streams directive: enabling, parameters, resources, open streams, writes.

Base 2.1, sections 5.1.6, 5.1.7 and 8.1.8.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from ctrl_helpers import INVALID_FIELD, INVALID_NAMESPACE, INVALID_OPCODE, OK, WRITE, Host, Start, identify
from nvme_cli import COMPILER, PROGRAM, NvmeCli, build

SEND, RECEIVE = 0x19, 0x1A
IDENTIFY, STREAMS = 0, 1
NO_RESOURCES = 0x17F
MSL = 16
ALL = 0xFFFFFFFF


class Streaming(Host):
    def directive(
        self, opcode: int, dtype: int, doper: int, value: int = 0, nsid: int = 1, dspec: int = 0
    ) -> tuple[int, int]:
        """The result and the status; the data are in the disk's buffer."""
        word = dspec << 16 | dtype << 8 | doper
        return self.nvme.admin.execute(
            opcode, nsid=nsid, prp1=self.disk.buffer, cdw10=1023, cdw11=word, cdw12=value
        )

    def enable(self, on: bool = True, nsid: int = 1) -> int:
        return self.directive(SEND, IDENTIFY, 1, 1 << 8 | on, nsid)[1]

    def supported(self, nsid: int = 1) -> tuple[int, int, int]:
        assert self.directive(RECEIVE, IDENTIFY, 1, nsid=nsid)[1] == OK
        data = self.nvme.memory.read(self.disk.buffer, 4096)
        assert sum(data) == data[0] + data[32] + data[64]
        return data[0], data[32], data[64]

    def parameters(self, nsid: int = 1) -> tuple[int, ...]:
        """MSL, NSSA, NSSO, SWS, SGS, NSA, NSO."""
        assert self.directive(RECEIVE, STREAMS, 1, nsid=nsid)[1] == OK
        data = self.nvme.memory.read(self.disk.buffer, 32)
        assert data[6:16] == bytes(10) and data[26:] == bytes(6)
        return struct.unpack_from("<3H", data) + struct.unpack_from("<IHHH", data, 16)

    def open(self, nsid: int = 1) -> set[int]:
        assert self.directive(RECEIVE, STREAMS, 2, nsid=nsid)[1] == OK
        data = self.nvme.memory.read(self.disk.buffer, 64)
        (count,) = struct.unpack_from("<H", data)
        return set(struct.unpack_from(f"<{count}H", data, 2))

    def put(self, sid: int, nsid: int = 1, dtype: int = STREAMS) -> int:
        return self.disk.queue.execute(
            WRITE, nsid=nsid, prp1=self.disk.buffer, cdw12=7 | dtype << 20, cdw13=sid << 16
        )[1]


@pytest.fixture
def host(start: Start) -> Iterator[Streaming]:
    host = Streaming(start("--size", "1M", "--namespaces", "2", "--streams"))
    yield host
    host.close()


def test_a_drive_without_the_option_has_none_of_it(start: Start) -> None:
    host = Streaming(start("--size", "1M"))
    assert host.directive(SEND, 0, 1)[1] == host.directive(RECEIVE, 0, 1)[1] == INVALID_OPCODE
    assert not identify(host.nvme, 1)[256] & 1 << 5 and host.put(5) == OK, "DTYPE is reserved"
    host.close()


def test_the_directive_is_enabled_for_each_namespace(host: Streaming) -> None:
    assert identify(host.nvme, 1)[256] & 1 << 5
    assert host.supported() == host.supported(2) == (3, 1, 0)
    assert host.put(1) == host.directive(RECEIVE, STREAMS, 1)[1] == INVALID_FIELD, "not enabled"
    assert host.enable() == OK and host.supported() == (3, 3, 0) and host.supported(2) == (3, 1, 0)
    assert host.put(0) == host.put(1, dtype=2) == host.put(1, nsid=2) == INVALID_FIELD
    assert host.put(1) == OK and host.open() == {1}
    assert host.enable(nsid=ALL) == OK and host.supported(2) == (3, 3, 0)
    assert host.enable(False) == OK and host.put(1) == INVALID_FIELD
    assert host.enable() == OK and host.open() == set(), "they are closed"
    assert host.directive(SEND, IDENTIFY, 1, 0 << 8 | 1)[1] == INVALID_FIELD, "Identify itself"
    assert host.directive(SEND, IDENTIFY, 1, 2 << 8 | 1)[1] == INVALID_FIELD, "no data placement"
    for opcode in (SEND, RECEIVE):
        assert (
            host.directive(opcode, IDENTIFY, 2)[1] == host.directive(opcode, STREAMS, 4)[1] == INVALID_FIELD
        )
        assert host.directive(opcode, 3, 1)[1] == INVALID_FIELD
        assert host.directive(opcode, IDENTIFY, 1, 1 << 8, nsid=3)[1] == INVALID_NAMESPACE
    host.nvme.enable()
    host.start()
    assert host.supported() == (3, 1, 0), "a reset disables it"


def test_streams_open_by_writes_and_close_by_releases(host: Streaming) -> None:
    assert host.enable(nsid=ALL) == OK
    assert host.parameters() == (MSL, MSL, 0, 8, 64, 0, 0)
    for sid in (1, 7, 0xFFFF, 7):
        assert host.put(sid) == OK
    assert host.put(7, nsid=2) == OK
    assert host.open() == {1, 7, 0xFFFF} and host.open(2) == {7}
    assert host.parameters() == (MSL, MSL, 4, 8, 64, 0, 3)
    assert host.parameters(ALL) == (MSL, MSL, 4, 0, 0, 0, 0), "of the subsystem"
    assert host.directive(SEND, STREAMS, 1, dspec=7) == host.directive(SEND, STREAMS, 1, dspec=99) == (0, OK)
    assert host.open() == {1, 0xFFFF} and host.open(2) == {7}
    for sid in range(100, 100 + MSL):
        assert host.put(sid) == OK
    assert host.parameters()[2] == MSL and host.open() == set(range(100, 100 + MSL)), "the oldest are closed"
    assert host.directive(RECEIVE, STREAMS, 2, nsid=ALL)[1] == INVALID_NAMESPACE


def test_resources_of_a_namespace(host: Streaming) -> None:
    assert host.enable(nsid=ALL) == OK
    for sid in range(1, MSL + 1):
        assert host.put(sid, nsid=2) == OK
    assert host.directive(RECEIVE, STREAMS, 3, 0)[1] == INVALID_FIELD, "NSR"
    assert host.directive(RECEIVE, STREAMS, 3, 4) == (4, OK)
    assert host.parameters()[1] == MSL - 4 and host.parameters()[5] == 4 and len(host.open(2)) == MSL - 4
    assert host.directive(RECEIVE, STREAMS, 3, 1)[1] == INVALID_FIELD, "release them first"
    for sid in (1, 2, 3, 4, 1, 5):
        assert host.put(sid) == OK
    assert host.open() == {1, 3, 4, 5} and len(host.open(2)) == MSL - 4
    assert host.directive(RECEIVE, STREAMS, 3, 99, nsid=2) == (MSL - 4, OK), "what is left"
    assert host.directive(SEND, STREAMS, 2) == (0, OK) and host.open() == set()
    assert host.parameters()[5] == 0 and host.parameters()[1] == 4
    assert host.directive(RECEIVE, STREAMS, 3, 4) == (4, OK)
    assert host.directive(SEND, STREAMS, 2, nsid=2) == (0, OK)
    assert host.directive(RECEIVE, STREAMS, 3, MSL, nsid=2) == (MSL - 4, OK)


def test_no_resources_are_left(host: Streaming) -> None:
    assert host.enable(nsid=ALL) == OK
    assert host.directive(RECEIVE, STREAMS, 3, 0xFFFF) == (MSL, OK)
    assert host.directive(RECEIVE, STREAMS, 3, 1, nsid=2)[1] == NO_RESOURCES
    assert host.put(9, nsid=2) == OK and host.open(2) == set(), "written, without a stream"


@pytest.mark.skipif(not (PROGRAM and COMPILER), reason="nvme-cli and a C compiler are needed")
def test_nvme_cli_reads_and_sends_the_same(host: Streaming, tmp_path: Path) -> None:
    host.nvme.enable()
    with NvmeCli(host.nvme, build(tmp_path), tmp_path) as cli:
        host.disk.queue = cli.queues[1]
        cli.run("dir-send", "-n", "1", "-D", "0", "-O", "1", "-T", "1", "-e", "1")
        assert host.put(5) == OK
        said = cli.run("dir-receive", "-n", "1", "-D", "1", "-O", "1", "-H").stdout
        words = {
            line.split(":")[0].strip(): line.split(":")[1].strip()
            for line in said.splitlines()[1:]
            if ":" in line
        }
        assert words["Max Streams Limit                          (MSL)"] == str(MSL), said
