# SPDX-License-Identifier: BSD-3-Clause
"""Linux locks and unlocks the ranges of a virtual SSD (block/sed-opal.c)."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import sed
from kernel import Drive, read, wait, write

KIB = 1 << 10
PASSWORD, USER = "secret", "user's"
WRONG = 1  # the status Not Authorized


@pytest.fixture
def opal(drive: Drive) -> Iterator[sed.Opal]:
    opal = sed.Opal(drive.block())
    assert opal.status() & (sed.SUPPORTED | sed.LOCKING_SUPPORTED) == sed.SUPPORTED | sed.LOCKING_SUPPORTED
    assert not opal.status() & sed.LOCKING_ENABLED
    assert opal.take_ownership(PASSWORD) == 0 and opal.activate(PASSWORD) == 0
    yield opal
    serial = (drive.path / "serial").read_text().strip()
    assert opal.revert_psid(f"PSID-{serial}") == 0
    assert not opal.status() & sed.LOCKING_ENABLED


def can_read(block: Path, offset: int) -> bool:
    try:
        read(block, offset, 4 * KIB)
    except OSError:
        return False
    return True


def can_write(block: Path, offset: int) -> bool:
    try:
        write(block, offset, bytes(4 * KIB))
    except OSError:
        return False
    return True


def test_nvme_cli_writes_protected_blocks(
    drive: Drive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # nvme-cli puts ./ before names
    Path("key").write_bytes(bytes(range(32)))
    data = os.urandom(1024)
    Path("data").write_bytes(data)

    def rpmb(command: str, *words: str) -> str:
        """Return what nvme-cli prints. Its exit status is 1 after some successes, too."""
        program = ["nvme", "rpmb", str(drive.device), "-c", command, "-t", "0", "-g", "key", *words]
        done = subprocess.run(program, capture_output=True, text=True, timeout=60)
        return done.stdout + done.stderr

    assert "Failed" not in rpmb("program-key")
    assert "Write Counter is: 0" in rpmb("read-counter")
    assert "Written 2 sectors out of 2" in rpmb("write-data", "-o", "4", "-b", "2", "-f", "data")
    assert "Write Counter is: 1" in rpmb("read-counter")
    rpmb("read-data", "-o", "4", "-b", "2", "-f", "read")
    assert Path("read").read_bytes()[:1024] == data, "nvme-cli writes more than it has read"


def test_ranges_are_locked_and_unlocked(opal: sed.Opal) -> None:
    block = opal.block
    assert opal.status() & sed.LOCKING_ENABLED and not opal.status() & sed.IS_LOCKED
    assert opal.set_up_range(1, 0, 64, PASSWORD) == 0  # 64 LBAs of 512 bytes, which get a key of their own
    write(block, 0, b"\xa5" * 64 * KIB)
    assert opal.lock(1, sed.LOCKED, "wrong") == WRONG
    assert opal.lock(1, sed.LOCKED, PASSWORD) == 0 and opal.status() & sed.IS_LOCKED
    assert not can_read(block, 0) and not can_write(block, 0)
    assert read(block, 32 * KIB, 4 * KIB) == b"\xa5" * 4 * KIB, "behind the range"
    assert opal.lock(1, sed.READ_ONLY, PASSWORD) == 0
    assert read(block, 0, 4 * KIB) == b"\xa5" * 4 * KIB and not can_write(block, 0)
    assert opal.lock(1, sed.READ_WRITE, PASSWORD) == 0 and can_write(block, 0)


def test_a_user_unlocks_its_own_range(opal: sed.Opal) -> None:
    assert opal.set_up_range(1, 0, 64, PASSWORD) == opal.set_up_range(2, 64, 64, PASSWORD) == 0
    assert opal.activate_user(1, PASSWORD) == 0
    assert opal.set_password(sed.ADMIN1, PASSWORD, USER, 1) == 0
    assert opal.add_user(1, 1, sed.READ_WRITE, PASSWORD) == opal.add_user(1, 1, sed.READ_ONLY, PASSWORD) == 0
    for lr in (1, 2):
        assert opal.lock(lr, sed.LOCKED, PASSWORD) == 0
    assert opal.lock(1, sed.READ_WRITE, USER, 1) == 0 and can_read(opal.block, 0)
    assert opal.lock(2, sed.READ_WRITE, USER, 1) != 0 and not can_read(opal.block, 32 * KIB)


def test_the_shadow_mbr_hides_the_data(opal: sed.Opal, drive: Drive) -> None:
    block = opal.block
    assert opal.set_up_range(1, 0, 64, PASSWORD) == 0
    write(block, 0, b"\xa5" * 4 * KIB)
    assert opal.mbr(True, PASSWORD) == 0 and opal.mbr_done(False, PASSWORD) == 0
    assert opal.status() & sed.MBR_ENABLED and not opal.status() & sed.MBR_IS_DONE
    assert read(block, 0, 4 * KIB) == bytes(4 * KIB)
    assert opal.mbr_done(True, PASSWORD) == 0 and read(block, 0, 4 * KIB) == b"\xa5" * 4 * KIB
    assert opal.mbr(False, PASSWORD) == 0
    (drive.path / "reset_controller").write_text("1")
    wait(lambda: drive.state() == "live")
    assert can_read(block, 0), "a reset of the controller is no power cycle"


def test_an_erased_range_has_lost_its_data(opal: sed.Opal) -> None:
    block = opal.block
    assert opal.set_up_range(1, 0, 64, PASSWORD) == 0
    write(block, 0, b"\xa5" * 64 * KIB)
    assert opal.erase(1, PASSWORD) == 0
    assert b"\xa5" * 512 not in read(block, 0, 32 * KIB)
    assert read(block, 32 * KIB, 32 * KIB) == b"\xa5" * 32 * KIB
