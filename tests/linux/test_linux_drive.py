# SPDX-License-Identifier: BSD-3-Clause
"""Linux's driver, its block layer, a file system, fio and nvme-cli on the virtual SSD as it is by default."""

from __future__ import annotations

import os
import re
from pathlib import Path

from kernel import Drive, fio, loaded, read, run, wait, write

MIB = 1 << 20


def test_linux_takes_the_drive(drive: Drive) -> None:
    block = drive.block()
    identify = drive.json("id-ctrl")
    assert (drive.path / "serial").read_text().strip() == identify["sn"].strip()
    assert (drive.path / "firmware_rev").read_text().strip() == identify["fr"].strip()
    assert (Path("/sys/block") / block.name / "queue/write_cache").read_text() == "write back\n"
    assert "host memory buffer" in run("dmesg")
    capabilities = run("lspci", "-vvs", drive.function.name)
    assert "Kernel driver in use: nvme" in capabilities and "MSI-X: Enable+" in capabilities


def test_fio_verifies_its_data(drive: Drive) -> None:
    words = ["--ioengine=libaio", "--iodepth=16", "--size=8M", "--verify=crc32c"]
    fio(drive.block(), "--rw=randwrite", "--bsrange=512-64k", *words)
    fio(drive.block(), "--rw=randrw", "--bs=4k", *words)
    fio(drive.block(), "--rw=write", "--bs=1M", *words)


def test_a_file_system_keeps_a_file(drive: Drive, tmp_path: Path) -> None:
    block, mount = drive.block(), tmp_path / "mount"
    mount.mkdir()
    run("mkfs.ext4", "-q", "-E", "nodiscard", block, "200M")
    data = os.urandom(6 * MIB)
    run("mount", "-o", "discard", block, mount)
    (mount / "kept").write_bytes(data)
    (mount / "deleted").write_bytes(data)
    (mount / "deleted").unlink()
    run("fstrim", mount)
    run("umount", mount)
    run("e2fsck", "-fn", block)
    run("mount", block, mount)
    assert (mount / "kept").read_bytes() == data
    run("umount", mount)


def test_discard_and_zeroes(drive: Drive) -> None:
    block = drive.block()
    write(block, 0, b"\xa5" * (2 * MIB))
    run("blkdiscard", "-o", "0", "-l", str(MIB), block)
    assert read(block, 0, MIB) == bytes(MIB)
    run("blkdiscard", "--zeroout", "-o", str(MIB), "-l", "65536", block)
    assert read(block, MIB, 131072) == bytes(65536) + b"\xa5" * 65536


def test_an_uncorrectable_lba_is_an_error_until_it_is_written(drive: Drive) -> None:
    block = drive.block()
    write(block, 0, bytes(8192))
    run("nvme", "write-uncor", block, "-s", "8", "-c", "0")
    run("blockdev", "--flushbufs", block)
    one = ["dd", f"if={block}", "of=/dev/null", "bs=512", "count=1", "iflag=direct"]
    run(*one, "skip=8", code=1)
    run(*one, "skip=9")
    write(block, 4096, b"\x5a" * 4096)
    assert read(block, 4096, 4096) == b"\x5a" * 4096


def test_resets_under_load_lose_nothing(drive: Drive) -> None:
    with loaded(drive.block(), "--size=64M", "--io_size=6M", "--rate_iops=400"):
        for number in range(4):
            way = drive.path / "reset_controller" if number % 2 else drive.function / "reset"
            way.write_text("1")
            wait(lambda: drive.state() == "live")


def test_features_logs_and_operations(drive: Drive) -> None:
    block = drive.block()
    drive.cli("set-feature", "-f", 4, "--value", 350)
    assert "0x0000015e" in drive.cli("get-feature", "-f", 4)
    drive.cli("reset")
    assert drive.json("smart-log")["temperature"] > 273
    drive.cli("device-self-test", "-s", 1)
    wait(lambda: drive.json("self-test-log")["Current Device Self-Test Operation"] == 0, 60)
    write(block, 0, b"\xa5" * MIB)
    drive.cli("format", "-n", 1, "-s", 1, "-f")
    assert read(block, 0, MIB) == bytes(MIB)
    write(block, 0, b"\xa5" * MIB)
    drive.cli("sanitize", "-a", 2)
    wait(lambda: re.search(r"SSTAT\) :  0x(10)?1$", drive.cli("sanitize-log"), re.M), 60)
    assert read(block, 0, MIB) == bytes(MIB)
    drive.cli("format", "-n", 1, "-l", 1, "-f")
    wait(lambda: run("blockdev", "--getss", block).strip() == "4096")
    drive.cli("format", "-n", 1, "-l", 0, "-f")
    wait(lambda: run("blockdev", "--getss", block).strip() == "512")


def test_the_drive_goes_and_comes_back(drive: Drive) -> None:
    block = drive.block()
    data = os.urandom(MIB)
    write(block, 0, data)
    run("nvme", "flush", block)
    (drive.function / "remove").write_text("1")
    wait(lambda: not drive.path.exists())
    Path("/sys/bus/pci/rescan").write_text("1")
    wait(lambda: drive.path.exists() and drive.state() == "live")
    assert read(drive.block(), 0, MIB) == data
