# SPDX-License-Identifier: BSD-3-Clause
"""Cancel by Namespace.cancel(), on a drive that claims NVMe 2.1."""

import nvme as d
import pytest

from pynvme.vssd import VirtualSsd


@pytest.fixture(scope="module")
def drive():
    with VirtualSsd(size="16M", namespaces=2, nvme_version="2.1") as ssd:
        nvme0 = d.Controller(ssd.address)
        yield ssd, nvme0, d.Namespace(nvme0, 1), d.Namespace(nvme0, 2)
        nvme0.pcie.close()


def test_commands_are_cancelled(drive):
    ssd, nvme0, nvme0n1, nvme0n2 = drive
    assert nvme0n1.supports(0x18)
    qpair, buf = d.Qpair(nvme0, 16), d.Buffer(512)
    ended = []

    def note(cdw0, status):
        ended.append((cdw0, status >> 1 & 0x7FF))

    def send(*arguments):
        with ssd.fault("opcode=read do hold"):
            nvme0n1.read(qpair, buf, 0, cb=note)
            last = qpair.latest_cid
            nvme0n2.read(qpair, buf, 0, cb=note)
            named = {name: {"one": last, "all": 0xFFFFFFFF}.get(value) for name, value in arguments}
            nvme0n1.cancel(qpair, **named, cb=note)
            count = 3 if named.get("nsid") else 2
            qpair.waitdone(count)
        qpair.waitdone(3 - count)
        found = list(ended)
        ended.clear()
        return found

    with pytest.warns(UserWarning, match="00/07"):
        assert send() == [(0, 7), (1, 0), (0, 0)]
        assert send(("cid", "one")) == [(0, 7), (1, 0), (0, 0)]
        assert send(("nsid", "all")) == [(0, 7), (0, 7), (2, 0)]
    with pytest.raises(AssertionError, match="cid"):
        nvme0n1.cancel(qpair, 1 << 16)
    with pytest.raises(TypeError, match="Qpair"):
        nvme0n1.cancel(nvme0)
    qpair.delete()


def test_a_cancelled_write_is_not_judged(drive):
    """Whether its data were written is not known."""
    ssd, nvme0, nvme0n1, _ = drive
    qpair, buf = d.Qpair(nvme0, 16), d.Buffer(512)
    nvme0n1.write(qpair, buf, 8).waitdone()
    with pytest.warns(UserWarning, match="00/07"), ssd.fault("opcode=write do hold"):
        nvme0n1.write(qpair, buf, 8)
        nvme0n1.cancel(qpair)
        qpair.waitdone(2)
    nvme0n1.read(qpair, buf, 8).waitdone()
    qpair.delete()
