# SPDX-License-Identifier: BSD-3-Clause
"""What a drive says of itself, which no reset and no loss of power may change."""

from __future__ import annotations

from typing import TYPE_CHECKING

import nvme

from pynvme.spec import AdminOpcode, Cns

if TYPE_CHECKING:
    from pynvme.suite.drive import Drive

CLAUSE = "Base 2.0, 5.17 Identify"

REVISION = slice(64, 72)
"""FR in Identify Controller, which an update of the firmware changes."""
NUSE, FPI = slice(16, 24), slice(32, 33)
"""In Identify Namespace: utilization, and the progress of a format."""

FEATURES = (0x01, 0x02, 0x04, 0x05, 0x06, 0x08, 0x0A, 0x0B, 0x0C, 0x0D, 0x0E, 0x10, 0x11, 0x16, 0x17, 0x81)
"""Features whose capabilities (SEL 3) belong to a drive's identity."""

_first: dict[str, dict[str, bytes]] = {}


def identified(drive: Drive) -> dict[str, bytes]:
    """The Identify structures of the controller and of all namespaces, and the capabilities of features.

    Fields that may change are 0.
    """
    wanted = [("Identify Controller", Cns.CTRL, 0), ("the list of active namespaces", Cns.ACTIVE_NS_LIST, 0)]
    for nsid in drive.nsids:
        wanted += [
            (f"Identify Namespace {nsid}", Cns.NS, nsid),
            (f"Namespace Identification Descriptors of {nsid}", Cns.NS_DESCRIPTORS, nsid),
        ]
    found = {}
    buf = nvme.Buffer(4096)
    for name, cns, nsid in wanted:
        if drive.admin(AdminOpcode.IDENTIFY, buf, nsid, cdw10=cns).ok:
            found[name] = _stable(buf[:], cns)
    if drive.id_ctrl.oncs.ssfs:
        for fid in FEATURES:
            done = drive.get_capabilities(fid)
            found[f"capabilities of feature {fid:02x}h"] = bytes([done.ok, done.cdw0 & 7])
    return found


def _stable(data: bytes, cns: int) -> bytes:
    """Clear what may change."""
    kept = bytearray(data)
    for place in {Cns.CTRL: (REVISION,), Cns.NS: (NUSE, FPI)}.get(Cns(cns), ()):
        kept[place] = bytes(place.stop - place.start)
    return bytes(kept)


def first_identified(drive: Drive) -> dict[str, bytes]:
    """The same, as the drive was when the first test of this session began."""
    address = drive.identity()["address"]
    if address not in _first:
        _first[address] = identified(drive)
    return _first[address]


def must_be_the_same(drive: Drive, wanted: dict[str, bytes], when: str) -> None:
    """Raise a finding if the Identify structures or the capabilities of features differ."""
    found = identified(drive)
    for name, data in wanted.items():
        seen = found.get(name)
        drive.check(seen is not None, CLAUSE, f"{name}, {when}", "the command fails")
        assert seen is not None
        different = [at for at in range(len(data)) if data[at] != seen[at]]
        drive.check(not different, CLAUSE, f"{name} as before, {when}", f"bytes {different[:16]} differ")
