# SPDX-License-Identifier: BSD-3-Clause
"""The kernel's driver and ours in turn: what one writes the other reads, and nothing of ours stays behind."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import nvme as d
import pytest

from pynvme import pci
from tests.qemu.conftest import disk_of, driver_of, override_of

TURNS = 20
KILLED = range(9, TURNS, 10)
"""The turns in which a script of its own is killed instead."""

SIZE = 4096
STATE = Path("/run/pynvme")

SCRIPT = """
import os
nvme0 = d.Controller({address!r})
namespace, pair, buf = d.Namespace(nvme0, 1), d.Qpair(nvme0, 16), d.Buffer(4096)
namespace.read(pair, buf, 8, 8).waitdone()
assert buf[:] == bytes([{theirs}]) * 4096
buf[:] = bytes([{ours}]) * 4096
namespace.verify_enable(False)
namespace.write(pair, buf, 16, 8).waitdone()
namespace.flush(pair).waitdone()
worker = namespace.ioworker(region_start=64, region_end=4096, io_count=100000000, qdepth=8).start()
print("written", flush=True)
os.kill(os.getpid(), 9)
"""


class Held(NamedTuple):
    """What a drive that was given back must not hold any more."""

    open_groups: list[str]
    mapped: list[str]
    pages: dict[str, int]
    locks: list[str]
    state: list[str]
    override: str
    driver: str


def open_files(folder: Path) -> list[str]:
    """Name what a process has open; the list itself is open while it is made."""
    found = []
    for path in (folder / "fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            found.append(os.readlink(path))
    return found


def holders(kind: str) -> list[str]:
    """Name the processes that have a group of VFIO, a device of it, or its registers."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            names = open_files(folder) if kind == "fd" else (folder / "maps").read_text().splitlines()
        except (FileNotFoundError, ProcessLookupError):
            continue
        # DPDK opens the container when it starts, whatever it is for.
        found += [f"{folder.name}: {name}" for name in names if "vfio" in name and name != "/dev/vfio/vfio"]
    return found


def held(address: str) -> Held:
    """Look at all that could be left."""
    numbers = dict(re.findall(r"(\w+): +(\d+)", Path("/proc/meminfo").read_text()))
    return Held(
        holders("fd"),
        holders("maps"),
        {name: int(numbers[name]) for name in ("Mlocked", "HugePages_Free", "HugePages_Rsvd")},
        [line for line in Path("/proc/locks").read_text().splitlines() if not line.startswith("0")],
        sorted(name for name in os.listdir(STATE) if not name.startswith(".")) if STATE.is_dir() else [],
        override_of(address),
        driver_of(address),
    )


@pytest.fixture(autouse=True)
def ours_ends(plain: str) -> Iterator[None]:
    """Give the drive back whatever happens."""
    pci.release()
    pci.Machine().restore()
    yield
    if driver_of(plain) != "nvme":
        d.Pcie(plain).close()
        pci.release()


def kernel_writes(disk: Path, lba: int, byte: int, passthru: bool) -> None:
    """Write 4 KiB by the kernel's driver: as a block device by dd, or as a command by nvme-cli."""
    data = bytes([byte]) * SIZE
    if passthru:
        command = f"nvme write {disk} --start-block={lba} --block-count=7 --data-size={SIZE}"
    else:
        command = f"dd of={disk} bs={SIZE} seek={lba // 8} oflag=direct iflag=fullblock status=none"
    subprocess.run(command, shell=True, input=data, check=True, capture_output=True)


def kernel_reads(disk: Path, lba: int, passthru: bool) -> bytes:
    """Read 4 KiB likewise."""
    if passthru:
        command = f"nvme read {disk} --start-block={lba} --block-count=7 --data-size={SIZE}"
    else:
        command = f"dd if={disk} bs={SIZE} skip={lba // 8} count=1 iflag=direct status=none"
    return subprocess.run(command, shell=True, check=True, capture_output=True).stdout


def our_turn(address: str, theirs: int, ours: int) -> None:
    """Take the drive, read what the kernel wrote, write, run a verified worker, give the drive back."""
    nvme0 = d.Controller(address)
    assert driver_of(address) == "vfio-pci"
    namespace, pair, buf = d.Namespace(nvme0, 1), d.Qpair(nvme0, 16), d.Buffer(SIZE)
    namespace.read(pair, buf, 8, 8).waitdone()
    assert buf[:] == bytes([theirs]) * SIZE
    buf[:] = bytes([ours]) * SIZE
    namespace.verify_enable(False)
    namespace.write(pair, buf, 16, 8).waitdone()
    namespace.flush(pair).waitdone()
    namespace.verify_enable(True)
    region = {"region_start": 64, "region_end": 4096, "io_count": 256}
    namespace.ioworker(read_percentage=0, lba_random=False, **region).start().close()
    result = namespace.ioworker(read_percentage=50, qdepth=16, **region).start().close()
    assert (result.error, result.lba_mismatch) == (0, 0)
    assert result.lba_verified > 0
    pair.delete()
    namespace.close()
    d.Pcie(nvme0).close()
    pci.release()


def a_killed_turn(run_script, address: str, theirs: int, ours: int) -> None:
    """Do the same in a script that is killed while its worker runs; the drive is restored by hand."""
    done = run_script(SCRIPT.format(address=address, theirs=theirs, ours=ours))
    assert done.returncode == -9, done.stdout
    assert done.stdout.endswith("written\n")
    assert driver_of(address) == "vfio-pci"
    said = subprocess.run(
        [sys.executable, "-m", "pynvme", "bind", "--restore"], capture_output=True, text=True
    )
    assert f"{address} is bound to nvme" in said.stdout, said.stderr


def test_twenty_turns_leave_nothing_behind(plain, run_script):
    kept = d.Buffer(SIZE)  # what this process has for itself anyway, it has before
    before = held(plain)
    assert before[:2] == ([], [])
    assert before[4:] == ([], "", "nvme")
    for turn in range(TURNS):
        theirs, ours = 1 + 2 * turn, 2 + 2 * turn
        by_command = turn % 2 == 1
        disk = disk_of(plain)
        kernel_writes(disk, 8, theirs, by_command)
        if turn in KILLED:
            a_killed_turn(run_script, plain, theirs, ours)
        else:
            our_turn(plain, theirs, ours)
        found = kernel_reads(disk_of(plain), 16, by_command)
        for at in range(0, SIZE, 512):  # the first and the last 8 bytes of each LBA are the stamp's
            assert found[at + 8 : at + 504] == bytes([ours]) * 496, f"turn {turn}"
        assert held(plain) == before, f"turn {turn}"
    del kept


def test_a_drive_whose_handles_are_open_is_not_given_back(plain):
    """The kernel would wait for them, and this process for the kernel."""
    nvme0 = d.Controller(plain)
    with pytest.raises(pci.DriveError, match=f"{plain} is open in this process"):
        pci.release()
    assert nvme0[0x1C] & 1
    assert driver_of(plain) == "vfio-pci"
    d.Pcie(nvme0).close()
    pci.release()
    assert driver_of(plain) == "nvme"
