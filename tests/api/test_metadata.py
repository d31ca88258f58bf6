# SPDX-License-Identifier: BSD-3-Clause
"""Metadata of LBAs: in a buffer of their own, and behind the data of each LBA; and protection information."""

import os
import struct
import warnings

import nvme as d
import pytest

from pynvme.protection import Fault, Format, Pi, Tuple, check, explain, guard, protect
from pynvme.sgl import BitBucket, DataBlock, Sgl

DRIVE = "vssd:name=metadata,size=32M,metadata,copy,sgls=byte"
FORMAT_NVM, READ, WRITE = 0x80, 2, 1


@pytest.fixture(scope="module")
def drive():
    """Give a drive with formats that have metadata, and its controller."""
    nvme0 = d.Controller(d.Pcie(DRIVE))
    yield nvme0
    nvme0.pcie.close()


class Lbas:
    """A namespace in one of its formats, with buffers that fit it."""

    def __init__(self, nvme0, lbaf, extended):
        nvme0.send_cmd(FORMAT_NVM, None, 1, cdw10=lbaf | extended << 4).waitdone()
        self.ns = d.Namespace(nvme0)
        self.qpair = d.Qpair(nvme0, 8)
        self.extended = extended
        self.data, self.ms = self.ns.lba_size, self.ns.metadata_size

    def buffers(self, count, filled=False):
        if self.extended:
            found = d.Buffer(count * (self.data + self.ms)), None
        else:
            found = d.Buffer(count * self.data), d.Buffer(count * self.ms)
        for buf in found:
            if filled and buf is not None:
                buf[:] = os.urandom(len(buf))
        return found

    def metadata(self, buf, meta, index):
        start = index * (self.data + self.ms) + self.data if self.extended else index * self.ms
        return bytes((buf if self.extended else meta)[start : start + self.ms])


FORMATS = [(2, False), (2, True), (5, False), (7, True)]


def test_data_and_metadata_come_back_and_are_judged(drive):
    for lbaf, extended in FORMATS:
        lbas = Lbas(drive, lbaf, extended)
        ns, qpair = lbas.ns, lbas.qpair
        (buf, meta), (back, meta_back) = lbas.buffers(9, filled=True), lbas.buffers(9)
        before = ns.verify_stats()
        ns.write(qpair, buf, 100, 9, meta=meta).waitdone()
        ns.read(qpair, back, 100, 9, meta=meta_back).waitdone()
        ns.compare(qpair, buf, 100, 9, meta=meta).waitdone()
        assert back[:] == buf[:]
        assert extended or meta_back[:] == meta[:]
        stride = lbas.data + (lbas.ms if extended else 0)
        assert [struct.unpack_from("<Q", buf[:], i * stride)[0] for i in range(9)] == list(range(100, 109))
        ns.send_cmd(READ, qpair, back, cdw10=104, cdw12=4, meta=meta_back).waitdone()
        assert lbas.metadata(back, meta_back, 4) == lbas.metadata(buf, meta, 8)
        after = ns.verify_stats()
        assert (after.judged - before.judged, after.mismatch) == (14, 0), (lbaf, extended)
        qpair.delete()


def test_compare_finds_other_metadata(drive):
    for extended in (False, True):
        lbas = Lbas(drive, 4, extended)
        buf, meta = lbas.buffers(2, filled=True)
        lbas.ns.write(lbas.qpair, buf, 0, 2, meta=meta).waitdone()
        (buf if extended else meta)[-1] ^= 1
        with pytest.warns(UserWarning, match="02/85"):
            lbas.ns.compare(lbas.qpair, buf, 0, 2, meta=meta).waitdone()
        lbas.qpair.delete()


def test_what_a_call_cannot_serve_is_refused_with_what_to_do(drive):
    lbas = Lbas(drive, 2, False)
    ns, qpair, buf = lbas.ns, lbas.qpair, d.Buffer(4096)
    sent = len(qpair.cmdlog_list())
    for call in (
        lambda: ns.read(qpair, buf, 0, 8),
        lambda: ns.write(qpair, buf, 0, 8),
        lambda: ns.compare(qpair, buf, 0, 8),
        lambda: ns.send_cmd(READ, qpair, buf, cdw12=7),
    ):
        with pytest.raises(NotImplementedError, match=r"namespace 1 keeps 8 bytes of metadata.*as meta"):
            call()
    with pytest.raises(AssertionError, match="64 bytes of metadata at MPTR, from byte 0 of a buffer of 63"):
        ns.read(qpair, buf, 0, 8, meta=d.Buffer(63))
    short = d.Buffer(64)
    short.offset = 8
    with pytest.raises(AssertionError, match="from byte 8 of a buffer of 64 bytes"):
        ns.write(qpair, buf, 0, 8, meta=short)
    with pytest.raises(TypeError, match=r"meta must be a Buffer, or an Sgl or a Descriptor of .*, not bytes"):
        ns.read(qpair, buf, 0, 8, meta=b"12345678")
    with pytest.raises(AssertionError, match="no protection information"):
        ns.read(qpair, buf, 0, 8, meta=d.Buffer(64), pi=True)
    assert len(qpair.cmdlog_list()) == sent
    qpair.delete()
    extended = Lbas(drive, 2, True)
    with pytest.raises(AssertionError, match=r"follow the data of each LBA .* put them into buf"):
        extended.ns.read(extended.qpair, d.Buffer(), 0, meta=d.Buffer())
    extended.qpair.delete()
    none = Lbas(drive, 0, False)
    with pytest.raises(AssertionError, match=r"has no metadata .*leave out meta"):
        none.ns.read(none.qpair, d.Buffer(), 0, meta=d.Buffer())
    none.qpair.delete()


def test_the_metadata_pointer_is_that_of_the_buffer_and_shown(drive):
    lbas = Lbas(drive, 2, False)
    buf, meta = d.Buffer(512), d.Buffer()
    meta.offset = 64
    lbas.ns.write(lbas.qpair, buf, 3, meta=meta).waitdone()
    (command,) = lbas.qpair.cmdlog_list(1)
    assert struct.unpack_from("<Q", bytes(command.sqe), 16) == (meta.phys_addr,)
    meta.offset = 0
    assert meta[:64] == bytes(64)
    lbas.qpair.delete()


def test_an_sgl_describes_metadata(drive):
    """MPTR leads to the one descriptor of a segment, and PSDT is 10b (Base 2.0, 3.3.3.1)."""
    lbas = Lbas(drive, 2, False)
    ns, qpair = lbas.ns, lbas.qpair
    buf, pieces = d.Buffer(8 * 512), [d.Buffer(13), d.Buffer(51)]
    for piece in pieces:
        piece[:] = os.urandom(len(piece))
    ns.write(qpair, buf, 40, 8, meta=Sgl(*map(DataBlock, pieces))).waitdone()
    (command,) = qpair.cmdlog_list(1)
    assert bytes(command.sqe)[1] == 0x80
    whole, back = d.Buffer(64), d.Buffer(64)
    before = ns.verify_stats()
    ns.read(qpair, buf, 40, 8, meta=whole).waitdone()
    assert whole[:] == pieces[0][:] + pieces[1][:]
    ns.read(qpair, buf, 40, 8, meta=Sgl(BitBucket(8), DataBlock(back, 8))).waitdone()
    assert back[:] == bytes(8) + whole[8:]
    ns.compare(qpair, buf, 40, 8, meta=DataBlock(whole)).waitdone()
    halves = Sgl(DataBlock(buf, 0, 2048), DataBlock(buf, 2048))
    ns.read(qpair, None, 40, 8, sgl=halves, meta=DataBlock(back)).waitdone()
    assert back[:] == whole[:]
    after = ns.verify_stats()
    assert (after.judged - before.judged, after.mismatch) == (16, 0), "data in one Buffer are judged"
    with pytest.warns(UserWarning, match="00/10"):  # Metadata SGL Length Invalid
        ns.read(qpair, buf, 40, 8, meta=DataBlock(back, 0, 63)).waitdone()
    with pytest.raises(TypeError, match="leave out sgl=False"):
        ns.read(qpair, buf, 40, 8, sgl=False, meta=DataBlock(back))
    qpair.delete()


def test_what_an_sgl_of_metadata_names_stays_until_the_completion(drive):
    lbas = Lbas(drive, 2, False)
    buf, back = d.Buffer(8 * 512), d.Buffer(64)
    for index in range(6):
        meta = d.Buffer(64)
        meta[:] = bytes([index]) * 64
        lbas.ns.write(lbas.qpair, buf, 8 * index, 8, meta=Sgl(DataBlock(meta, 0, 32), DataBlock(meta, 32)))
        del meta
        d.Buffer(64)[:] = b"\xff" * 64
        d.Buffer(16)[:] = b"\xff" * 16
    lbas.qpair.waitdone(6)
    for index in range(6):
        lbas.ns.read(lbas.qpair, buf, 8 * index, 8, meta=back).waitdone()
        assert back[:] == bytes([index]) * 64
    lbas.qpair.delete()


def test_a_buffer_of_metadata_stays_until_the_completion(drive):
    lbas = Lbas(drive, 2, False)
    bufs = [d.Buffer(4096) for _ in range(6)]
    for index, buf in enumerate(bufs):
        meta = d.Buffer(64)
        meta[:] = bytes([index]) * 64
        lbas.ns.write(lbas.qpair, buf, 8 * index, 8, meta=meta)
        del meta
        d.Buffer(64)[:] = b"\xff" * 64  # memory that is free again would be this one
    lbas.qpair.waitdone(6)
    back = d.Buffer(64)
    for index, buf in enumerate(bufs):
        lbas.ns.read(lbas.qpair, buf, 8 * index, 8, meta=back).waitdone()
        assert back[:] == bytes([index]) * 64
    assert lbas.ns.verify_stats().mismatch == 0
    lbas.qpair.delete()


def test_zeroes_deallocation_and_copy_raise_no_alarm(drive):
    for extended in (False, True):
        lbas = Lbas(drive, 4, extended)
        ns, qpair = lbas.ns, lbas.qpair
        buf, meta = lbas.buffers(16, filled=True)
        ns.write(qpair, buf, 0, 16, meta=meta).waitdone()
        ns.write_zeroes(qpair, 2, 2).waitdone()
        ranges = d.Buffer(4096)
        ranges.set_dsm_range(0, 6, 2)
        ns.dsm(qpair, ranges, 1).waitdone()
        ranges.set_copy_range(0, 0, 16)
        ns.copy(qpair, ranges, 100, 1).waitdone()
        before = ns.verify_stats()
        for lba in (0, 100):
            ns.read(qpair, buf, lba, 16, meta=meta).waitdone()
        after = ns.verify_stats()
        assert after.mismatch == 0
        assert after.judged - before.judged >= 28
        qpair.delete()


def test_workers_verify_data_and_metadata(drive):
    for lbaf, extended in FORMATS:
        lbas = Lbas(drive, lbaf, extended)
        ns = lbas.ns
        fill = ns.ioworker(io_size=8, lba_random=False, read_percentage=0, region_end=256).start().close()
        mixed = ns.ioworker(io_size=[1, 8, 17], region_end=256, read_percentage=50, io_count=300, qdepth=2)
        result = mixed.start().close()
        assert (fill.error, result.error, result.lba_mismatch) == (0, 0, 0)
        assert result.lba_verified > 100
        buf, meta = lbas.buffers(8)
        before = ns.verify_stats().judged
        ns.read(lbas.qpair, buf, 16, 8, meta=meta).waitdone()
        assert ns.verify_stats().judged == before + 8, "one IO was in flight at a time"
        stamps = {lbas.metadata(buf, meta, i)[:8] for i in range(8)}
        assert len(stamps) == 8, "no two LBAs have the same metadata"
        others = ns.ioworker(
            io_size=8, region_end=256, op_percentage={WRITE: 50, 8: 20, 9: 20, 0: 10}, io_count=300, qdepth=8
        )
        assert others.start().close().error == 0
        reads = ns.ioworker(io_size=8, lba_random=False, region_end=256).start().close()
        assert (reads.error, reads.lba_mismatch) == (0, 0)
        lbas.qpair.delete()


def test_a_worker_without_verification_leaves_nothing_known(drive):
    lbas = Lbas(drive, 2, False)
    lbas.ns.verify_enable(False)
    worker = lbas.ns.ioworker(io_size=8, lba_random=False, read_percentage=0, region_end=64)
    assert worker.start().close().error == 0
    lbas.ns.verify_enable()
    buf, meta = lbas.buffers(8)
    before = lbas.ns.verify_stats().judged
    lbas.ns.read(lbas.qpair, buf, 0, 8, meta=meta).waitdone()
    assert lbas.ns.verify_stats().judged == before
    lbas.qpair.delete()


def test_a_worker_asks_for_no_protection_where_there_is_none(drive):
    lbas = Lbas(drive, 2, False)
    with pytest.raises(AssertionError, match=r"no protection information .*leave out pi"):
        lbas.ns.ioworker(io_count=1, pi=True)
    lbas.qpair.delete()


# -- pynvme.protection ---------------------------------------------------------------------------------


def test_guards_have_the_published_check_values():
    assert [guard(b"123456789", bits) for bits in (16, 32, 64)] == [0xD0DB, 0xE3069283, 0xAE8B14860A799888]
    assert guard(b"") == 0
    with pytest.raises(AssertionError, match="bits must be 16, 32 or 64, not 8"):
        guard(b"", 8)


# NVM 1.0, 5.2.1: 8 and 16 bytes, big-endian, the storage tag above the reference tag
GOLDEN = [
    (Format(1), Tuple(0x1122, 0x3344, 0, 0x55667788), "1122334455667788"),
    (Format(2, storage=8), Tuple(0x1122, 0x3344, 0x55, 0x667788), "1122334455667788"),
    (
        Format(1, metadata=16, guard=32, storage=16),
        Tuple(0x11223344, 0x5566, 0x7788, 0x99AABBCCDDEEFF00),
        "112233445566778899aabbccddeeff00",
    ),
    (
        Format(1, metadata=16, guard=64, storage=16),
        Tuple(0x1122334455667788, 0x99AA, 0xBBCC, 0xDDEEFF00),
        "112233445566778899aabbccddeeff00",
    ),
]


def test_tuples_are_packed_and_parsed():
    for fmt, fields, raw in GOLDEN:
        assert fields.pack(fmt).hex() == raw
        assert Tuple.parse(fmt, bytes.fromhex(raw)) == fields
        assert len(raw) == 2 * fmt.size
    with pytest.raises(AssertionError, match="a tuple has 8 bytes, not 7"):
        Tuple.parse(Format(1), bytes(7))
    with pytest.raises(AssertionError, match="app_tag must be from 0 to 0xffff"):
        Tuple(0, 0x10000, 0, 0).pack(Format(1))


def test_what_is_protected_is_right_and_each_field_is_named_when_it_is_not():
    for fmt, _, _ in GOLDEN:
        for extended in (False, True):
            fmt = Format(fmt.type, 32, fmt.guard, fmt.storage, extended=extended)
            buf, meta = (d.Buffer(3 * 544), None) if extended else (d.Buffer(3 * 512), d.Buffer(96))
            for one in (buf, meta):
                if one is not None:
                    one[:] = os.urandom(len(one))
            pi = {"app_tag": 0x1234, "storage_tag": 0x5 if fmt.storage else None}
            protect(fmt, buf, 100, 3, meta, pi)
            assert check(fmt, buf, 100, 3, meta, pi) == []
            assert explain([]) == "the protection information is right"
            where = buf if extended else meta
            tuple_at = 544 + 512 + 16 if extended else 32 + 16
            if fmt.size == 8:
                tuple_at += 8
            for place, name in (
                (0, "guard"),
                (fmt.guard // 8, "application tag"),
                (fmt.size - 1, "reference tag"),
            ):
                where[tuple_at + place] ^= 1
                (fault,) = check(fmt, buf, 100, 3, meta, pi)
                assert (fault.lba, fault.name) == (101, name)
                where[tuple_at + place] ^= 1
            buf[544 + 3 if extended else 515] ^= 1
            (fault,) = check(fmt, buf, 100, 3, meta, pi)
            assert (fault.lba, fault.name) == (101, "guard")


def test_escape_values_are_not_checked():
    ones = b"\xff" * 8
    data = os.urandom(512)
    buf = d.Buffer(520)
    buf[:] = data + b"\0\0\xff\xff" + bytes(4)
    assert check(Format(1, extended=True), buf, 7) == []
    assert [f.name for f in check(Format(3, extended=True), buf, 7)] == ["guard"]
    buf[:] = data + ones
    assert check(Format(3, extended=True), buf, 7) == []


def test_a_fault_is_a_sentence():
    assert str(Fault(100, "guard", 0x12, 0xABCD, 4)) == "LBA 0x64: guard 0012h, but the data have abcdh"
    assert str(Fault(100, "reference tag", 1, 2, 8)) == "LBA 0x64: reference tag 00000001h, not 00000002h"


def test_dwords_of_a_command():
    assert Pi().dwords(Format(1), WRITE, 0x1_2345_6789) == (5 << 26, 0, 0, 0x23456789, 0)
    assert Pi().dwords(Format(3), WRITE, 77) == (4 << 26, 0, 0, 0, 0)
    assert Pi(True, 0, 0x1234, 0xFF00, 5).dwords(Format(2), READ, 77) == (8 << 26, 0, 0, 5, 0xFF001234)
    wide = Format(1, metadata=16, guard=32, storage=16)
    assert Pi(storage_tag=0xABCD).dwords(wide, READ, 3) == (5 << 26 | 1 << 24, 0xABCD, 0, 3, 0)
    wide = Format(1, metadata=16, guard=64, storage=16)
    assert Pi(storage_tag=0xABCD).dwords(wide, READ, 3) == (5 << 26 | 1 << 24, 0, 0xABCD, 3, 0)
    assert Pi().dwords(Format(1), 0x08, 7) == (8 << 26, 0, 0, 7, 0), "Write Zeroes"
    assert Pi().dwords(Format(1), 0x19, 7) == (8 << 26 | 8 << 12, 0, 0, 7, 0), "Copy"


def test_words_of_pi():
    assert Pi.of(None) is None
    assert Pi.of(False) is None
    assert Pi.of(True) == Pi()
    assert Pi.of({"pi_act": 1, "pi_chk": "GUARD,APPTAG", "apptag": 5, "apptag_mask": 7}) == Pi(
        pract=1, prchk="GUARD,APPTAG", app_tag=5, app_mask=7
    )
    assert Pi(prchk="GUARD, apptag").dwords(Format(1), READ, 0)[0] == 6 << 26
    with pytest.raises(AssertionError, match="pi has no 'prchck': did you mean prchk"):
        Pi.of({"prchck": 1})
    with pytest.raises(AssertionError, match="prchk names GUARD, APPTAG and REFTAG, not 'GARD'"):
        Pi(prchk="GARD").dwords(Format(1), READ, 0)
    with pytest.raises(TypeError, match=r"pi must be True, a Pi of pynvme\.protection, or a dict, not int"):
        Pi.of(5)


@pytest.fixture(scope="module", autouse=True)
def plain_again(drive):
    """Format the drive without metadata at the end."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        drive.format(0).waitdone()
