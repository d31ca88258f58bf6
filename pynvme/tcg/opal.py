# SPDX-License-Identifier: BSD-3-Clause
"""The Opal SSC: ownership, locking ranges, users, the shadow MBR, and the ways to erase (Opal 2.01)."""

from __future__ import annotations

import hashlib
from typing import NamedTuple

from pynvme.tcg import session
from pynvme.tcg.session import Pin, Session, Tcg, pin_bytes, uid
from pynvme.tcg.tokens import Named, Value

__all__ = ["Opal", "Range", "sedutil_pin"]

ADMIN_SP, LOCKING_SP = 0x0000020500000001, 0x0000020500000002
SID, PSID = 0x0000000900000006, 0x000000090001FF01
C_PIN_SID, C_PIN_MSID = 0x0000000B00000001, 0x0000000B00008402
LOCKING_INFO, MBR_CONTROL = 0x0000080100000001, 0x0000080300000001
MBR, DATASTORE = 0x0000080400000000, 0x0000100100000000

_ADMINS, _USERS = 0x0000000900010000, 0x0000000900030000
_GLOBAL_RANGE, _RANGES = 0x0000080200000001, 0x0000080200030000
_GLOBAL_KEY, _KEYS = 0x0000080600000001, 0x0000080600030000
_ACE_GET, _ACE_READ_LOCK, _ACE_WRITE_LOCK = 0x000000080003D000, 0x000000080003E000, 0x000000080003E800
_AUTHORITY_REF, _BOOLEAN_ACE = bytes.fromhex("00000c05"), bytes.fromhex("0000040e")
_PIN, _ENABLED, _LIFECYCLE, _EXPRESSION = 3, 5, 6, 3
_KEEP_GLOBAL_RANGE_KEY = 0x060000
_ACTIVE = 9
_NOT_AUTHORIZED, _LOCKED_OUT = 0x01, 0x12
_BLOCK_SID = 0x402


class Range(NamedTuple):
    """A locking range. start and length count LBAs; resets are the types that lock it (0: power cycle)."""

    start: int
    length: int
    read_lock_enabled: bool
    write_lock_enabled: bool
    read_locked: bool
    write_locked: bool
    resets: tuple[int, ...]


def sedutil_pin(password: str, serial: str) -> bytes:
    """The PIN that sedutil-cli makes of a password: PBKDF2-HMAC-SHA-1 with 75,000 rounds and 32 bytes.

    serial is the serial number of Identify Controller, which is padded with blanks to 20 characters.

    Example:
        >>> pin = pynvme.tcg.sedutil_pin("secret", nvme0.id_ctrl.sn)
    """
    return hashlib.pbkdf2_hmac("sha1", password.encode(), serial.ljust(20).encode("ascii"), 75000, 32)


def _numbered(base: int, first: int, number: int) -> int:
    """The UID of a range or its key; the global one has a UID of its own."""
    if number < 0:
        raise ValueError(f"a range is 0 (the global one) or a positive number, not {number}")
    return first if number == 0 else base + number


def _authority(user: str | int) -> int:
    """The UID of "Admin1", "User3" or a number."""
    if isinstance(user, int):
        return user
    for prefix, base in (("admin", _ADMINS), ("user", _USERS)):
        if user.lower().startswith(prefix) and user[len(prefix) :].isdecimal():
            return base + int(user[len(prefix) :])
    raise ValueError(f'an authority is "Admin1" …, "User1" …, or a UID, not "{user}"')


def _credential(user: str | int) -> int:
    return 0x0000000B00000000 | _authority(user) & 0xFFFFFFFF


class Opal(Tcg):
    """A drive with the Opal SSC. Each method opens the session that it needs, and ends it.

    PINs are bytes, or text, which is encoded as UTF-8; at most 32 bytes. ``user`` is "Admin1" or "User3".
    Ranges are numbers, and 0 is the global range. All methods raise :class:`~pynvme.tcg.TcgError` if the
    drive refuses a method or a command.

    Example:
        >>> opal = Opal(nvme0)
        >>> opal.take_ownership("secret")
        >>> opal.activate("secret")
    """

    def _admin_sp(self, authority: int | None = None, pin: Pin = b"") -> Session:
        return self._open(ADMIN_SP, authority, pin, "PSID" if authority == PSID else "SID")

    def _locking_sp(self, user: str | int, pin: Pin) -> Session:
        name = user if isinstance(user, str) else f"{user:016X}h"
        return self._open(LOCKING_SP, _authority(user), pin, name)

    def _open(self, sp: int, authority: int | None, pin: Pin, name: str, wrong: str = "") -> Session:
        """Open a session. If the drive refuses, the error says why, and what to do.

        ``name`` is that of the authority, and ``wrong`` is what a wrong PIN means.
        """
        try:
            return self.session(sp, authority, pin)
        except session.TcgError as error:
            why = "" if error.status is None else self._why_refused(sp, name, error.status)
            if not why and error.status == _NOT_AUTHORIZED:
                why = wrong or f"the PIN of {name} is wrong"
            text = f"{why} ({error})" if why else str(error)
            raise session.TcgError(text, error.status, error.nvme_status) from None

    def _why_refused(self, sp: int, name: str, status: int) -> str:
        """Why no PIN would have opened a session, or an empty text."""
        level0 = self.discover()
        if sp == LOCKING_SP and not level0.locking.enabled:
            return (
                "the Locking SP is not active; take ownership of the drive and activate it first, by "
                "`pynvme sed initialize`, or take_ownership() and activate()"
            )
        if name == "SID" and _BLOCK_SID in level0 and level0[_BLOCK_SID].sid_blocked:
            return "SID is blocked (Block SID) until the drive loses its power"
        if status == _LOCKED_OUT:
            return f"{name} is locked out after too many wrong PINs, until the drive loses its power"
        return ""

    # ---- ownership ----

    def msid(self) -> bytes:
        """The PIN that SID has when the drive leaves the factory, which anybody may read."""
        with self._admin_sp() as admin:
            pin = admin.get(C_PIN_MSID, _PIN, _PIN).get(_PIN)
        if not isinstance(pin, bytes):
            raise session.TcgError("the drive has not returned the PIN of MSID")
        return pin

    def take_ownership(self, pin: Pin) -> None:
        """Set the PIN of SID, which must still be that of MSID."""
        with self._open(ADMIN_SP, SID, self.msid(), "SID", "the drive has an owner already") as admin:
            admin.set(C_PIN_SID, {_PIN: pin_bytes(pin)})

    def set_sid_pin(self, pin: Pin, new: Pin) -> None:
        """Change the PIN of SID."""
        with self._admin_sp(SID, pin) as admin:
            admin.set(C_PIN_SID, {_PIN: pin_bytes(new)})

    def is_active(self) -> bool:
        """Whether the Locking SP is active."""
        with self._admin_sp() as admin:
            return admin.get(LOCKING_SP, _LIFECYCLE, _LIFECYCLE) == {_LIFECYCLE: _ACTIVE}

    def activate(self, pin: Pin) -> None:
        """Activate the Locking SP by the PIN of SID, which becomes that of its Admin1, too (Opal 5.1.1)."""
        with self._admin_sp(SID, pin) as admin:
            admin.call(LOCKING_SP, session.ACTIVATE)

    # ---- ranges ----

    def range(self, number: int, pin: Pin, user: str | int = "Admin1") -> Range:
        """What a locking range is like."""
        row = _numbered(_RANGES, _GLOBAL_RANGE, number)
        with self._locking_sp(user, pin) as locking:
            columns = locking.get(row, 3, 9)
        numbers = [
            value if isinstance(value, int) else 0 for value in (columns.get(i, 0) for i in range(3, 9))
        ]
        resets = columns.get(9)
        types = tuple(one for one in resets if isinstance(one, int)) if isinstance(resets, list) else ()
        start, length, *flags = numbers
        return Range(start, length, bool(flags[0]), bool(flags[1]), bool(flags[2]), bool(flags[3]), types)

    def max_ranges(self, pin: Pin, user: str | int = "Admin1") -> int:
        """How many ranges the drive has besides the global one."""
        with self._locking_sp(user, pin) as locking:
            found = locking.get(LOCKING_INFO, 4, 4).get(4, 0)
        return found if isinstance(found, int) else 0

    def set_range(
        self,
        number: int,
        start: int | None = None,
        length: int | None = None,
        *,
        pin: Pin,
        read_lock: bool = True,
        write_lock: bool = True,
        user: str | int = "Admin1",
    ) -> None:
        """Set up a range of LBAs; start and length must be None for the global range.

        read_lock and write_lock enable its locks. The range is unlocked until :meth:`lock` or a power cycle.
        The data of LBAs that come to another range are lost.
        """
        columns: dict[int, Value] = {5: int(read_lock), 6: int(write_lock), 7: 0, 8: 0}
        if start is not None:
            columns[3] = start
        if length is not None:
            columns[4] = length
        row = _numbered(_RANGES, _GLOBAL_RANGE, number)
        with self._locking_sp(user, pin) as locking:
            locking.set(row, dict(sorted(columns.items())))

    def _set_locks(self, number: int, pin: Pin, user: str | int, read: bool, write: bool) -> None:
        row = _numbered(_RANGES, _GLOBAL_RANGE, number)
        with self._locking_sp(user, pin) as locking:
            locking.set(row, {7: int(read), 8: int(write)})

    def lock(
        self, number: int, *, pin: Pin, user: str | int = "Admin1", read: bool = True, write: bool = True
    ) -> None:
        """Lock a range for reads, writes, or both, if its locks are enabled. What is False is unlocked."""
        self._set_locks(number, pin, user, read, write)

    def unlock(self, number: int, *, pin: Pin, user: str | int = "Admin1") -> None:
        """Unlock a range for reads and writes."""
        self._set_locks(number, pin, user, False, False)

    def gen_key(self, number: int, *, pin: Pin, user: str | int = "Admin1") -> None:
        """Generate a new key for a range, so that its data are gone (Opal 5.1.5)."""
        key = _numbered(_KEYS, _GLOBAL_KEY, number)
        with self._locking_sp(user, pin) as locking:
            locking.call(key, session.GEN_KEY)

    # ---- users ----

    def enable_user(self, user: str | int, new_pin: Pin, *, pin: Pin) -> None:
        """Enable a user, and set the user's PIN. pin is that of Admin1."""
        with self._locking_sp("Admin1", pin) as locking:
            locking.set(_authority(user), {_ENABLED: 1})
            locking.set(_credential(user), {_PIN: pin_bytes(new_pin)})

    def disable_user(self, user: str | int, *, pin: Pin) -> None:
        """Disable a user."""
        with self._locking_sp("Admin1", pin) as locking:
            locking.set(_authority(user), {_ENABLED: 0})

    def set_pin(self, user: str | int, new_pin: Pin, *, pin: Pin, by: str | int = "Admin1") -> None:
        """Change the PIN of a user or an Admin of the Locking SP."""
        with self._locking_sp(by, pin) as locking:
            locking.set(_credential(user), {_PIN: pin_bytes(new_pin)})

    def allow(self, number: int, *users: str | int, pin: Pin) -> None:
        """Let only these users, and the Admins, read the columns of a range, and lock and unlock it."""
        if not users:
            raise ValueError("allow() takes at least one user, such as User1")
        terms: list[Value] = []
        for count, user in enumerate(users):
            terms.append(Named(_AUTHORITY_REF, uid(_authority(user))))
            if count:
                terms.append(Named(_BOOLEAN_ACE, 1))
        with self._locking_sp("Admin1", pin) as locking:
            for ace in (_ACE_GET, _ACE_READ_LOCK, _ACE_WRITE_LOCK):
                locking.set(ace + number, {_EXPRESSION: terms})

    # ---- the shadow MBR ----

    def set_mbr(
        self,
        *,
        pin: Pin,
        enable: bool | None = None,
        done: bool | None = None,
        user: str | int = "Admin1",
    ) -> None:
        """Set MBREnable and MBRDone. While enabled and not done, the drive shows the MBR table."""
        columns: dict[int, Value] = {}
        if enable is not None:
            columns[1] = int(enable)
        if done is not None:
            columns[2] = int(done)
        with self._locking_sp(user, pin) as locking:
            locking.set(MBR_CONTROL, columns)

    def write_mbr(self, offset: int, data: bytes, *, pin: Pin) -> None:
        """Write bytes of the table MBR."""
        with self._locking_sp("Admin1", pin) as locking:
            locking.write(MBR, offset, data)

    def read_mbr(self, offset: int, length: int, *, pin: Pin) -> bytes:
        """Read at most 1,900 bytes of the table MBR."""
        with self._locking_sp("Admin1", pin) as locking:
            return locking.read(MBR, offset, length)

    # ---- back to the factory's state ----

    def revert(self, pin: Pin) -> None:
        """Revert the drive by the PIN of SID: its data are gone, and all PINs are those of the factory."""
        self._revert(SID, pin)

    def revert_psid(self, psid: Pin) -> None:
        """Revert the drive by the PSID, which is printed on its label, if the PIN of SID is lost."""
        self._revert(PSID, psid)

    def _revert(self, authority: int, pin: Pin) -> None:
        admin = self._admin_sp(authority, pin)
        try:
            admin.call(ADMIN_SP, session.REVERT)
        except session.TcgError:
            admin.end()
            raise

    def revert_locking(self, pin: Pin, keep_global: bool = False) -> None:
        """Revert the Locking SP by the PIN of Admin1; keep_global keeps the data of the global range."""
        params = [Named(_KEEP_GLOBAL_RANGE_KEY, 1)] if keep_global else []
        locking = self._locking_sp("Admin1", pin)
        try:
            locking.call(session.THIS_SP, session.REVERT_SP, *params)
        except session.TcgError:
            locking.end()
            raise
