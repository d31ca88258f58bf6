# SPDX-License-Identifier: BSD-3-Clause
"""Commands with the NSID of another namespace than the one that sends them, which `send_cmd` allows."""

from __future__ import annotations

import nvme
import pytest
from drive import IDENTIFY, READ, WRITE, Command, Drive, Result

FORMAT, NS_MANAGEMENT = 0x80, 0x0D
DELETE = 1


class Two:
    """A drive with two namespaces; a format changes the second one to 4 KiB LBAs."""

    def __init__(self, drive: Drive) -> None:
        self.drive = drive
        self.size = 512
        self.lbas: dict[int, bytes] = {}
        drive.on_admin |= {IDENTIFY: self.identify, FORMAT: self.reformat, NS_MANAGEMENT: self.reformat}
        drive.on_io |= {WRITE: self.write, READ: self.read}

    def identify(self, command: Command) -> Result:
        if command.nsid != 2:
            return self.drive.identify(command)
        found = bytearray(self.drive.identify_namespace)
        found[130] = self.size.bit_length() - 1
        self.drive.scatter(command, bytes(found))
        return 0, 0

    def reformat(self, command: Command) -> Result:
        self.size = 4096
        self.lbas.clear()
        return 0, 0

    def write(self, command: Command) -> Result:
        data = self.drive.gather(command, command.nlb * self.size)
        for i in range(command.nlb):
            self.lbas[command.slba + i] = data[i * self.size : (i + 1) * self.size]
        return 0, 0

    def read(self, command: Command) -> Result:
        lbas = range(command.slba, command.slba + command.nlb)
        self.drive.scatter(command, b"".join(self.lbas.get(lba, bytes(self.size)) for lba in lbas))
        return 0, 0


@pytest.mark.parametrize("how", ["format", "deleted"])
def test_whose_format_nobody_has_asked_for_is_not_judged_by_the_old_one(drive: Drive, how: str) -> None:
    Two(drive)
    pcie = nvme.Pcie(drive.start(process=True))
    nvme0 = nvme.Controller(pcie)
    first, second, qpair = nvme.Namespace(nvme0, 1), nvme.Namespace(nvme0, 2), nvme.Qpair(nvme0, 8)
    data, back = nvme.Buffer(8192, ptype=0xBEEF, pvalue=100), nvme.Buffer(4096)
    if how == "format":
        nvme0.format(0, nsid=2).waitdone()
    else:
        nvme0.send_cmd(NS_MANAGEMENT, nsid=2, cdw10=DELETE).waitdone()
    first.send_cmd(WRITE, qpair, data, nsid=2, cdw12=1).waitdone()
    first.send_cmd(READ, qpair, back, nsid=2, cdw10=1).waitdone()
    assert bytes(back[:]) == bytes(data[4096:])
    before = second.verify_stats().judged
    second.write(qpair, data, 0, 2).waitdone()
    first.send_cmd(READ, qpair, back, nsid=2, cdw10=1).waitdone()
    assert second.verify_stats().judged == before + 1
    pcie.close()
