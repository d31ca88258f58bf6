# SPDX-License-Identifier: BSD-3-Clause
"""The zones of a zoned namespace as objects, from reports of Zone Management Receive.

``nvme0n1.zones(qpair)`` returns them, and each sends its commands to the queue that reported it:

    import nvme as d

    nvme0 = d.Controller("vssd:size=256M,zoned=1,name=zoned")
    nvme0n1, qpair = d.Namespace(nvme0), d.Qpair(nvme0, 8)
    zone = nvme0n1.zones(qpair)[2]
    print(zone.append(d.Buffer(512)), zone.refresh())
    zone.reset()
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pynvme.spec import CommandSet, ZoneReceiveAction, ZoneReport, ZoneSendAction, ZoneState
from pynvme.values import integer

if TYPE_CHECKING:
    import nvme

__all__ = ["Limits", "Zone", "limits", "report", "size_of"]

CNS_OF_COMMAND_SET, CNS_OF_CONTROLLER = 5, 6
NO_LIMIT = 0xFFFFFFFF
VARIABLE = 1
"""ZOC bit 0: resets change the capacities of zones."""
HEADER = ENTRY = 64
MOST = 64 << 10
"""Bytes that one report transfers at most, if MDTS allows it."""


@dataclass
class Limits:
    """What a zoned namespace allows."""

    size: int
    """LBAs from one zone to the next."""
    active: int
    """How many zones may be active at a time, or 0 if there is no limit."""
    open: int
    """How many zones may be open at a time, or 0 if there is no limit."""
    append: int
    """Bytes that one append transfers at most, or 0 if only MDTS limits it."""
    variable: bool
    """Whether a reset may change the capacity of a zone."""


def limits(namespace: nvme.Namespace, cap: int) -> Limits:
    """The limits of a zoned namespace. ``cap``: the register CAP."""

    def field(byte_end: int, byte_begin: int, cns: int = CNS_OF_COMMAND_SET) -> int:
        return int(namespace.id_data(byte_end, byte_begin, cns=cns, csi=CommandSet.ZNS))

    active, opened = (0 if limit == NO_LIMIT else limit + 1 for limit in (field(7, 4), field(11, 8)))
    zasl = field(0, 0, CNS_OF_CONTROLLER)
    page = 4096 << (cap >> 48 & 0xF)
    size = size_of(namespace)
    return Limits(size, active, opened, page << zasl if zasl else 0, bool(field(1, 0) & VARIABLE))


class Zone:
    """A zone, as it was when it was reported last.

    Attributes:
        slba: its first LBA
        state: a `ZoneState`
        wp: the write pointer, an LBA. It means nothing in a full, read-only or offline zone
        capacity: how many LBAs can be written
        za: the attributes, as in the zone descriptor: `za.zrwav`, `za.zdev` and others
    """

    def __init__(self, namespace: nvme.Namespace, qpair: nvme.Qpair, descriptor: Any) -> None:
        self._namespace, self._qpair = namespace, qpair
        self._take(descriptor)

    def _take(self, descriptor: Any) -> None:
        self.slba = int(descriptor.zslba)
        self.state = ZoneState(descriptor.zs.zs)
        self.wp, self.capacity = int(descriptor.wp), int(descriptor.zcap)
        self.za = descriptor.za

    def __repr__(self) -> str:
        return f"<Zone {self.slba:#x}: {self.state.name}, wp {self.wp:#x}, {self.capacity} LBAs>"

    def refresh(self) -> Zone:
        """Ask the drive for the state of this zone again. Returns the zone."""
        self._take(_descriptors(self._namespace, self._qpair, self.slba, 0, HEADER + ENTRY).zones[0])
        return self

    def _manage(
        self, action: ZoneSendAction, slba: int | None = None, buf: Any = None, zrwa: bool = False
    ) -> Zone:
        where = self.slba if slba is None else slba
        self._namespace.zns_mgmt_send(self._qpair, buf, where, action, zrwa=zrwa).waitdone()
        return self.refresh()

    def open(self, zrwa: bool = False) -> Zone:
        """Open it explicitly; with `zrwa` also allocate a random write area. Returns the zone, refreshed.

        If the drive refuses that, or any of the following, there is a UserWarning as for every command.
        """
        return self._manage(ZoneSendAction.OPEN, zrwa=zrwa)

    def close(self) -> Zone:
        """Close it."""
        return self._manage(ZoneSendAction.CLOSE)

    def finish(self) -> Zone:
        """Make it full. What was written stays."""
        return self._manage(ZoneSendAction.FINISH)

    def reset(self) -> Zone:
        """Make it empty. Its data are gone."""
        return self._manage(ZoneSendAction.RESET)

    def offline(self) -> Zone:
        """Take it offline, if it is read-only."""
        return self._manage(ZoneSendAction.OFFLINE)

    def flush(self, lba: int) -> Zone:
        """Commit its random write area up to this LBA, which is included."""
        return self._manage(ZoneSendAction.FLUSH, integer(lba, "lba"))

    def set_extension(self, buf: nvme.Buffer) -> Zone:
        """Set its descriptor extension, if it is empty. It is closed then, and active."""
        return self._manage(ZoneSendAction.SET_DESCRIPTOR_EXTENSION, buf=buf)

    def append(self, buf: nvme.Buffer, lba_count: int = 1) -> int | None:
        """Append LBAs. Returns the LBA where the drive has put the first one, or None if it has refused."""
        chosen: list[int] = []

        def done(cpl: tuple[int, ...]) -> None:
            if not cpl[3] >> 17 & 0x7FF:
                chosen.append(cpl[0] | cpl[1] << 32)

        self._namespace.zone_append(self._qpair, buf, self.slba, lba_count, cb=done).waitdone()
        return chosen[0] if chosen else None


def _descriptors(namespace: nvme.Namespace, qpair: nvme.Qpair, slba: int, state: int, size: int) -> Any:
    """A report of at most `size` bytes, which counts the zones in it. RuntimeError: it was refused."""
    import nvme

    buf = nvme.Buffer(size)
    status: list[int] = []
    namespace.zns_mgmt_receive(
        qpair,
        buf,
        slba,
        extended=bool(ZoneReceiveAction.REPORT),
        state=state,
        partial=True,
        cb=lambda cdw0, status1: status.append(status1 >> 1 & 0x7FF),
    ).waitdone()
    if status[0]:
        raise RuntimeError(
            f"the drive refused to report zones from LBA {slba:#x} on, with status "
            f"{status[0] >> 8:02x}/{status[0] & 0xFF:02x}: is this namespace zoned?"
        )
    return buf.decode(ZoneReport)


def size_of(namespace: nvme.Namespace) -> int:
    """LBAs from one zone to the next: LBAFE.ZSZE of the LBA format in use."""
    lbaf = int(namespace.id_data(26)) & 0xF
    at = 2816 + 16 * lbaf
    return int(namespace.id_data(at + 7, at, cns=CNS_OF_COMMAND_SET, csi=CommandSet.ZNS))


def report(
    namespace: nvme.Namespace, qpair: nvme.Qpair, slba: int = 0, state: int = 0, mdts: int = MOST
) -> list[Zone]:
    """What `Namespace.zones()` returns. `mdts`: the bytes that one command may transfer."""
    size = min(MOST, mdts or MOST)
    room = (size - HEADER) // ENTRY
    found: list[Zone] = []
    while True:
        answer = _descriptors(namespace, qpair, slba, state, size)
        found += [Zone(namespace, qpair, one) for one in answer.zones[: min(int(answer.nz), room)]]
        if answer.nz < room:
            return found
        slba = found[-1].slba + max(1, size_of(namespace))
        if slba >= int(namespace.id_data(7, 0)):
            return found
