# SPDX-License-Identifier: BSD-3-Clause
"""Linux's driver, with namespaces that come and go, Copy and SGLs."""

from __future__ import annotations

import os
import re
from pathlib import Path

from kernel import Drive, fio, read, run, wait, write

MIB = 1 << 20


def blocks() -> set[str]:
    """The block devices of NVMe that Linux has."""
    return {path.name for path in Path("/sys/block").glob("nvme*n*")}


def test_a_namespace_comes_and_goes(drive: Drive) -> None:
    second = drive.block(2)
    write(second, 0, b"\xa5" * MIB)
    drive.cli("detach-ns", "-n", 2, "-c", drive.json("id-ctrl")["cntlid"])
    wait(lambda: second.name not in blocks())
    drive.cli("attach-ns", "-n", 2, "-c", drive.json("id-ctrl")["cntlid"])
    assert read(drive.block(2), 0, MIB) == b"\xa5" * MIB
    drive.cli("delete-ns", "-n", 2)
    wait(lambda: second.name not in blocks())


def test_a_new_one_has_nothing_of_the_old_one(drive: Drive) -> None:
    created = drive.cli("create-ns", "-s", 65536, "-c", 65536, "-f", 0)
    nsid = int(re.search(r"nsid: ?(\d+)", created).group(1))
    drive.cli("attach-ns", "-n", nsid, "-c", drive.json("id-ctrl")["cntlid"])
    block = drive.block(nsid)
    assert int(run("blockdev", "--getsize64", block)) == 65536 * 512
    assert read(block, 0, MIB) == bytes(MIB)
    fio(block, "--rw=randwrite", "--bs=4k", "--size=4M", "--verify=crc32c")
    first = drive.block(1)
    assert (Path("/sys/block") / first.name / "wwid").read_text() != (
        Path("/sys/block") / block.name / "wwid"
    ).read_text()
    drive.cli("delete-ns", "-n", nsid)


def test_copies(drive: Drive) -> None:
    block = drive.block(1)
    data = os.urandom(64 * 512)
    write(block, 0, data)
    write(block, MIB, bytes(64 * 512))
    run("nvme", "copy", block, "--sdlba=2048", "--slbs=0,32", "--blocks=15,15")
    assert read(block, MIB, 32 * 512) == data[: 16 * 512] + data[32 * 512 : 48 * 512]


def test_sgls_carry_large_transfers(drive: Drive) -> None:
    assert int(Path("/sys/module/nvme/parameters/sgl_threshold").read_text()) > 0
    assert drive.json("id-ctrl")["sgls"] & 3
    words = ["--ioengine=libaio", "--iodepth=4", "--size=16M", "--verify=crc32c"]
    fio(drive.block(1), "--rw=randwrite", "--bs=128k", *words)
    fio(drive.block(1), "--rw=randrw", "--bsrange=32k-1M", *words)
