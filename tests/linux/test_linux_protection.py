# SPDX-License-Identifier: BSD-3-Clause
"""Linux's block layer generates and checks protection information, and nvme-cli has the virtual SSD do it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from kernel import Drive, fio, read, run, wait, write


def lbaf(drive: Drive, data: int, metadata: int) -> int:
    """The index of an LBA format."""
    formats = drive.json("id-ns", "-n", 1)["lbafs"]
    return next(i for i, one in enumerate(formats) if (1 << one["ds"], one["ms"]) == (data, metadata))


def integrity(block: Path, name: str) -> str:
    """One attribute of the block layer's integrity profile."""
    return (Path("/sys/block") / block.name / "integrity" / name).read_text().strip()


@pytest.mark.parametrize("kind", (1, 2, 3))
def test_linux_checks_what_it_has_generated(drive: Drive, kind: int) -> None:
    drive.cli("format", "-n", 1, "-l", lbaf(drive, 512, 8), "-i", kind, "-f")
    block = drive.block()
    # Linux treats types 1 and 2 alike.
    wait(lambda: integrity(block, "format") == f"T10-DIF-TYPE{3 if kind == 3 else 1}-CRC")
    data = os.urandom(65536)
    write(block, 0, data)
    assert read(block, 0, 65536) == data
    assert integrity(block, "tag_size") == {3: "6"}.get(kind, "2")
    words = ["--size=2M", "--verify=crc32c", "--ioengine=libaio", "--iodepth=8"]
    fio(block, "--rw=randwrite", "--bsrange=512-32k", *words)


def test_linux_checks_guards_of_64_bits_and_none_of_deallocated_lbas(drive: Drive) -> None:
    drive.cli("format", "-n", 1, "-l", 11, "-i", 1, "-f")  # 4096 + 16 bytes
    block = drive.block()
    wait(lambda: integrity(block, "format") == "EXT-DIF-TYPE1-CRC64")
    words = ["--size=2M", "--verify=crc32c", "--ioengine=libaio", "--iodepth=8"]
    fio(block, "--rw=randwrite", "--bsrange=4k-32k", *words)
    run("blkdiscard", "-o", 0, "-l", 1 << 20, block)
    assert read(block, 0, 4096) == bytes(4096)
    run("blkdiscard", "-z", "-o", 0, "-l", 1 << 20, block)
    assert read(block, 4096, 4096) == bytes(4096)


FORMATS = {"512 + 8": (512, 8, 16), "4096 + 8": (4096, 8, 16), "4096 + 16, guard of 64 bits": (4096, 16, 64)}
"""Bytes of data and metadata of an LBA format, and bits of its guard."""


@pytest.mark.parametrize("extended", (0, 1), ids=("separate", "extended"))
@pytest.mark.parametrize("kind", (1, 2, 3))
@pytest.mark.parametrize("name", FORMATS)
def test_fio_passes_protection_information(drive: Drive, name: str, kind: int, extended: int) -> None:
    """By io_uring_cmd, fio itself makes and checks it, and asks the drive to check it, too."""
    if "pi_chk" not in run("fio", "--enghelp=io_uring_cmd"):
        pytest.skip("fio 3.37 and later know protection information")
    data, metadata, guard = FORMATS[name]
    index = 11 if guard == 64 else lbaf(drive, data, metadata)
    drive.cli("format", "-n", 1, "-l", index, "-i", kind, "-m", extended, "-f")
    generic = Path("/dev") / drive.block().name.replace("nvme", "ng")
    size = data + metadata * extended
    words = ["--ioengine=io_uring_cmd", "--cmd_type=nvme", "--direct=0", "--iodepth=4", f"--bs={4 * size}"]
    words += [f"--size={256 * size}", f"--md_per_io_size={4 * metadata}", "--pi_act=0"]
    words += ["--pi_chk=GUARD,APPTAG" + (",REFTAG" if kind != 3 else "")]
    fio(generic, "--rw=write", *words, "--apptag=0x1234", "--apptag_mask=0xffff")
    fio(generic, "--rw=randread", *words, "--apptag=0x1234", "--apptag_mask=0xffff")
    fio(generic, "--rw=randread", *words, "--apptag=0x1235", "--apptag_mask=0xfff0")
    with pytest.raises(AssertionError, match="sct=0x02; sc=0x83"):
        fio(generic, "--rw=randread", *words, "--apptag=0x1235", "--apptag_mask=0xffff")


def test_a_wrong_guard_is_an_error_of_the_read(drive: Drive, tmp_path: Path) -> None:
    drive.cli("format", "-n", 1, "-l", lbaf(drive, 512, 8), "-i", 1, "-f")
    block, data, tuples = drive.block(), tmp_path / "data", tmp_path / "tuples"
    wait(lambda: integrity(block, "format") == "T10-DIF-TYPE1-CRC")
    data.write_bytes(os.urandom(512))
    tuples.write_bytes(bytes([0xDE, 0xAD, 0, 0, 0, 0, 0, 8]))
    write(block, 0, bytes(8192))
    run("nvme", "write", block, "-s", 8, "-c", 0, "-z", 512, "-y", 8, "-d", data, "-M", tuples, "-p", 0)
    with pytest.raises(OSError):
        read(block, 4096, 512)
    assert read(block, 0, 512) == bytes(512)
    write(block, 4096, data.read_bytes() * 8)  # a whole page, so that the kernel does not read it first
    assert read(block, 4096, 512) == data.read_bytes()


def test_the_drive_checks_what_nvme_cli_sends(drive: Drive, tmp_path: Path) -> None:
    drive.cli("format", "-n", 1, "-l", lbaf(drive, 512, 8), "-i", 1, "-f")
    block, data, tuples, out = drive.block(), tmp_path / "data", tmp_path / "tuples", tmp_path / "out"
    data.write_bytes(bytes(range(256)) * 2)
    one = [block, "-s", "5", "-c", "0", "-z", "512"]
    run("nvme", "write", *one, "-d", data, "-p", "8", "-r", "5")  # PRACT
    run("nvme", "read", *one, "-y", "8", "-d", out, "-M", tuples, "-p", "7", "-r", "5")
    assert out.read_bytes() == data.read_bytes()
    guard = _crc16(data.read_bytes())
    assert tuples.read_bytes() == guard.to_bytes(2, "big") + b"\x00\x00" + (5).to_bytes(4, "big")
    tuples.write_bytes((guard ^ 1).to_bytes(2, "big") + b"\x00\x00" + (5).to_bytes(4, "big"))
    refused = run("nvme", "write", *one, "-y", "8", "-d", data, "-M", tuples, "-p", "7", "-r", "5", code=1)
    assert "Guard" in refused or "282" in refused


def _crc16(data: bytes) -> int:
    crc = 0
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = crc << 1 ^ (0x18BB7 if crc & 0x8000 else 0)
    return crc & 0xFFFF
