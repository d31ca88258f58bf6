# SPDX-License-Identifier: BSD-3-Clause
"""nvme-cli and Linux use Flexible Data Placement of a virtual SSD."""

from __future__ import annotations

from pathlib import Path

from kernel import Drive, fio, write

DATA_PLACEMENT = 2  # the directive type
BLOCK = 64 << 10


def placed_write(drive: Drive, pid: int, slba: int, data: Path) -> None:
    words = ["-s", slba, "-c", BLOCK // 512 - 1, "-z", BLOCK, "-d", data]
    drive.cli("write", "-n", 1, *words, "-T", DATA_PLACEMENT, "-S", pid)


def statistics(drive: Drive) -> dict[str, int]:
    """The counters in bytes, which nvme-cli prints as texts."""
    return {name: int(value) for name, value in drive.json("fdp stats", "-e", 1).items()}


def test_configurations_and_handles(drive: Drive) -> None:
    configurations = drive.json("fdp configs", "-e", 1)
    assert configurations["n"] >= 1
    assert drive.json("id-ctrl")["ctratt"] >> 19 & 1
    usage = drive.json("fdp usage", "-e", 1)
    assert usage["nruh"] == configurations["configs"][0]["nruh"]
    status = drive.json("fdp status", "-n", 1)
    assert status["nruhsd"] == len(status["ruhss"]) >= 2
    assert {one["ruamw"] for one in status["ruhss"]} != {0}


def test_writes_go_where_they_are_told(drive: Drive, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.write_bytes(b"\x5a" * BLOCK)
    before, left = statistics(drive), drive.json("fdp status", "-n", 1)["ruhss"]
    for turn in range(4):
        placed_write(drive, 1, turn * BLOCK // 512, data)
    after, now = statistics(drive), drive.json("fdp status", "-n", 1)["ruhss"]
    assert after["hbmw"] - before["hbmw"] == 4 * BLOCK
    assert left[1]["ruamw"] - now[1]["ruamw"] == 4 * BLOCK // 512
    assert left[0]["ruamw"] == now[0]["ruamw"], "of another handle"
    drive.cli("fdp update", "-n", 1, "-p", 1)
    fresh = drive.json("fdp status", "-n", 1)["ruhss"]
    assert fresh[1]["ruamw"] > now[1]["ruamw"]


def test_events_are_logged(drive: Drive, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.write_bytes(b"\x5a" * BLOCK)
    drive.cli("fdp set-events", "-n", 1, "-p", 0, "-e", "-t", "0,3")
    placed_write(drive, 0xFFF0, 0, data)
    (event, *_) = drive.json("fdp events", "-e", 1, "-E")["events"][::-1]
    assert event["type"] == 3 and event["nsid"] == 1


def test_linux_writes_as_on_any_drive(drive: Drive) -> None:
    block = drive.block()
    before = statistics(drive)["hbmw"]
    write(block, 0, b"\xa5" * (1 << 20))
    fio(block, "--rw=randwrite", "--bs=4k", "--size=8M", "--offset=1M", "--verify=crc32c")
    assert statistics(drive)["hbmw"] - before >= 9 << 20
