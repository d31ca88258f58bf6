# SPDX-License-Identifier: BSD-3-Clause
"""Live migration: a log of what a controller changes, and its state while it is suspended.

One controller of a subsystem manages the migration of the others. It writes what another one changes into a
queue in the memory of its own host, suspends it, and reads and sets the state of its I/O queues::

    from pynvme.migration import Migration

    migration = Migration(nvme0)                # the controller that manages it
    log = migration.log(cntlid=2)
    log.start()
    ...                                         # controller 2 writes
    log.changes()                               # [Change(nsid=1, slba=0, nlb=8, deallocated=False)]
    migration.suspend(2)
    state = migration.state(2)                  # of a destination: migration.set_state(2, state.raw)
    migration.resume(2)

Base 2.1, sections 8.1.6 and 8.1.12; NVM Command Set 1.1, section 5.6.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

from pynvme.spec import (
    AdminOpcode,
    ControllerState,
    CqState,
    DataQueueOperation,
    FeatureId,
    MigrationChange,
    MigrationEntry,
    MigrationQueueEntry,
    MigrationSend,
    MigrationSequence,
    SqState,
    Status,
    Tracking,
)
from pynvme.values import check

if TYPE_CHECKING:
    import nvme

__all__ = ["Change", "ChangeLog", "Migration", "MigrationError", "State"]

ENTRY = MigrationQueueEntry.SIZE
PHYSICALLY_CONTIGUOUS = 1
PART = 4096
HEADER, QUEUE = ControllerState.SIZE, SqState.SIZE
STATE_SIZE_AT = 16
STATE_HEADER = 48
FULL = (
    "the queue of the log has become full, so that changes may be missing: give it more slots, or call "
    "changes() more often"
)


class MigrationError(OSError):
    """A command of live migration failed.

    Attributes:
        status: SCT << 8 | SC, such as pynvme.spec.Status.CONTROLLER_NOT_SUSPENDED
    """

    def __init__(self, text: str, status: int) -> None:
        super().__init__(text)
        self.status = status


class Change(NamedTuple):
    """LBAs that a controller has changed, or may have changed."""

    nsid: int
    slba: int
    nlb: int
    """How many LBAs."""
    deallocated: bool


class State(NamedTuple):
    """The state of a controller."""

    raw: bytes
    """As the drive sends it, for :meth:`Migration.set_state`."""
    suspended: bool
    sqs: list[SqState]
    cqs: list[CqState]


class Migration:
    """The commands of live migration, sent to the controller that manages it.

    Args:
        nvme0: that controller. Its Identify data announce it by bit 11 of OACS

    Raises:
        MigrationError: by each method, if the drive fails a command
    """

    def __init__(self, nvme0: nvme.Controller) -> None:
        self._nvme0 = nvme0
        self._ended: list[tuple[int, int]] = []

    def _done(self, cdw0: int, status: int) -> None:
        self._ended.append((cdw0, status >> 1 & 0x7FF))

    def command(self, what: str, opcode: int, buf: nvme.Buffer | None = None, **dwords: int) -> int:
        """Send an admin command, and return dword 0 of its completion.

        Args:
            what: its name, for the error
            opcode: 8 bits
            buf: its data
            dwords: cdw10 to cdw15
        """
        self._nvme0.send_cmd(opcode, buf, cb=self._done, **dwords).waitdone()
        cdw0, status = self._ended.pop()
        if status:
            raise MigrationError(f"{what} failed with status {status >> 8:02x}/{status & 0xFF:02x}", status)
        return cdw0

    def log(self, cntlid: int, slots: int = 128) -> ChangeLog:
        """Create a user data migration queue for another controller (Base 5.1.4).

        Args:
            cntlid: the controller whose changes it gets, 16 bits
            slots: entries of the queue, of which one stays empty, 2 to 2^27
        """
        return ChangeLog(self, self._nvme0, cntlid, slots)

    def suspend(self, cntlid: int, notify: bool = False, delete: bool = False) -> None:
        """Suspend a controller (Base 5.1.17.1.1): it completes what it has fetched, and fetches nothing.

        Args:
            cntlid: the controller, 16 bits
            notify: only announce it
            delete: delete the log of its changes, too
        """
        cdw11 = delete << 31 | (not notify) << 16 | cntlid
        self.command(f"suspending controller {cntlid}", AdminOpcode.MIGRATION_SEND, cdw11=cdw11)

    def resume(self, cntlid: int) -> None:
        """Resume a suspended controller (Base 5.1.17.1.2). cntlid: the controller, 16 bits."""
        what = f"resuming controller {cntlid}"
        self.command(what, AdminOpcode.MIGRATION_SEND, cdw10=MigrationSend.RESUME, cdw11=cntlid)

    def _read(self, cntlid: int, offset: int, size: int) -> tuple[bytes, int]:
        import nvme

        buf = nvme.Buffer(PART, "controller state")
        fields = {"cdw10": 1 << 16, "cdw11": cntlid, "cdw12": offset, "cdw15": size // 4 - 1}
        csup = self.command(f"reading controller {cntlid}", AdminOpcode.MIGRATION_RECEIVE, buf, **fields)
        return bytes(buf[:size]), csup

    def state(self, cntlid: int) -> State:
        """The state of a controller's I/O queues (Base 5.1.16.1.1). It is consistent while it is suspended.

        Args:
            cntlid: the controller, 16 bits
        """
        raw, csup = self._read(cntlid, 0, HEADER)
        size = STATE_HEADER + 4 * int.from_bytes(raw[STATE_SIZE_AT : STATE_SIZE_AT + 16], "little")
        while len(raw) < size:
            part, suspended = self._read(cntlid, len(raw), min(PART, size - len(raw)))
            raw, csup = raw + part, csup & suspended
        niosq, niocq = struct.unpack_from("<HH", raw, STATE_HEADER + 2)
        pieces = [raw[at : at + QUEUE] for at in range(HEADER, HEADER + QUEUE * (niosq + niocq), QUEUE)]
        sqs = [SqState(piece) for piece in pieces[:niosq]]
        return State(raw, bool(csup & 1), sqs, [CqState(piece) for piece in pieces[niosq:]])

    def set_state(self, cntlid: int, raw: bytes) -> None:
        """Set the state of a suspended controller (Base 5.1.17.1.3), in parts of up to 4 KiB.

        Args:
            cntlid: the controller, 16 bits
            raw: the bytes of :class:`State`, from this drive or another one
        """
        import nvme

        for at in range(0, len(raw), PART):
            part = raw[at : at + PART]
            buf = nvme.Buffer(PART, "controller state")
            buf[: len(part)] = part
            sequence = (MigrationSequence.FIRST if at == 0 else 0) | (
                MigrationSequence.LAST if at + PART >= len(raw) else 0
            )
            fields = {
                "cdw10": sequence << 16 | MigrationSend.SET_STATE,
                "cdw11": 1 << 16 | cntlid,
                "cdw12": at,
                "cdw15": len(part) // 4,
            }
            self.command(f"setting controller {cntlid}", AdminOpcode.MIGRATION_SEND, buf, **fields)


class ChangeLog:
    """A user data migration queue: the drive posts an entry for what a controller changes.

    Attributes:
        cdqid: the identifier that the drive has given it
    """

    def __init__(self, migration: Migration, nvme0: nvme.Controller, cntlid: int, slots: int) -> None:
        import nvme

        check(2 <= slots <= 1 << 27, f"slots must be 2 to 2^27, not {slots}")
        self._migration, self._nvme0, self.slots = migration, nvme0, slots
        self._buf = nvme.Buffer(max(4096, slots * ENTRY), "data queue")
        self._at, self._phase = 0, 1
        fields = {"cdw11": cntlid << 16 | PHYSICALLY_CONTIGUOUS, "cdw12": slots * ENTRY // 4}
        self.cdqid = self._command(
            "creating a data queue", AdminOpcode.CONTROLLER_DATA_QUEUE, self._buf, **fields
        )

    def _command(self, what: str, opcode: int, buf: nvme.Buffer | None = None, **dwords: int) -> int:
        return self._migration.command(what, opcode, buf, **dwords)

    def _track(self, start: bool) -> None:
        what = f"{'starting' if start else 'stopping'} the log"
        self._command(what, AdminOpcode.TRACK_SEND, cdw10=start << 16 | Tracking.USER_DATA, cdw11=self.cdqid)

    def start(self) -> None:
        """Log changes from now on (Base 5.1.27.1.1)."""
        self._track(True)

    def stop(self) -> None:
        """Log no more changes."""
        self._track(False)

    def take(self) -> list[MigrationQueueEntry]:
        """The entries that the drive has posted since the last call, by their phase tag. They stay in use."""
        found: list[MigrationQueueEntry] = []
        while True:
            raw = bytes(self._buf[self._at * ENTRY : (self._at + 1) * ENTRY])
            if raw[-1] & 1 != self._phase:
                return found
            found.append(MigrationQueueEntry(raw))
            self._at = (self._at + 1) % self.slots
            self._phase ^= self._at == 0

    def release(self, trigger: int | None = None) -> None:
        """Tell the drive that the entries that were taken are free (feature 21h, Base 5.1.25.1.23).

        Args:
            trigger: a slot. Once an entry is posted there, an asynchronous event comes: type 4, and dword 1
                is the queue
        """
        cdw11, fid = self.cdqid | (trigger is not None) << 31, FeatureId.CONTROLLER_DATA_QUEUE
        what, fields = (
            "moving the head",
            {"cdw10": fid, "cdw11": cdw11, "cdw12": self._at, "cdw13": trigger or 0},
        )
        self._command(what, AdminOpcode.SET_FEATURES, None, **fields)

    def changes(self) -> list[Change]:
        """Take the entries that were posted, release them, and return the LBAs that they name.

        Raises:
            MigrationError: the queue has become full, so that changes may be missing. The drive logs again
                after :meth:`start`
        """
        entries = self.take()
        if entries:
            self.release()
        if any(one.lbamqa.esa == MigrationEntry.FULL for one in entries):
            raise MigrationError(FULL, Status.CONTROLLER_DATA_QUEUE_FULL)
        return [
            Change(int(one.nsid), int(one.slba), int(one.nlb) + 1, bool(one.lbamqa.dlba))
            for one in entries
            if one.lbamqa.lbacir != MigrationChange.NONE
        ]

    def delete(self) -> None:
        """Delete the queue (Base 5.1.4.1.2)."""
        what, opcode = "deleting a data queue", AdminOpcode.CONTROLLER_DATA_QUEUE
        self._command(what, opcode, cdw10=DataQueueOperation.DELETE, cdw11=self.cdqid)
