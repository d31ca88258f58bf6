# SPDX-License-Identifier: BSD-3-Clause
"""Protection information end to end: tags and checks of commands, verification, and workers. NVM 1.0, 5.2."""

import os
import warnings

import nvme as d
import pytest

from pynvme.protection import Pi, Tuple, check, explain, protect
from pynvme.vssd import VirtualSsd

DRIVE = "vssd:name=protection,size=32M,protection,storage_tag=16,copy"
WRITE, ZEROES, DSM, VERIFY = 0x01, 0x08, 0x09, 0x0C


@pytest.fixture(scope="module")
def drive():
    """Give a drive that protects its LBAs if it is formatted so."""
    nvme0 = d.Controller(d.Pcie(DRIVE))
    yield nvme0
    nvme0.format(0).waitdone()
    nvme0.pcie.close()


class Lbas:
    """A namespace in one of its formats, and buffers of some LBAs of it."""

    def __init__(self, nvme0, lbaf, mset, pi, pil=0, count=6):
        nvme0.format(lbaf, mset=mset, pi=pi, pil=pil).waitdone()
        self.ns = d.Namespace(nvme0)
        self.qpair = d.Qpair(nvme0, 8)
        self.fmt = self.ns.protection
        self.count = count
        self.buf, self.meta = self.buffers()
        for one in (self.buf, self.meta):
            if one is not None:
                one[:] = os.urandom(len(one))

    def buffers(self, count=None):
        count, fmt = count or self.count, self.fmt
        if fmt.extended:
            return d.Buffer(count * (fmt.data + fmt.metadata)), None
        return d.Buffer(count * fmt.data), d.Buffer(count * fmt.metadata)

    def send(self, name, lba, pi, buf=None, meta=None):
        buf, meta = (buf, meta) if buf is not None else (self.buf, self.meta)
        getattr(self.ns, name)(self.qpair, buf, lba, self.count, meta=meta, pi=pi).waitdone()

    def tuple_at(self, buf, meta, index):
        """Where the tuple of an LBA begins, and the buffer that has it."""
        if self.fmt.extended:
            return buf, index * (self.fmt.data + self.fmt.metadata) + self.fmt.data + self.fmt.place
        return meta, index * self.fmt.metadata + self.fmt.place


# LBA format, MSET, type, PIL: each guard, place and type
FORMATS = [
    (2, 0, 1, 0),
    (3, 1, 1, 0),
    (4, 0, 2, 1),
    (6, 1, 3, 0),
    (8, 0, 1, 0),
    (12, 1, 2, 1),
    (10, 1, 1, 0),
    (14, 0, 3, 0),
]


def test_the_format_is_what_identify_says(drive):
    found = [Lbas(drive, *one).fmt for one in FORMATS]
    assert [(f.type, f.guard, f.metadata, f.first, f.extended) for f in found] == [
        (1, 16, 8, False, False),
        (1, 16, 8, False, True),
        (2, 16, 16, True, False),
        (3, 16, 64, False, True),
        (1, 32, 16, False, False),
        (2, 32, 64, True, True),
        (1, 64, 16, False, True),
        (3, 64, 64, False, False),
    ]


def test_a_write_is_protected_checked_and_judged(drive):
    for one in FORMATS:
        lbas = Lbas(drive, *one)
        tag = {"app_tag": 0x1234, "storage_tag": 0x55 if lbas.fmt.storage else None}
        before = lbas.ns.verify_stats()
        lbas.send("write", 100, tag)
        assert check(lbas.ns, lbas.buf, 100, 6, lbas.meta, tag) == []
        back, meta = lbas.buffers()
        lbas.send("read", 100, tag, back, meta)
        assert back[:] == lbas.buf[:]
        assert meta is None or meta[:] == lbas.meta[:]
        lbas.send("compare", 100, tag)
        lbas.ns.verify(lbas.qpair, 100, 6, pi=tag).waitdone()
        after = lbas.ns.verify_stats()
        assert (after.judged - before.judged, after.mismatch) == (6, 0), one


def test_each_wrong_field_is_refused_by_its_name(drive):
    for one in FORMATS:
        lbas = Lbas(drive, *one)
        fmt = lbas.fmt
        tag = Pi(app_tag=0x1234, make=False)
        places = [("02/82", 0), ("02/83", fmt.guard // 8)]
        if fmt.type != 3:
            places.append(("02/84", fmt.size - 1))
        for status, place in places:
            protect(lbas.ns, lbas.buf, 100, 6, lbas.meta, tag)
            where, start = lbas.tuple_at(lbas.buf, lbas.meta, 4)
            where[start + place] ^= 1
            data = lbas.buf[:]
            dwords = tag.dwords(fmt, WRITE, 100)
            with pytest.warns(UserWarning, match=status):
                lbas.ns.send_cmd(
                    WRITE,
                    lbas.qpair,
                    lbas.buf,
                    cdw10=100,
                    cdw12=dwords[0] | 5,
                    cdw2=dwords[1],
                    cdw3=dwords[2],
                    cdw14=dwords[3],
                    cdw15=dwords[4],
                    meta=lbas.meta,
                ).waitdone()
            assert lbas.buf[:] == data
            assert "LBA 0x68" in explain(check(lbas.ns, lbas.buf, 100, 6, lbas.meta, tag))


def test_what_the_drive_makes_is_what_verification_expects(drive):
    for one in FORMATS:
        lbas = Lbas(drive, *one)
        tag = {"app_tag": 0x4321}
        meta = None if lbas.fmt.alone else lbas.meta
        lbas.send("write", 200, {**tag, "pract": 1}, meta=meta, buf=lbas.buf)
        back, meta = lbas.buffers()
        before = lbas.ns.verify_stats()
        lbas.send("read", 200, tag, back, meta)
        assert check(lbas.ns, back, 200, 6, meta, tag) == []
        lbas.send("read", 200, {**tag, "pract": 1}, back, None if lbas.fmt.alone else meta)
        after = lbas.ns.verify_stats()
        assert (after.judged - before.judged, after.mismatch) == (12, 0), one


def test_zeroes_deallocation_and_copies_raise_no_alarm(drive):
    for one in FORMATS:
        lbas = Lbas(drive, *one)
        lbas.send("write", 0, True)
        lbas.ns.write_zeroes(lbas.qpair, 1, 1, pi=True).waitdone()
        lbas.ns.write_zeroes(lbas.qpair, 2, 1).waitdone()
        ranges = d.Buffer(4096)
        ranges.set_dsm_range(0, 3, 1)
        lbas.ns.dsm(lbas.qpair, ranges, 1).waitdone()
        back, meta = lbas.buffers()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # LBA 2 has no valid guard
            lbas.send("read", 0, True, back, meta)
            lbas.send("read", 0, None, back, meta)
        assert lbas.ns.verify_stats().mismatch == 0, one
        size = 40 if lbas.fmt.guard != 16 else 32
        ranges.set_copy_range(0, 4, 2, size=size)
        lbas.ns.copy(lbas.qpair, ranges, 300, 1, format=int(size == 40), pi=True).waitdone()
        lbas.count = 2
        before = lbas.ns.verify_stats().judged
        lbas.send("read", 300, True, back, meta)
        assert lbas.ns.verify_stats().judged == before + 2
        assert lbas.ns.verify_stats().mismatch == 0


def test_workers_protect_check_and_verify(drive):
    for one in (FORMATS[0], FORMATS[3], FORMATS[5], FORMATS[6]):
        lbas = Lbas(drive, *one)
        ns = lbas.ns
        for pi in ({"apptag": 0x1234, "apptag_mask": 0xFFFF}, {"pi_act": 1}):
            fill = ns.ioworker(io_size=8, lba_random=False, read_percentage=0, region_end=128, pi=pi)
            assert fill.start().close().error == 0, (one, pi)
            mixed = ns.ioworker(
                io_size=[1, 8], region_end=128, read_percentage=60, io_count=100, qdepth=4, pi=pi
            )
            result = mixed.start().close()
            assert (result.error, result.lba_mismatch) == (0, 0), (one, pi, result)
            assert result.lba_verified > 30
        back, meta = lbas.buffers()
        before = ns.verify_stats().judged
        lbas.send("read", 16, True, back, meta)
        assert ns.verify_stats().judged > before
        assert check(ns, back, 16, 6, meta) == []
        others = {WRITE: 60, ZEROES: 20, VERIFY: 20}
        worker = ns.ioworker(io_size=8, region_end=128, op_percentage=others, io_count=60, pi=True, qdepth=2)
        assert worker.start().close().error == 0, one


def test_a_worker_names_the_check_that_failed(drive):
    lbas = Lbas(drive, 2, 0, 1)
    lbas.send("write", 0, {"app_tag": 1})
    worker = lbas.ns.ioworker(io_size=6, lba_random=False, region_end=6, io_count=1, pi={"app_tag": 2})
    with pytest.warns(UserWarning, match="ERROR") as told:
        result = worker.start().close()
    assert any("02/83 End-to-end Application Tag Check Error" in str(one.message) for one in told)
    assert (result.error, result.status) == (-6, 0x283)


def test_reads_that_name_one_reference_tag_begin_where_writes_began(drive):
    """In type 2, by lba_align = io_size. Another LBA has another tag (NVM 1.0, 5.2)."""
    ns = Lbas(drive, 2, 0, 2).ns
    io = {"io_size": 8, "pi": {"ref_tag": 7, "prchk": "GUARD,REFTAG"}}
    fill = ns.ioworker(**io, lba_random=False, read_percentage=0, region_end=128)
    assert fill.start().close().error == 0
    result = ns.ioworker(**io, lba_align=8, region_end=128, io_count=50).start().close()
    assert (result.error, result.lba_mismatch, result.lba_verified) == (0, 0, 400)
    worker = ns.ioworker(**io, lba_random=False, region_start=3, region_end=11, io_count=1)
    with pytest.warns(UserWarning, match="ERROR") as told:
        result = worker.start().close()
    assert any("02/84" in str(one.message) for one in told)
    assert (result.error, result.status) == (-6, 0x284)


def test_a_worker_by_default_makes_right_tuples_and_asks_for_no_check(drive):
    lbas = Lbas(drive, 8, 1, 1)
    lbas.send("write", 0, {"pract": 0, "make": False, "prchk": 0})  # no valid tuples
    worker = lbas.ns.ioworker(io_size=6, lba_random=False, region_end=6, io_count=1)
    assert worker.start().close().error == 0
    worker = lbas.ns.ioworker(io_size=6, lba_random=False, region_end=6, io_count=1, read_percentage=0)
    assert worker.start().close().error == 0
    back, _ = lbas.buffers()
    lbas.send("read", 0, True, back)
    assert check(lbas.ns, back, 0, 6) == []


def test_wrong_metadata_are_a_mismatch_that_names_them(drive, caplog):
    """The drive's own checks pass: what it transfers then has another bit in the tuple, or in the data."""
    lbas = Lbas(drive, 2, 1, 1)
    lbas.send("write", 0x40, True)
    ssd = VirtualSsd.attach(DRIVE)
    back, _ = lbas.buffers()
    for byte, kind in ((520 + 514, "LBA 0x41 has wrong metadata"), (520 + 100, "LBA 0x41 is corrupt")):
        caplog.clear()
        with ssd.fault(f"opcode=read do flip byte={byte}"), pytest.warns(UserWarning, match="07/81"):
            lbas.send("read", 0x40, True, back)
        assert kind in caplog.text
        with ssd.fault(f"opcode=read do flip byte={byte}"), pytest.warns(UserWarning, match="ERROR") as told:
            worker = lbas.ns.ioworker(
                io_size=6, lba_random=False, region_start=0x40, region_end=0x46, io_count=1
            )
            result = worker.start().close()
        assert any("07/81" in str(one.message) for one in told)
        assert (result.error, result.lba_mismatch) == (-6, 1)
    with ssd.fault("opcode=write do flip byte=513"):
        lbas.send("write", 0x40, True)  # behind the drive's check of the write
    with pytest.warns(UserWarning, match="02/82"):
        lbas.send("read", 0x40, True, back)


def test_tags_are_in_either_place(drive):
    lbas = Lbas(drive, 2, 1, 1)
    with pytest.raises(AssertionError, match="the tags are in pi, or in dword14 and dword15, not in both"):
        lbas.ns.read(lbas.qpair, lbas.buf, 0, dword14=1, pi=True)
    with pytest.raises(AssertionError, match="pi: ref_tag must be from 0 to 0xffff, not 0x10000"):
        lbas.ns.read(lbas.qpair, lbas.buf, 0, pi={"ref_tag": 0x10000})


def test_a_tuple_of_a_buffer_is_decoded(drive):
    lbas = Lbas(drive, 10, 1, 1)
    lbas.send("write", 0x1234, {"app_tag": 0xABCD, "storage_tag": 0x77})
    where, start = lbas.tuple_at(lbas.buf, None, 3)
    found = Tuple.parse(lbas.fmt, where[start : start + 16])
    assert (found.app_tag, found.storage_tag, found.ref_tag) == (0xABCD, 0x77, 0x1237)
