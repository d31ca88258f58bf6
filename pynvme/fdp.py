# SPDX-License-Identifier: BSD-3-Clause
"""Flexible Data Placement (Base 2.1, section 8.1.10) as objects: ``nvme0n1.fdp``.

::

    fdp = nvme0n1.fdp
    nvme0n1.write(qpair, buf, 0, 8, placement=3).waitdone()
    fdp.status(qpair)[3].ruamw          # LBAs that are left in the reclaim unit of the fourth handle
    fdp.update(qpair, 3)                # a new reclaim unit
    fdp.stats.mbmw / fdp.stats.hbmw     # write amplification, also fdp.waf
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from pynvme import spec
from pynvme.values import check, field

if TYPE_CHECKING:
    import nvme

CONFIGURATIONS, USAGE, STATISTICS, EVENTS = 0x20, 0x21, 0x22, 0x23
"""Log pages."""
FDP, FDP_EVENTS = 0x1D, 0x1E
"""Features."""
SET_FEATURES, GET_FEATURES = 0x09, 0x0A
BY_HOST = 1
"""LSP of the log page of events."""
MOST_TYPES = 255


class Fdp:
    """Flexible Data Placement of a namespace, and of the endurance group that it belongs to."""

    def __init__(self, nvme0: nvme.Controller, ns: nvme.Namespace) -> None:
        self._nvme0 = nvme0
        self._ns = ns

    def __repr__(self) -> str:
        return f"<Fdp of namespace {self._ns.nsid}>"

    @property
    def group(self) -> int:
        """The identifier of the endurance group, 0 if there is none."""
        return int(self._ns.id_ns.endgid)

    def _feature(self) -> int:
        return int(self._nvme0.getfeatures(FDP, cdw11=self.group).waitdone())

    @property
    def enabled(self) -> bool:
        """Whether it is enabled in the endurance group (feature 1Dh). False if the drive lacks it."""
        return self.group != 0 and bool(self._nvme0.id_ctrl.ctratt.fdps) and bool(self._feature() & 1)

    @property
    def configuration(self) -> spec.FdpConfiguration:
        """The configuration in use, from log page 20h and feature 1Dh."""
        return self.configurations[self._feature() >> 8 & 0xFF]

    @property
    def configurations(self) -> list[spec.FdpConfiguration]:
        """Those that the drive offers, from log page 20h."""
        log = self._nvme0.log(CONFIGURATIONS, 0, lsi=self.group)
        found, at = [], 16
        for _ in range(log.nfdpc + 1):
            one = spec.FdpConfiguration(memoryview(bytes(log))[at:])
            found.append(one)
            at += one.dsze
        return found

    @property
    def usage(self) -> list[int]:
        """How each reclaim unit handle is used (log page 21h): 0 not, 1 by the host, 2 by the controller."""
        return [int(one.ruha) for one in self._nvme0.log(USAGE, 0, lsi=self.group).ruh]

    @property
    def stats(self) -> spec.FdpStatisticsLog:
        """Log page 22h: bytes that the host wrote, that the media wrote, and that were erased."""
        log = self._nvme0.log(STATISTICS, 0, lsi=self.group)
        assert isinstance(log, spec.FdpStatisticsLog)
        return log

    @property
    def waf(self) -> float:
        """Write amplification: bytes written to media for each byte of the host. 1 before the first write."""
        stats = self.stats
        return int(stats.mbmw) / int(stats.hbmw) if stats.hbmw else 1.0

    def events(self, by_host: bool = True) -> list[spec.FdpEvent]:
        """The latest events that the host or the controller caused (log page 23h), the oldest first."""
        log = self._nvme0.log(EVENTS, 0, lsi=self.group, lsp=BY_HOST if by_host else 0)
        return list(log.events)

    def set_events(self, *types: int, handle: int = 0, enable: bool = True) -> None:
        """Enable event types (spec.FdpEventType) for a placement handle, or disable them, by feature 1Eh."""
        check(len(types) <= MOST_TYPES, f"{len(types)} types; at most {MOST_TYPES} are possible")
        buf = self._buffer(max(4, len(types)))
        buf[: len(types)] = bytes(field(int(one), 8, "a type") for one in types)
        self._nvme0.send_cmd(
            SET_FEATURES,
            buf,
            self._ns.nsid,
            cdw10=FDP_EVENTS,
            cdw11=len(types) << 16 | field(handle, 16, "handle"),
            cdw12=int(bool(enable)),
        ).waitdone()

    def reported(self, handle: int = 0) -> dict[int, bool]:
        """The event types that the drive knows, and whether they are enabled for a placement handle."""
        buf = self._buffer(2 * MOST_TYPES + 2)
        command = self._nvme0.send_cmd(
            GET_FEATURES,
            buf,
            self._ns.nsid,
            cdw10=FDP_EVENTS,
            cdw11=MOST_TYPES << 16 | field(handle, 16, "handle"),
        )
        count = int(command.waitdone()) & 0xFF
        found = (spec.FdpEventSupport(memoryview(bytes(buf))[2 * i :]) for i in range(count))
        return {int(one.evt): bool(one.evta.fdpee) for one in found}

    def status(self, qpair: nvme.Qpair) -> list[spec.ReclaimUnitHandleStatus]:
        """Each placement identifier, with its reclaim unit handle, and the LBAs that its unit has left.

        The command is I/O Management Receive, through this queue.
        """
        buf = self._buffer(4096)
        self._ns.io_mgmt_receive(qpair, buf).waitdone()
        return list(spec.ReclaimUnitHandleStatusList(bytearray(bytes(buf))).ruhs)

    def update(self, qpair: nvme.Qpair, *pids: int) -> None:
        """Let these placement identifiers use new reclaim units. The command is I/O Management Send."""
        check(1 <= len(pids) <= 0x10000, f"update takes 1 to 65536 placement identifiers, not {len(pids)}")
        numbers = [field(one, 16, "a placement identifier") for one in pids]
        buf = self._buffer(max(4, 2 * len(pids)))
        buf[: 2 * len(pids)] = struct.pack(f"<{len(pids)}H", *numbers)
        self._ns.io_mgmt_send(qpair, buf, mos=len(pids) - 1).waitdone()

    def _buffer(self, size: int) -> nvme.Buffer:
        import nvme

        return nvme.Buffer((size + 3) // 4 * 4, ptype=0, pvalue=0)
