# SPDX-License-Identifier: BSD-3-Clause
"""Zone Append with protection information: what the host sends, and what verification expects."""

import nvme as d
import pytest

from pynvme.protection import Format, Pi, Tuple
from pynvme.vssd import VirtualSsd

pytestmark = pytest.mark.filterwarnings("error::UserWarning")

APPEND = 0x7D
ZONE = 512  # LBAs
SHAPES = [
    ({"metadata_size": 8}, None),
    ({"pi": 1}, True),
    ({"pi": 1, "extended_lba": True}, {"app_tag": 0x1234}),
    ({"pi": 2, "guard": 64, "metadata_size": 64}, {"ref_tag": 7}),
    ({"pi": 2, "guard": 32, "storage_tag": 16}, {"storage_tag": 5}),
    ({"pi": 3, "extended_lba": True}, True),
]


def test_dwords_of_an_append():
    """PIREMAP is bit 25 of dword 12 (ZNS 1.1, 3.4.1), which types 1 and 2 use, and type 3 must not."""
    assert Pi().dwords(Format(1), APPEND, 0x1000) == (5 << 26 | 1 << 25, 0, 0, 0x1000, 0)
    assert Pi(ref_tag=7).dwords(Format(2), APPEND, 0x1000) == (5 << 26 | 1 << 25, 0, 0, 7, 0)
    assert Pi(remap=False).dwords(Format(2), APPEND, 0x1000) == (5 << 26, 0, 0, 0x1000, 0)
    assert Pi().dwords(Format(3), APPEND, 0x1000) == (4 << 26, 0, 0, 0, 0)
    assert Pi(remap=1).dwords(Format(3), APPEND, 0) == (4 << 26 | 1 << 25, 0, 0, 0, 0)
    assert Pi(remap=True).dwords(Format(1), 1, 0x1000)[0] == 5 << 26, "a write"


@pytest.mark.parametrize("options, pi", SHAPES)
def test_metadata_of_appends_are_verified(options, pi):
    with VirtualSsd("16M", zoned=1, zone_size="256K", **options) as ssd:
        nvme0 = d.Controller(d.Pcie(ssd.address))
        ns, qpair = d.Namespace(nvme0), d.Qpair(nvme0, 8)
        extended, ms = bool(ns.id_ns.flbas.mdbs), ns.metadata_size
        buf = d.Buffer(4 * (512 + (ms if extended else 0)), ptype=0xBEEF, pvalue=100)
        meta = None if extended else d.Buffer(4 * ms, ptype=0xBEEF, pvalue=100)
        at = []
        for pract in (0, 1) if pi else (0,):
            asked = pi if not pract else {**(pi if isinstance(pi, dict) else {}), "pract": 1}
            for _ in range(3):
                ns.zone_append(
                    qpair, buf, ZONE, 4, meta=meta, pi=asked, cb=lambda cpl: at.append(cpl[0])
                ).waitdone()
        assert at == [ZONE + 4 * i for i in range(len(at))]
        before = ns.verify_stats().judged
        for lba in at:
            ns.read(qpair, buf, lba, 4, meta=meta).waitdone()
            if ns.protection and ns.protection.type != 3:
                first = ZONE if not isinstance(pi, dict) or "ref_tag" not in pi else pi["ref_tag"]
                place = slice(512 + ms - ns.protection.size, 512 + ms)
                raw = bytes(buf[place]) if extended else bytes(meta[ms - ns.protection.size : ms])
                assert Tuple.parse(ns.protection, raw).ref_tag == first + lba - ZONE
        assert ns.verify_stats().judged == before + 4 * len(at)
        rule = "opcode=read lba=517 do flip byte=3 metadata=1"
        with ssd.fault(rule), pytest.warns(UserWarning, match="ERROR status: 07/81"):
            ns.read(qpair, buf, ZONE + 4, 4, meta=meta).waitdone()
        nvme0.pcie.close()


def test_the_drive_checks_what_an_append_sends():
    with VirtualSsd("16M", zoned=1, zone_size="256K", pi=1) as ssd:
        nvme0 = d.Controller(d.Pcie(ssd.address))
        ns, qpair = d.Namespace(nvme0), d.Qpair(nvme0, 8)
        buf, meta = d.Buffer(512), d.Buffer(8)
        ns.zone_append(qpair, buf, ZONE, meta=meta, pi=True).waitdone()
        assert meta[:] == bytes.fromhex("0000000000000200"), "the guard of zeros, and the start of the zone"
        for pi, raw, status in (
            ({"make": False}, "0000000000000201", "02/84"),
            ({"make": False}, "1234000000000200", "02/82"),
            ({"remap": 0}, "0000000000000200", "01/81"),
        ):
            meta[:] = bytes.fromhex(raw)
            with pytest.warns(UserWarning, match=f"ERROR status: {status}"):
                ns.zone_append(qpair, buf, ZONE, meta=meta, pi=pi).waitdone()
        nvme0.pcie.close()


@pytest.mark.parametrize(
    "options, pi", [*SHAPES, ({"pi": 1}, {"pract": 1}), ({"pi": 2}, {"remap": 0, "prchk": 0})]
)
def test_workers_verify_the_metadata_of_their_appends(options, pi):
    with VirtualSsd("16M", zoned=1, zone_size="256K", **options) as ssd:
        nvme0 = d.Controller(d.Pcie(ssd.address))
        ns = d.Namespace(nvme0)
        aligned = isinstance(pi, dict) and "ref_tag" in pi  # each read names the tag of a write's first LBA
        sizes = 8 if aligned else [1, 3, 8]
        given = {"io_size": sizes, "qdepth": 9, "zonemode": "zbd", "region_end": 8 * ZONE, "pi": pi}
        given |= {"lba_align": 8} if aligned else {}
        done = ns.ioworker(**given, zone_append=70, read_percentage=50, io_count=1500).start().close()
        assert done.error == done.lba_mismatch == 0 and done.io_count_append > 300
        assert done.lba_verified > 1000 and ns.verify_stats().mismatch == 0
        ns.zones(d.Qpair(nvme0, 8))[0].reset()
        given |= {"region_end": ZONE, "lba_random": False, "io_size": 8, "read_percentage": 0}
        given["zone_append"] = 100
        assert ns.ioworker(**given).start().close().io_count_append > 0
        read = {**given, "read_percentage": 100, "zone_append": 0}
        found = ns.ioworker(**read).start().close()
        assert found.error == found.lba_unverified == 0 and found.lba_verified > 300
        where = "" if pi == {"pract": 1} else "metadata=1"
        with (
            ssd.fault(f"opcode=read lba=40 do flip byte=3 {where}"),
            pytest.warns(UserWarning, match="ioworker"),
        ):
            assert ns.ioworker(**read).start().close().lba_mismatch == 1
        nvme0.pcie.close()
