# SPDX-License-Identifier: BSD-3-Clause
"""Linux's multipath with two controllers of one virtual SSD, which reports Asymmetric Namespace Access."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from kernel import Drive, fio, loaded, read, wait, write
from kernel import controllers as all_controllers

MIB = 1 << 20
STATES = {"optimized": 1, "non-optimized": 2, "inaccessible": 3, "persistent-loss": 4, "change": 15}
"""By Linux's names, with the value of feature 80h to which tests/linux/paths.faults reacts."""


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


def state_of(drive: Drive) -> str:
    """The ANA state of namespace 1 at a controller, as Linux knows it."""
    (path,) = drive.path.glob("nvme*c*n1")
    return (path / "ana_state").read_text().strip()


def change(drive: Drive, state: str) -> None:
    """Change the state at a controller, and wait until Linux has learnt it.

    `nvme set-feature` names all namespaces, which an inaccessible controller refuses.
    """
    drive.cli("admin-passthru", "--opcode=0x9", "--cdw10=0x80", f"--cdw11={STATES[state]}")
    wait(lambda: state_of(drive) == state)


def test_linux_follows_the_states(both: list[Drive]) -> None:
    first, second = both
    assert [state_of(one) for one in both] == ["optimized", "optimized"]
    log = first.json("ana-log")
    assert "optimized" in str(log) and first.json("id-ctrl")["anagrpmax"] == 1
    block = first.block()
    for state in ("non-optimized", "inaccessible", "persistent-loss", "optimized"):
        for one, other in ((first, second), (second, first)):
            change(one, state)
            data = bytes([STATES[state]]) * MIB
            write(block, 0, data)
            assert read(block, 0, MIB) == data
            change(one, "optimized")
            assert state_of(other) == "optimized"


def test_io_waits_until_a_path_comes_back(both: list[Drive]) -> None:
    first, second = both
    block = first.block()
    write(block, 0, b"\x5a" * MIB)
    change(first, "inaccessible")
    change(second, "inaccessible")
    reader = subprocess.Popen(
        ["dd", f"if={block}", "of=/dev/null", "bs=1M", "count=1", "iflag=direct"], stderr=subprocess.PIPE
    )
    with pytest.raises(subprocess.TimeoutExpired):
        reader.wait(2)
    change(second, "optimized")
    assert reader.wait(30) == 0
    reader.communicate()
    change(first, "optimized")


def test_no_io_fails_while_states_change(both: list[Drive]) -> None:
    first, second = both
    block = first.block()
    with loaded(block, "--size=16M", "--io_size=4M", "--offset=64M", "--rate_iops=300"):
        for state in ("inaccessible", "non-optimized", "persistent-loss"):
            for one in (first, second):
                change(one, state)
                change(one, "optimized")


def test_io_goes_on_while_a_path_is_away(both: list[Drive]) -> None:
    block = both[0].block()
    write(block, 0, b"\xa5" * MIB)
    with loaded(block, "--size=32M", "--io_size=6M", "--offset=4M", "--rate_iops=300"):
        for drive in (both[0], both[1], both[0]):
            (drive.path / "reset_controller").write_text("1")
            wait(lambda drive=drive: drive.state() == "live")
        (both[1].function / "remove").write_text("1")
    assert read(block, 0, MIB) == b"\xa5" * MIB
    Path("/sys/bus/pci/rescan").write_text("1")
    # It may have another number than before.
    wait(lambda: [one.state() for one in map(Drive, all_controllers())] == ["live", "live"])
    fio(block, "--rw=randwrite", "--bs=4k", "--size=2M", "--verify=crc32c")
