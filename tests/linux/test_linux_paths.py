# SPDX-License-Identifier: BSD-3-Clause
"""Linux's multipath with two controllers of one virtual SSD."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from kernel import Drive, fio, read, wait, write
from kernel import controllers as all_controllers

MIB = 1 << 20


@pytest.fixture
def both(drive: Drive, controllers: list[Drive]) -> list[Drive]:
    """Give both controllers."""
    assert len(controllers) == 2
    return controllers


def test_linux_knows_one_subsystem(both: list[Drive]) -> None:
    first, second = both
    one, other = first.json("id-ctrl"), second.json("id-ctrl")
    assert one["subnqn"] == other["subnqn"] and one["cntlid"] != other["cntlid"]
    assert one["cmic"] & 2
    folders = list(Path("/sys/class/nvme-subsystem").glob("nvme-subsys*"))
    assert len(folders) == 1
    assert len(list(folders[0].glob("nvme[0-9]"))) == 2
    text = first.cli("list-ctrl")
    assert "num of ctrls present: 2" in text


def test_io_goes_on_while_a_path_is_away(both: list[Drive]) -> None:
    block = both[0].block()
    write(block, 0, b"\xa5" * MIB)
    words = ["--rw=randrw", "--bs=4k", "--size=32M", "--io_size=6M", "--verify=crc32c", "--offset=4M"]
    words += ["--ioengine=libaio", "--iodepth=8", "--rate_iops=300"]
    load = subprocess.Popen(
        ["fio", "--name=load", f"--filename={block}", "--direct=1", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    for drive in (both[0], both[1], both[0]):
        (drive.path / "reset_controller").write_text("1")
        wait(lambda drive=drive: drive.state() == "live")
    (both[1].function / "remove").write_text("1")
    output, _ = load.communicate(timeout=240)
    assert load.returncode == 0, output
    assert read(block, 0, MIB) == b"\xa5" * MIB
    Path("/sys/bus/pci/rescan").write_text("1")
    # It may have another number than before.
    wait(lambda: [one.state() for one in map(Drive, all_controllers())] == ["live", "live"])
    fio(block, "--rw=randwrite", "--bs=4k", "--size=2M", "--verify=crc32c")
