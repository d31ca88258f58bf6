# SPDX-License-Identifier: BSD-3-Clause
"""All that a drive reports about itself: registers, configuration space, Identify, log pages, features.

Structures that a version does not have are None. Fields are read by their offset in the specification.
"""

from __future__ import annotations

from typing import NamedTuple

from client import Client, Nvme
from ctrl_helpers import ALL_NAMESPACES, GET_FEATURES, GET_LOG, IDENTIFY, INVALID_FIELD, INVALID_LOG_PAGE, OK
from server import Server

LOG_SIZES = {0x00: 1024, 0x01: 4096, 0x02: 512, 0x03: 512, 0x04: 4096, 0x05: 4096, 0x06: 564, 0x07: 512}
LOG_SIZES |= {0x08: 512, 0x10: 32, 0x12: 1024, 0x13: 4096, 0x81: 512}


class Record:
    """Bytes, and numbers in them."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def number(self, offset: int, size: int) -> int:
        return int.from_bytes(self.data[offset : offset + size], "little")

    def bit(self, offset: int, number: int) -> bool:
        return bool(self.data[offset + number // 8] >> number % 8 & 1)

    def entries(self, first: int = 0, count: int = 256) -> list[int]:
        return [self.number(first + 4 * index, 4) for index in range(count)]


class Feature(NamedTuple):
    """What Get Features says with SEL 0 to 3: dword 0, None where it refuses."""

    current: int | None
    default: int | None
    saved: int | None
    capabilities: int | None


class Told:
    """Of an enabled drive. Namespaces are told of by their NSID."""

    def __init__(self, server: Server) -> None:
        self.client = Client(server.folder)
        self.nvme = Nvme(self.client)
        self.nvme.enable()
        self._buffer = self.nvme.memory.alloc(4096)
        self.read()

    def read(self) -> None:
        """Read it all (again)."""
        self.bar = Record(self.client.bar_read(0, 0x100))
        self.version = self.bar.number(8, 4)
        self.cap = self.bar.number(0, 8)
        self.config = Record(self.client.config_read(0, 256))
        controller = self.identify(0x01)
        assert controller is not None
        self.controller = controller
        self.nsids = list(range(1, self.controller.number(516, 4) + 1))
        self.listed = self.identify(0x02)
        self.listed_of_set = self.identify(0x07)
        self.sets = self.identify(0x1C | 0xFFFF << 16)
        self.of_controller_of_set = self.identify(0x06)
        self.ns = {nsid: self._must(self.identify(0x00, nsid)) for nsid in self.nsids}
        self.descriptors = {nsid: self.identify(0x03, nsid) for nsid in self.nsids}
        self.of_set = {nsid: self.identify(0x05, nsid) for nsid in self.nsids}
        self.independent = {nsid: self.identify(0x08, nsid) for nsid in self.nsids}
        self.logs = {lid: self.log(lid, size) for lid, size in LOG_SIZES.items()}
        self.features = {fid: self.feature(fid) for fid in range(256)}

    def close(self) -> None:
        self.nvme.close()
        self.client.close()

    def since(self, major: int, minor: int) -> bool:
        return self.version >= major << 16 | minor << 8

    def identify(self, cns: int, nsid: int = 0) -> Record | None:
        _, status = self.nvme.admin.execute(IDENTIFY, nsid=nsid, prp1=self._buffer, cdw10=cns)
        assert status in (OK, INVALID_FIELD)
        return Record(self.nvme.memory.read(self._buffer, 4096)) if status == OK else None

    def log(self, lid: int, size: int, csi: int = 0) -> Record | None:
        """A log page; its event stays."""
        cdw10 = (size // 4 - 1) << 16 | 1 << 15 | lid
        fields = {"nsid": ALL_NAMESPACES, "prp1": self._buffer, "cdw14": csi << 24}
        _, status = self.nvme.admin.execute(GET_LOG, cdw10=cdw10, **fields)
        assert status in (OK, INVALID_LOG_PAGE)
        return Record(self.nvme.memory.read(self._buffer, size)) if status == OK else None

    def feature(self, fid: int) -> Feature | None:
        """None if the drive does not have the feature."""
        found = [
            self.nvme.admin.execute(
                GET_FEATURES, nsid=fid == 0x05, prp1=self._buffer, cdw10=select << 8 | fid
            )
            for select in range(4)
        ]
        values = [value if status == OK else None for value, status in found]
        return None if values[0] is None else Feature(*values)

    def extended(self, capability: int) -> Record | None:
        """The first 16 bytes of an extended capability of PCIe."""
        at = 0x100
        while at:
            found = Record(self.client.config_read(at, 16))
            if found.number(0, 2) == capability:
                return found
            at = found.number(0, 4) >> 20
        return None

    def identifiers(self, nsid: int) -> dict[int, bytes]:
        """The identifiers in the descriptor list, by type."""
        found, offset, record = {}, 0, self.descriptors[nsid]
        while record is not None and record.data[offset]:
            kind, length = record.data[offset : offset + 2]
            found[kind] = record.data[offset + 4 : offset + 4 + length]
            offset += 4 + length
        return found

    @staticmethod
    def _must(record: Record | None) -> Record:
        assert record is not None
        return record
