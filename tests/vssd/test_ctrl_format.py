# SPDX-License-Identifier: BSD-3-Clause
"""Format NVM."""

from __future__ import annotations

import os
import time

import pytest
from client import Client, Nvme, sqe
from ctrl_helpers import (
    ALL_NAMESPACES,
    ASYNC_EVENT,
    FORMAT,
    FORMAT_IN_PROGRESS,
    GET_LOG,
    INVALID_FIELD,
    INVALID_FORMAT,
    INVALID_NAMESPACE,
    OK,
    READ,
    WRITE,
    WRITE_UNCORRECTABLE,
    Disk,
    Host,
    Start,
    get_feature,
    identify,
    pattern,
    set_feature,
)
from server import Server

from tests.fix_load import loaded


def lbas(nvme: Nvme, nsid: int = 1) -> tuple[int, int]:
    """NSZE, and the index of the LBA format."""
    data = identify(nvme, cns=0, nsid=nsid)
    return int.from_bytes(data[:8], "little"), data[26] & 0xF


@pytest.mark.parametrize("erase", [0, 1, 2])
def test_data_are_gone(nvme: Nvme, erase: int) -> None:
    disk = Disk(nvme, nvme.create_queue(1, 8))
    disk.write(0, pattern(0, 16))
    disk.flush()
    disk.write(8, pattern(8, 8, seed=1))
    assert disk.command(WRITE_UNCORRECTABLE, 100) == OK
    begin = time.monotonic()
    assert nvme.admin.execute(FORMAT, nsid=1, cdw10=erase << 9)[1] == OK
    took = time.monotonic() - begin
    assert took >= 0.01
    assert took <= 10 or loaded()
    assert disk.read(0, 16) == bytes(8192) and disk.read(100) == bytes(512)
    disk.write(0, pattern(0, 16, seed=2))
    assert disk.read(0, 16) == pattern(0, 16, seed=2)


def test_from_512_to_4096_and_back(nvme: Nvme) -> None:
    queue = nvme.create_queue(1, 8)
    assert lbas(nvme) == (64 * 2048, 0)
    assert nvme.admin.execute(FORMAT, nsid=1, cdw10=1)[1] == OK
    assert lbas(nvme) == (64 * 256, 1)
    disk = Disk(nvme, queue, lba_size=4096)
    disk.write(64 * 256 - 2, pattern(0, 2, 4096))
    assert disk.read(64 * 256 - 2, 2) == pattern(0, 2, 4096)
    assert nvme.admin.execute(FORMAT, nsid=1, cdw10=0)[1] == OK
    assert lbas(nvme) == (64 * 2048, 0)


@pytest.mark.parametrize("milliseconds", [0, 300])
def test_an_option_says_how_long_it_takes(start: Start, milliseconds: int) -> None:
    with Client(start("--size", "1M", "--format-time", str(milliseconds)).folder) as client:
        nvme = Nvme(client)
        nvme.enable()
        begin = time.monotonic()
        assert nvme.admin.execute(FORMAT, nsid=1)[1] == OK
        took = time.monotonic() - begin
        assert milliseconds / 1000 <= took
        assert took <= milliseconds / 1000 + 2 or loaded()
        nvme.close()


def test_one_namespace_or_all(start: Start) -> None:
    with Client(start("--size", "1M", "--namespaces", "3").folder) as client:
        nvme = Nvme(client)
        nvme.enable()
        queue = nvme.create_queue(1, 8)
        disks = [Disk(nvme, queue, nsid) for nsid in (1, 2, 3)]
        for disk in disks:
            disk.write(0, pattern(0, 1, seed=disk.nsid))
        assert nvme.admin.execute(FORMAT, nsid=2, cdw10=1)[1] == OK
        assert [lbas(nvme, nsid) for nsid in (1, 2, 3)] == [(2048, 0), (256, 1), (2048, 0)]
        assert disks[0].read(0) == pattern(0, 1, seed=1) and disks[2].read(0) == pattern(0, 1, seed=3)
        assert nvme.admin.execute(FORMAT, nsid=ALL_NAMESPACES, cdw10=0)[1] == OK
        assert [lbas(nvme, nsid) for nsid in (1, 2, 3)] == [(2048, 0)] * 3
        assert all(disk.read(0) == bytes(512) for disk in disks)
        nvme.close()


@pytest.mark.parametrize(
    "nsid, cdw10, status",
    [
        (0, 0, INVALID_NAMESPACE),
        (2, 0, INVALID_NAMESPACE),
        (1, 2, INVALID_FORMAT),
        (1, 15, INVALID_FORMAT),
        (1, 1 << 12, INVALID_FORMAT),  # LBAFU: format 16
        (1, 1 << 5, INVALID_FORMAT),  # protection information
        (1, 3 << 9, INVALID_FIELD),
        (1, 7 << 9, INVALID_FIELD),
    ],
)
def test_what_format_refuses(nvme: Nvme, nsid: int, cdw10: int, status: int) -> None:
    disk = Disk(nvme, nvme.create_queue(1, 8))
    disk.write(0, pattern(0, 1))
    assert nvme.admin.execute(FORMAT, nsid=nsid, cdw10=cdw10)[1] == status
    assert disk.read(0) == pattern(0, 1)


def test_while_it_runs_io_and_another_format_are_refused(nvme: Nvme) -> None:
    disk = Disk(nvme, nvme.create_queue(1, 8))
    first = nvme.admin.submit(sqe(FORMAT, nsid=1))
    second = nvme.admin.submit(sqe(FORMAT, nsid=1))
    refused = nvme.admin.wait()
    assert (refused.cid, refused.status, refused.dnr) == (second, FORMAT_IN_PROGRESS, False)
    assert identify(nvme, cns=0, nsid=1)[32] in range(0x81, 0xE5), "FPI: something remains"
    for opcode in (READ, WRITE, 0x00, 0x09):
        assert disk.command(opcode, 0) == FORMAT_IN_PROGRESS
    assert nvme.admin.wait().cid == first
    assert disk.command(READ, 0) == OK
    assert identify(nvme, cns=0, nsid=1)[32] == 0x80


def test_a_reset_does_not_stop_it(nvme: Nvme) -> None:
    Disk(nvme, nvme.create_queue(1, 8)).write(0, pattern(0, 1))
    nvme.admin.submit(sqe(FORMAT, nsid=1, cdw10=1))
    time.sleep(0.002)
    nvme.disable()
    nvme.enable()
    assert lbas(nvme) == (64 * 256, 1)
    assert Disk(nvme, nvme.create_queue(1, 8), lba_size=4096).read(0) == bytes(4096)


@pytest.mark.parametrize("shutdown", [False, True])
def test_a_loss_of_power_does_not_stop_it(start: Start, shutdown: bool) -> None:
    host = Host(start("--size", "1M", "--namespaces", "2", "--format-time", "60000"))
    disks = [Disk(host.nvme, host.disk.queue, nsid) for nsid in (1, 2)]
    for disk in disks:
        disk.write(8, pattern(8, 8))
        disk.flush()
    host.nvme.admin.submit(sqe(FORMAT, nsid=2, cdw10=1))
    while disks[1].command(READ, 0) != FORMAT_IN_PROGRESS:
        pass
    if shutdown:
        host.shut_down()
    host.power_cycle()
    assert lbas(host.nvme, 1) == (2048, 0) and lbas(host.nvme, 2) == (256, 1)
    assert Disk(host.nvme, host.disk.queue, 1).read(8, 8) == pattern(8, 8)
    assert Disk(host.nvme, host.disk.queue, 2, lba_size=4096).read(1, 1) == bytes(4096)
    host.close()


def test_a_killed_drive_is_not_left_half_formatted(start: Start, folder: str) -> None:
    options = ("--size", "1M", "--file", os.path.join(folder, "file"))
    server = Server(os.path.join(folder, "x"), *options, "--format-time", "60000")
    assert server.word == "ready"
    host = Host(server)
    host.disk.write(8, pattern(8, 8))
    host.disk.flush()
    host.nvme.admin.submit(sqe(FORMAT, nsid=1, cdw10=1))
    while host.disk.command(READ, 8) != FORMAT_IN_PROGRESS:
        pass
    host.close()
    server.process.kill()
    server.process.wait()
    server.log.close()
    host = Host(start(*options))
    assert lbas(host.nvme) == (256, 1)
    assert Disk(host.nvme, host.disk.queue, lba_size=4096).read(1) == bytes(4096)
    host.close()


def test_only_a_change_of_the_lba_size_is_an_event(nvme: Nvme) -> None:
    """The same if the host has not read the changed namespace list of an earlier format."""
    assert set_feature(nvme, 0x0B, 0x100) == OK
    first = nvme.admin.submit(sqe(ASYNC_EVENT))
    formatting = nvme.admin.submit(sqe(FORMAT, nsid=1, cdw10=1))
    assert {nvme.admin.wait().cid, nvme.admin.wait().cid} == {first, formatting}
    nvme.admin.submit(sqe(ASYNC_EVENT))
    assert nvme.admin.execute(FORMAT, nsid=1, cdw10=1)[1] == OK
    reading = nvme.admin.submit(sqe(GET_LOG, prp1=nvme.memory.alloc(4096), cdw10=15 << 16 | 4))
    assert nvme.admin.wait().cid == reading
    with pytest.raises(TimeoutError):
        nvme.admin.wait(0.05)


def test_a_power_state_survives(nvme: Nvme) -> None:
    assert set_feature(nvme, 2, 3) == OK
    assert nvme.admin.execute(FORMAT, nsid=1)[1] == OK
    assert get_feature(nvme, 2) == 3


def test_a_client_that_leaves_takes_its_memory_along(server: Server) -> None:
    """The format continues, but no client is left to get its completion."""
    with Client(server.folder) as client:
        nvme = Nvme(client)
        nvme.enable()
        Disk(nvme, nvme.create_queue(1, 8)).write(0, pattern(0, 1))
        nvme.admin.submit(sqe(FORMAT, nsid=1, cdw10=1))
        time.sleep(0.002)
        nvme.close()
    time.sleep(0.1)
    with Client(server.folder) as client:
        nvme = Nvme(client)
        nvme.enable()
        assert lbas(nvme) == (64 * 256, 1)
        nvme.close()


def test_its_completion_waits_for_the_right_to_write(nvme: Nvme) -> None:
    """Without bus mastering a function does not touch host memory."""
    first = nvme.admin.submit(sqe(FORMAT, nsid=1))
    time.sleep(0.002)
    nvme.client.config_write(4, b"\x02\x00")
    time.sleep(0.1)
    assert nvme.admin.poll() is None
    nvme.client.config_write(4, b"\x06\x00")
    assert nvme.admin.wait().cid == first
