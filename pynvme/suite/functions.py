# SPDX-License-Identifier: BSD-3-Clause
"""The virtual functions of a drive, for tests that need some."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import NamedTuple

import nvme

from pynvme import sriov
from pynvme.spec import AdminOpcode, Cns, Register, VirtualizationAction
from pynvme.spec import PrimaryControllerCapabilities as Capabilities
from pynvme.spec import SecondaryControllerList as List
from pynvme.suite.drive import Drive
from pynvme.suite.history import Command
from pynvme.suite.marks import Need

CAPABILITIES = "Base 2.0, 5.17.2.13 Primary Controller Capabilities"
LIST = "Base 2.0, 5.17.2.14 Secondary Controller List"
MANAGEMENT = "Base 2.0, 5.28 Virtualization Management"

VIRTUAL = Need(
    "virtual functions (Virtualization Management, and TotalVFs of the SR-IOV capability)",
    lambda drive: bool(drive.nvme0.supports(AdminOpcode.VIRTUALIZATION) and sriov.total(drive.nvme0)),
)

SHARE, OFFLINE = VirtualizationAction.PRIMARY_FLEXIBLE, VirtualizationAction.SECONDARY_OFFLINE
ASSIGN, ONLINE = VirtualizationAction.SECONDARY_ASSIGN, VirtualizationAction.SECONDARY_ONLINE
VQ, VI = 0, 1
QUEUES, VECTORS = 2, 1
"""The least resources of a controller that is online: an admin queue and an I/O queue, and a vector."""
MOST = 4
"""Virtual functions that tests use."""


class Entry(NamedTuple):
    """A secondary controller in the list."""

    scid: int
    pcid: int
    online: int
    vfn: int
    nvq: int
    nvi: int


class Functions:
    """The drive with its virtual functions, which are offline and have no resources."""

    def __init__(self, drive: Drive) -> None:
        self.drive = drive
        self.count = min(sriov.total(drive.nvme0), MOST)
        self._opened: list[Drive] = []
        before = self.capabilities()
        self._share = int(before.vqrfap), int(before.virfap)
        self.share(0, 0)
        self.enable()

    def enable(self) -> None:
        """Enable the functions. Their controllers are offline then."""
        self.drive.note(f"enable {self.count} virtual functions", f"sriov.enable(nvme0, {self.count})")
        self.addresses = sriov.enable(self.drive.nvme0, self.count)
        self.entries = self.listed()[: self.count]
        self.first = self.entries[0].scid

    def share(self, queues: int, vectors: int) -> None:
        """Set the resources of the primary controller, which a function level reset makes valid."""
        now = self.capabilities()
        if (int(now.vqrfap), int(now.virfap)) == (queues, vectors) or not self.drive.has_flr():
            return
        for rt, count in ((VQ, queues), (VI, vectors)):
            self.succeed(SHARE, int(now.cntlid), rt, count)
        self.drive.flr()

    def close(self) -> None:
        """Close the controllers of the functions, and disable them."""
        while self._opened:
            self.close_one(self._opened[-1])
        for entry in self.listed():
            self.manage(OFFLINE, entry.scid)
        sriov.enable(self.drive.nvme0, 0)
        self.share(*self._share)

    def capabilities(self) -> Capabilities:
        """Primary Controller Capabilities."""
        buf = nvme.Buffer(4096)
        done = self.drive.admin(AdminOpcode.IDENTIFY, buf, cdw10=Cns.PRIMARY_CTRL_CAPS)
        self.drive.succeed(done, CAPABILITIES)
        return Capabilities(bytes(buf[:]))

    def listed(self, least: int = 0) -> list[Entry]:
        """The secondary controllers from this identifier on."""
        buf = nvme.Buffer(4096)
        cdw10 = least << 16 | Cns.SECONDARY_CTRL_LIST
        self.drive.succeed(self.drive.admin(AdminOpcode.IDENTIFY, buf, cdw10=cdw10), LIST)
        found = List(bytes(buf[:])).entry
        return [
            Entry(int(one.scid), int(one.pcid), int(one.scs), int(one.vfn), int(one.nvq), int(one.nvi))
            for one in found
        ]

    def entry(self, scid: int) -> Entry:
        """The entry of one secondary controller."""
        return next((one for one in self.listed() if one.scid == scid), Entry(0, 0, 0, 0, 0, 0))

    def manage(self, act: int, cntlid: int = 0, rt: int = VQ, nr: int = 0) -> Command:
        """Send Virtualization Management."""
        return self.drive.admin(AdminOpcode.VIRTUALIZATION, cdw10=cntlid << 16 | rt << 8 | act, cdw11=nr)

    def succeed(self, act: int, cntlid: int, rt: int = VQ, nr: int = 0) -> Command:
        """Send Virtualization Management, which must succeed."""
        return self.drive.succeed(self.manage(act, cntlid, rt, nr), MANAGEMENT)

    def bring_up(self, scid: int = 0, queues: int = QUEUES, vectors: int = VECTORS) -> None:
        """Assign resources to a secondary controller, by default the first one, and bring it online."""
        scid = scid or self.first
        self.succeed(ASSIGN, scid, VQ, queues)
        self.succeed(ASSIGN, scid, VI, vectors)
        self.succeed(ONLINE, scid)

    def open(self, index: int = 0) -> Drive:
        """Open the controller of a function, which is online."""
        controller = nvme.Controller(self.addresses[index])
        one = Drive(controller, nvme.Subsystem(controller), self.drive.seed, self.drive.test)
        self._opened.append(one)
        return one

    def close_one(self, one: Drive) -> None:
        """Close the controller of a function."""
        self._opened.remove(one)
        one.delete_qpairs()
        one.pcie.close()

    @contextlib.contextmanager
    def registers(self, index: int = 0) -> Iterator[nvme.Controller]:
        """The controller of a function, not initialised."""
        controller = nvme.Controller(self.addresses[index], True)
        try:
            yield controller
        finally:
            controller.pcie.close()

    def csts(self, index: int = 0) -> int:
        """CSTS of a function."""
        with self.registers(index) as controller:
            return controller[Register.CSTS]
