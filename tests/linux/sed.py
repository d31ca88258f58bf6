# SPDX-License-Identifier: BSD-3-Clause
"""The ioctls of Linux for self-encrypting drives (include/uapi/linux/sed-opal.h)."""

from __future__ import annotations

import fcntl
import struct
from pathlib import Path

ADMIN1 = 0
READ_ONLY, READ_WRITE, LOCKED = 1, 2, 4
MBR_ENABLE, MBR_DISABLE = 0, 1
WRITE, READ = 1, 2  # directions of an ioctl

SAVE, LOCK_UNLOCK, TAKE_OWNERSHIP, ACTIVATE_LSP, SET_PASSWORD, ACTIVATE_USER, REVERT_TPER = range(220, 227)
SET_UP_RANGE, ADD_USER, ENABLE_MBR, ERASE, SECURE_ERASE, PSID_REVERT, MBR_DONE = range(227, 234)
GET_STATUS = 236

SUPPORTED, LOCKING_SUPPORTED, LOCKING_ENABLED, IS_LOCKED, MBR_ENABLED, MBR_IS_DONE = (
    1 << bit for bit in range(6)
)


def key(password: str, lr: int = 0) -> bytes:
    """A password, and the locking range that it is for."""
    return struct.pack("<BB6x256s", lr, len(password), password.encode())


def session(password: str, who: int = ADMIN1, lr: int = 0) -> bytes:
    """The user of a session, with the password."""
    return struct.pack("<II", 0, who) + key(password, lr)


class Opal:
    """A block device, whose ioctls return 0, an errno as a negative number, or a status of TCG."""

    def __init__(self, block: Path) -> None:
        self.block = block

    def _call(self, number: int, data: bytes) -> int:
        request = WRITE << 30 | len(data) << 16 | ord("p") << 8 | number
        with self.block.open("rb") as file:
            try:
                return fcntl.ioctl(file, request, bytearray(data))
            except OSError as error:
                return -(error.errno or 0)

    def status(self) -> int:
        """The flags of the drive."""
        data = bytearray(8)
        with self.block.open("rb") as file:
            fcntl.ioctl(file, READ << 30 | len(data) << 16 | ord("p") << 8 | GET_STATUS, data)
        return struct.unpack_from("<I", data)[0]

    def take_ownership(self, password: str) -> int:
        return self._call(TAKE_OWNERSHIP, key(password))

    def activate(self, password: str) -> int:
        return self._call(ACTIVATE_LSP, key(password) + struct.pack("<IB9s2x", 0, 1, b""))

    def set_up_range(self, lr: int, start: int, length: int, password: str) -> int:
        """In LBAs. Both locks are enabled."""
        return self._call(
            SET_UP_RANGE, struct.pack("<QQII", start, length, 1, 1) + session(password, ADMIN1, lr)
        )

    def lock(self, lr: int, state: int, password: str, who: int = ADMIN1) -> int:
        return self._call(LOCK_UNLOCK, session(password, who, lr) + struct.pack("<I4x", state))

    def save(self, lr: int, state: int, password: str) -> int:
        """Have the kernel remember the password, and unlock the range when the machine wakes."""
        return self._call(SAVE, session(password, ADMIN1, lr) + struct.pack("<I4x", state))

    def activate_user(self, who: int, password: str) -> int:
        return self._call(ACTIVATE_USER, session(password, who))

    def set_password(self, who: int, password: str, new: str, of: int) -> int:
        return self._call(SET_PASSWORD, session(password, who) + session(new, of))

    def add_user(self, lr: int, who: int, state: int, password: str) -> int:
        """Let a user lock and unlock a range; Admin1 has this password."""
        return self._call(ADD_USER, session(password, who, lr) + struct.pack("<I4x", state))

    def mbr(self, enable: bool, password: str) -> int:
        return self._call(
            ENABLE_MBR, key(password) + bytes([MBR_ENABLE if enable else MBR_DISABLE]) + bytes(7)
        )

    def mbr_done(self, done: bool, password: str) -> int:
        return self._call(MBR_DONE, key(password) + bytes([done]) + bytes(7))

    def erase(self, lr: int, password: str) -> int:
        """Give a range a new key, so that its data are gone."""
        return self._call(SECURE_ERASE, session(password, ADMIN1, lr))

    def revert(self, password: str) -> int:
        return self._call(REVERT_TPER, key(password))

    def revert_psid(self, psid: str) -> int:
        return self._call(PSID_REVERT, key(psid))
