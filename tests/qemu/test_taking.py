# SPDX-License-Identifier: BSD-3-Clause
"""A drive changes hands: taken from the kernel's driver, given back, and refused while it is in use.

Each script is a process of its own, since what a process has taken it keeps until its end.
"""

from __future__ import annotations

import os
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pynvme import pci
from tests.qemu.conftest import disk_of, driver_of, override_of

STATE = Path("/run/pynvme")
MIB = 1 << 20

HELLO = "print(d.Controller({!r}).id_data(63, 24, str))"


@pytest.fixture(autouse=True)
def nothing_is_left_bound(plain: str) -> Iterator[None]:
    """Start with a drive that the kernel has, whatever this process did before."""
    pci.release()
    pci.Machine().restore()
    disk_of(plain)
    yield
    assert driver_of(plain) == "nvme"
    assert not [name for name in os.listdir(STATE) if not name.startswith(".")]


def sh(command: str) -> str:
    """Run a command of the shell; it must succeed."""
    done = subprocess.run(command, shell=True, capture_output=True, text=True)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


def refused(run_script, plain: str) -> str:
    """Let a script try to take the drive: the error that it gets."""
    done = run_script(HELLO.format(plain))
    assert done.returncode == 1
    assert driver_of(plain) == "nvme"
    assert override_of(plain) == ""
    assert done.stdout.rstrip().endswith("Nothing was touched")
    return done.stdout.strip().splitlines()[-1]


def test_a_script_gives_the_drive_back_at_its_end(plain, run_script):
    done = run_script(HELLO.format(plain))
    assert done.returncode == 0, done.stdout
    assert "QEMU" in done.stdout
    assert driver_of(plain) == "nvme"
    assert disk_of(plain).is_block_device()


def test_a_mounted_drive_is_refused_by_where_it_is_mounted(plain, run_script, tmp_path):
    disk = disk_of(plain)
    sh(f"mke2fs -q -F {disk} 65536 && mount {disk} {tmp_path}")
    try:
        assert f"{disk.name} is mounted on {tmp_path}" in refused(run_script, plain)
    finally:
        sh(f"umount {tmp_path}")


def test_a_drive_with_swap_space_is_refused(plain, run_script):
    disk = disk_of(plain)
    sh(f"mkswap {disk} 65536 && swapon {disk}")
    try:
        assert f"{disk.name} is swap space" in refused(run_script, plain)
    finally:
        sh(f"swapoff {disk}")


def test_a_drive_that_a_process_has_open_is_refused_by_its_name(plain, run_script):
    disk = disk_of(plain)
    with disk.open("rb"):
        text = refused(run_script, plain)
    assert f"process {os.getpid()} (" in text
    assert f"has {disk} open" in text


def test_a_drive_that_is_mapped_is_refused_by_the_name_of_the_map(plain, run_script):
    disk = disk_of(plain)
    sh(f"modprobe dm-mod; dmsetup create ours --table '0 2048 linear {disk} 0'")
    try:
        assert "is part of the device mapper ours" in refused(run_script, plain)
    finally:
        sh("dmsetup remove ours")


@pytest.fixture
def partition(plain: str) -> Iterator[Path]:
    """Give a partition of 64 MiB, which begins at 1 MiB; the table goes away afterwards."""
    disk = disk_of(plain)
    entry = struct.pack("<B3sB3sII", 0, b"", 0x83, b"", MIB // 512, 64 * MIB // 512)
    disk.write_bytes(bytes(446) + entry + bytes(48) + b"\x55\xaa")
    sh(f"blockdev --rereadpt {disk}")
    yield Path(f"{disk}p1")
    disk.write_bytes(bytes(512))
    sh(f"blockdev --rereadpt {disk}")


def test_a_mounted_partition_is_refused_by_its_own_name(plain, run_script, tmp_path, partition):
    sh(f"mke2fs -q -F {partition} && mount {partition} {tmp_path}")
    (tmp_path / "file").write_text("what somebody needs")
    try:
        assert f"{partition.name} is mounted on {tmp_path}" in refused(run_script, plain)
        sh("echo 3 >/proc/sys/vm/drop_caches")
        assert (tmp_path / "file").read_text() == "what somebody needs"
    finally:
        sh(f"umount {tmp_path}")


def test_a_partition_with_swap_space_is_refused_by_its_own_name(plain, run_script, partition):
    sh(f"mkswap {partition} && swapon {partition}")
    try:
        assert f"{partition.name} is swap space" in refused(run_script, plain)
    finally:
        sh(f"swapoff {partition}")


@pytest.mark.parametrize("whole", [True, False], ids=["drive", "partition"])
def test_a_drive_in_a_raid_is_refused_by_its_name(plain, run_script, tmp_path, partition, whole):
    part = disk_of(plain) if whole else partition
    # Nobody runs udev here, whom mdadm would wait for.
    sh(
        f"modprobe raid1; MDADM_NO_UDEV=1 mdadm --create /dev/md7 --level=1 --raid-devices=2 --run "
        f"--metadata=1.2 {part} missing 2>&1"
    )
    try:
        assert f"{part.name} is part of the RAID md7" in refused(run_script, plain)
        sh(f"mke2fs -q -F /dev/md7 8192 && mount /dev/md7 {tmp_path}")
        try:
            assert f"md7 (the RAID md7) is mounted on {tmp_path}" in pci.Machine().users(plain)
        finally:
            sh(f"umount {tmp_path}")
    finally:
        sh(f"mdadm --stop /dev/md7 2>&1 && mdadm --zero-superblock {part}")
    assert pci.Machine().users(plain) == []


def test_a_drive_of_a_volume_is_refused_by_the_name_of_the_volume(plain, run_script, tmp_path):
    disk = disk_of(plain)
    alone = "--config 'activation{udev_sync=0 udev_rules=0}'"
    sh(f"vgcreate {alone} -y ours {disk} && lvcreate {alone} -y -Zn -Wn -L 64M -n home ours")
    try:
        assert f"{disk.name} is part of the LVM volume ours-home" in refused(run_script, plain)
        sh(f"mke2fs -q -F /dev/mapper/ours-home 8192 && mount /dev/mapper/ours-home {tmp_path}")
        try:
            assert f"(the LVM volume ours-home) is mounted on {tmp_path}" in "".join(
                pci.Machine().users(plain)
            )
        finally:
            sh(f"umount {tmp_path}")
    finally:
        sh(f"vgchange {alone} -an ours && vgremove {alone} -y ours && pvremove {disk}")


def test_after_a_kill_the_drive_is_restored(plain, run_script):
    done = run_script(f"d.Controller({plain!r}); import os; os.kill(os.getpid(), 9)")
    assert done.returncode == -9, done.stdout
    assert driver_of(plain) == "vfio-pci"
    said = sh(f"{sys.executable} -m pynvme bind --restore")
    assert f"{plain} is bound to nvme" in said
    assert driver_of(plain) == "nvme"


def test_what_a_killed_script_left_the_next_one_takes_and_gives_back(plain, run_script):
    assert run_script(f"d.Controller({plain!r}); import os; os.kill(os.getpid(), 9)").returncode == -9
    assert run_script(HELLO.format(plain)).returncode == 0
    assert driver_of(plain) == "nvme"


def test_a_drive_is_bound_by_hand_until_it_is_restored(plain, run_script):
    said = sh(f"{sys.executable} -m pynvme bind {plain}")
    assert f"{plain} is bound to vfio-pci" in said
    assert run_script(HELLO.format(plain)).returncode == 0
    assert driver_of(plain) == "vfio-pci", "a script does not give back what it did not take"
    sh(f"{sys.executable} -m pynvme bind --restore")


def test_a_drive_that_another_process_has_taken_is_refused(plain, run_script):
    other = f"import nvme; nvme.Controller({plain!r})"
    done = run_script(
        f"held = d.Controller({plain!r})\n"
        "import subprocess, sys\n"
        f"print(subprocess.run([sys.executable, '-c', {other!r}], stderr=subprocess.PIPE, text=True).stderr)"
    )
    assert "is in use by process" in done.stdout
