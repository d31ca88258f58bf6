# SPDX-License-Identifier: BSD-3-Clause
"""Two hosts reserve a namespace of a virtual SSD by nvme-cli, and by Linux's ioctls for reservations."""

from __future__ import annotations

import fcntl
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from kernel import Drive, read

REGISTER, RESERVE, RELEASE, CLEAR = 200, 201, 202, 205  # of linux/pr.h
WRITE_EXCLUSIVE, EXCLUSIVE = 1, 2


def ioctl(block: Path, number: int, layout: str, *values: int) -> None:
    data = struct.pack(layout, *values)
    with block.open("r+b", buffering=0) as file:
        fcntl.ioctl(file, 1 << 30 | len(data) << 16 | ord("p") << 8 | number, data)


@pytest.fixture
def hosts(drive: Drive, controllers: list[Drive], tmp_path: Path) -> Iterator[tuple[Drive, Drive]]:
    """Give both controllers, each with a host identifier of its own."""
    for number, controller in enumerate(controllers):
        identifier = tmp_path / f"host{number}"
        identifier.write_bytes(bytes([number + 1]) * 16)
        controller.cli("set-feature", "-f", 0x81, "--value", 1, "-l", 16, "-d", identifier)
    first, second = controllers
    yield first, second
    first.cli("resv-register", "-n", 1, "-r", 0, "-k", 0x77, "-i")  # so that it may clear
    first.cli("resv-register", "-n", 1, "-r", 2, "-k", 0x77, "-i")
    first.cli("resv-release", "-n", 1, "-a", 1, "-c", 0x77)
    assert first.json("resv-report", "-n", 1, "-e")["regctl"] == 0


def zeroes(controller: Drive) -> str:
    """Write one LBA, and return what nvme-cli tells, which fails if the drive refuses it."""
    try:
        return controller.cli("write-zeroes", "-n", 1, "-s", 0, "-c", 0)
    except AssertionError as error:
        return str(error)


def test_a_second_host_is_kept_out(hosts: tuple[Drive, Drive]) -> None:
    first, second = hosts
    first.cli("resv-register", "-n", 1, "-r", 0, "-k", 0x11)
    second.cli("resv-register", "-n", 1, "-r", 0, "-k", 0x22)
    first.cli("resv-acquire", "-n", 1, "-t", WRITE_EXCLUSIVE, "-a", 0, "-c", 0x11)
    report = first.json("resv-report", "-n", 1, "-e")
    assert (report["rtype"], report["regctl"]) == (WRITE_EXCLUSIVE, 2)
    holders = {one["rkey"]: one["rcsts"] & 1 for one in report["regctlext"]}
    assert holders == {0x11: 1, 0x22: 0}
    assert "Success" in zeroes(first)
    assert "Reservation Conflict" in zeroes(second).title()
    second.cli("resv-acquire", "-n", 1, "-t", EXCLUSIVE, "-a", 1, "-c", 0x22, "-p", 0x11)  # preempts
    report = first.json("resv-report", "-n", 1, "-e")
    assert report["rtype"] == EXCLUSIVE and report["regctl"] == 1
    assert "Success" in zeroes(second)
    assert "Reservation Conflict" in zeroes(first).title()
    second.cli("resv-release", "-n", 1, "-t", EXCLUSIVE, "-a", 0, "-c", 0x22)
    assert "Success" in zeroes(first)


def test_the_kernel_reserves(hosts: tuple[Drive, Drive]) -> None:
    """It sends the commands by one of both paths. The host of the other path is kept out."""
    block = hosts[0].block()
    ioctl(block, REGISTER, "<QQII", 0, 0x33, 0, 0)
    ((registrant,),) = [hosts[0].json("resv-report", "-n", 1, "-e")["regctlext"]]
    (other,) = [host for host in hosts if host.json("id-ctrl")["cntlid"] != registrant["cntlid"]]
    other.cli("resv-register", "-n", 1, "-r", 0, "-k", 0x44)
    ioctl(block, RESERVE, "<QII", 0x33, WRITE_EXCLUSIVE, 0)
    report = other.json("resv-report", "-n", 1, "-e")
    assert report["rtype"] == 1 and report["regctl"] == 2
    assert "Reservation Conflict" in zeroes(other).title()
    ioctl(block, RELEASE, "<QII", 0x33, WRITE_EXCLUSIVE, 0)
    assert "Success" in zeroes(other) and other.json("resv-report", "-n", 1, "-e")["rtype"] == 0
    ioctl(block, RESERVE, "<QII", 0x33, EXCLUSIVE, 0)
    assert len(read(block, 0, 4096)) == 4096
    ioctl(block, CLEAR, "<QII", 0x33, 0, 0)
    assert other.json("resv-report", "-n", 1, "-e")["regctl"] == 0
