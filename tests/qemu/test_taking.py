# SPDX-License-Identifier: BSD-3-Clause
"""A drive changes hands: taken from the kernel's driver, given back, and refused while it is in use.

Each script is a process of its own, since what a process has taken it keeps until its end.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pynvme import pci
from tests.qemu.conftest import disk_of, driver_of

STATE = Path("/run/pynvme")
MIB = 1 << 20

HELLO = "print(d.Controller({!r}).id_data(63, 24, str))"

WRITE = """
nvme0 = d.Controller({address!r})
namespace, pair, buf = d.Namespace(nvme0, 1), d.Qpair(nvme0, 16), d.Buffer(4096)
buf[:] = {byte!r} * 4096
namespace.verify_enable(False)
namespace.write(pair, buf, 0, 8).waitdone()
namespace.flush(pair).waitdone()
"""

READ = """
nvme0 = d.Controller({address!r})
namespace, pair, buf = d.Namespace(nvme0, 1), d.Qpair(nvme0, 16), d.Buffer(4096)
namespace.read(pair, buf, 0, 8).waitdone()
print(bytes(buf[:16]).hex())
"""


@pytest.fixture(autouse=True)
def nothing_is_left_bound(plain: str) -> Iterator[None]:
    """Start with a drive that the kernel has, whatever this process did before."""
    pci.give_back()
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
    return done.stdout.strip().splitlines()[-1]


def test_a_script_gives_the_drive_back_at_its_end(plain, run_script):
    done = run_script(HELLO.format(plain))
    assert done.returncode == 0, done.stdout
    assert "QEMU" in done.stdout
    assert driver_of(plain) == "nvme"
    assert disk_of(plain).is_block_device()


@pytest.mark.parametrize("turn", range(2))
def test_what_one_driver_writes_the_other_reads(plain, run_script, turn):
    byte = bytes([0x41 + turn])
    done = run_script(WRITE.format(address=plain, byte=byte))
    assert done.returncode == 0, done.stdout
    disk = disk_of(plain)
    with disk.open("rb") as file:
        assert file.read(4096)[8:504] == byte * 496, (
            "the first and the last 8 bytes of each LBA are the stamp's"
        )

    sh(f"head -c 4096 /dev/zero | tr '\\0' 'k' | dd of={disk} bs=4096 oflag=direct status=none && sync")
    done = run_script(READ.format(address=plain))
    assert done.returncode == 0, done.stdout
    assert done.stdout.split()[-1] == (b"k" * 16).hex()


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
    with contextlib.ExitStack() as stack:
        if subprocess.run("command -v dmsetup", shell=True, capture_output=True).returncode:
            pytest.skip("needs dmsetup")
        sh(f"modprobe dm-mod; dmsetup create ours --table '0 2048 linear {disk} 0'")
        stack.callback(sh, "dmsetup remove ours")
        assert "is part of the device mapper ours" in refused(run_script, plain)


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
