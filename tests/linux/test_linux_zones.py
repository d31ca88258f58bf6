# SPDX-License-Identifier: BSD-3-Clause
"""Linux's block layer, fio, and nvme-cli with a zoned namespace of the virtual SSD."""

from __future__ import annotations

import re
from pathlib import Path

from kernel import Drive, fio, run

ZONE = 16 << 20
ZONED = 2
"""The NSID of the zoned namespace."""


def queue(block: Path, name: str) -> str:
    """One attribute of a block device's queue."""
    return (Path("/sys/block") / block.name / "queue" / name).read_text().strip()


def zones(block: Path) -> list[tuple[int, int, str]]:
    """Start, write pointer and state of each zone, in sectors."""
    found = []
    for line in run("blkzone", "report", block).splitlines():
        start, pointer, state = re.search(r"start: (\S+),.*wptr (\S+) reset.*\((\w\w)\)", line).groups()
        found.append((int(start, 16), int(pointer, 16), state))
    return found


def test_linux_knows_the_zones(drive: Drive) -> None:
    block = drive.block(ZONED)
    assert queue(block, "zoned") == "host-managed"
    assert int(queue(block, "nr_zones")) == len(zones(block)) == (256 << 20) // ZONE
    assert int(queue(block, "chunk_sectors")) * 512 == ZONE
    assert int(queue(block, "zone_append_max_bytes")) > 0
    assert queue(drive.block(1), "zoned") == "none"


def test_fio_writes_zones_and_verifies(drive: Drive) -> None:
    block = drive.block(ZONED)
    run("blkzone", "reset", block)
    words = ["--zonemode=zbd", "--ioengine=libaio", "--iodepth=8", "--verify=crc32c"]
    fio(block, "--rw=write", "--bs=64k", "--size=48M", "--io_size=20M", *words)
    fio(block, "--rw=randwrite", "--bs=16k", "--size=64M", "--io_size=8M", "--max_open_zones=4", *words)


def test_each_zone_command_changes_the_state(drive: Drive) -> None:
    block = drive.block(ZONED)
    run("blkzone", "reset", block)
    sectors = ZONE // 512
    at = ["-o", str(sectors), "-c", "1"]
    assert zones(block)[1] == (sectors, 0, "em")
    run("blkzone", "open", *at, block)
    assert zones(block)[1][2] == "oe"
    run("dd", "if=/dev/zero", f"of={block}", "bs=4k", "count=2", f"seek={ZONE // 4096}", "oflag=direct")
    assert zones(block)[1][1:] == (16, "oe")
    run("blkzone", "close", *at, block)
    assert zones(block)[1][2] == "cl"
    run("blkzone", "finish", *at, block)
    assert zones(block)[1][2] == "fu"
    run("blkzone", "reset", *at, block)
    assert zones(block)[1] == (sectors, 0, "em")


def test_a_write_that_is_not_at_the_pointer_fails(drive: Drive) -> None:
    block = drive.block(ZONED)
    run("blkzone", "reset", block)
    one = ["dd", "if=/dev/zero", f"of={block}", "bs=4k", "count=1", "oflag=direct"]
    run(*one, "seek=1", code=1)
    run("blkzone", "reset", block)
    run(*one, "seek=0")
    run(*one, "seek=0", code=1)


def test_nvme_cli_writes_a_random_write_area(drive: Drive, tmp_path: Path) -> None:
    """In any order before the write pointer moves, which an explicit flush does."""
    block, data = drive.block(ZONED), tmp_path / "data"
    run("blkzone", "reset", block)
    size = 1 << drive.json("id-ns", "-n", ZONED)["lbafs"][0]["ds"]
    data.write_bytes(b"\x5a" * 16 * size)
    run("nvme", "zns", "open-zone", block, "-s", 0, "-r")
    for slba in (16, 0, 16):
        run("nvme", "write", block, "-s", slba, "-c", 15, "-z", 16 * size, "-d", data)
    assert re.search(r"WP: 0 ", run("nvme", "zns", "report-zones", block, "-d", 1))
    run("nvme", "zns", "zrwa-flush-zone", block, "-l", 31)
    assert re.search(r"WP: 0x20 ", run("nvme", "zns", "report-zones", block, "-d", 1))
    run("nvme", "write", block, "-s", 0, "-c", 15, "-z", 16 * size, "-d", data, code=1)
    run("nvme", "zns", "reset-zone", block, "-s", 0)


def test_a_zone_keeps_its_descriptor_extension(drive: Drive, tmp_path: Path) -> None:
    block, data = drive.block(ZONED), tmp_path / "data"
    run("blkzone", "reset", block)
    data.write_bytes(b"extension".ljust(64, b"."))
    run("nvme", "zns", "set-zone-desc", block, "-s", 0, "-d", data)
    report = run("nvme", "zns", "report-zones", block, "-d", 1, "-e")
    assert re.search(r"State: 0x40 .*Attrs: 0x80", report) and "extension......." in report
    run("nvme", "zns", "reset-zone", block, "-s", 0)


def test_nvme_cli_appends_and_reports(drive: Drive) -> None:
    block = drive.block(ZONED)
    run("blkzone", "reset", block)
    size = drive.json("id-ns", "-n", ZONED)["lbafs"][0]["ds"]
    append = ["nvme", "zns", "zone-append", block, "-s", "0", "-z", str(1 << size), "-d", "/dev/zero"]
    for number in range(3):
        assert re.search(rf"LBA {number}$", run(*append).strip())
    report = run("nvme", "zns", "report-zones", block, "-d", "1")
    assert re.search(r"WP: 0x3 .*State: 0x20 ", report)
    run("nvme", "zns", "reset-zone", block, "-s", "0")
    assert zones(block)[0][2] == "em"
