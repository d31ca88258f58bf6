# SPDX-License-Identifier: BSD-3-Clause
"""SGLs from the host: what pynvme describes, what a script builds, hostile lists, workers."""

from __future__ import annotations

import re
import struct

import nvme as d
import pytest

from pynvme.sgl import SIZE, BitBucket, DataBlock, Descriptor, LastSegment, Segment, Sgl
from pynvme.spec import SglType
from pynvme.vssd import VirtualSsd

READ, WRITE, COMPARE, DSM = 2, 1, 5, 9
BAD_SEGMENT, BAD_COUNT, BAD_LENGTH, BAD_TYPE = "00/0d", "00/0e", "00/0f", "00/11"


@pytest.fixture(scope="module")
def ssd():
    with VirtualSsd(size="64M", sgls="byte") as ssd:
        yield ssd


@pytest.fixture
def drive(ssd):
    nvme0 = d.Controller(ssd.address)
    nvme0n1 = d.Namespace(nvme0)
    qpair = d.Qpair(nvme0, 16)
    yield nvme0n1, qpair
    qpair.delete()
    nvme0.pcie.close()


def fails(status, qpair):
    return pytest.warns(UserWarning, match=re.escape(f"ERROR status: {status}"))


def sent(qpair):
    """The last command, as 16 dwords."""
    return struct.unpack("<16I", bytes(list(qpair.cmdlog_list())[-1].sqe))


# Golden bytes


def test_descriptors_are_the_bytes_of_the_specification():
    assert bytes(Descriptor(3, 0x1122334455667788, 0x99AABBCC, 0xA)) == bytes.fromhex(
        "8877665544332211ccbbaa990000003a"
    )
    assert bytes(BitBucket(0x1234)) == bytes.fromhex("00000000000000003412000000000010")
    assert bytes(Descriptor(0xF, 0, 0, 0xF, 0x030201)) == bytes(12) + b"\x01\x02\x03\xff"
    buf = d.Buffer(8192)
    buf.offset = 24
    address = buf.phys_addr
    assert bytes(DataBlock(buf)) == address.to_bytes(8, "little") + (8192 - 24).to_bytes(4, "little") + bytes(
        4
    )
    assert bytes(DataBlock(buf, 1, 3)) == (address + 1).to_bytes(8, "little") + b"\x03" + bytes(7)


def test_segments_hold_their_descriptors():
    buf = d.Buffer(64)
    blocks = [DataBlock(buf, at, 1) for at in range(5)]
    alone = Sgl(blocks[0])
    assert bytes(alone) == bytes(blocks[0])
    first = Sgl(*blocks).first
    assert (first.type, first.length, list(first)) == (SglType.LAST_SEGMENT, 5 * SIZE, blocks)
    assert first.buffers[0][:] == b"".join(map(bytes, blocks))
    chain = Sgl(*blocks, per_segment=3).first
    assert (chain.type, [one.type for one in chain]) == (SglType.SEGMENT, [0, 0, SglType.LAST_SEGMENT])
    assert list(list(chain)[2]) == blocks[2:]


def test_wrong_arguments_say_what_is_right():
    for call, says in (
        (lambda: Descriptor(16), "type"),
        (lambda: Descriptor(0, 1 << 64), "address"),
        (lambda: BitBucket(1 << 32), "length"),
        (lambda: Sgl(), "at least one descriptor"),
        (lambda: Sgl(BitBucket(1), BitBucket(1), per_segment=1), "per_segment"),
        (lambda: LastSegment(BitBucket(1), misaligned=8), "misaligned"),
    ):
        with pytest.raises(AssertionError, match=says):
            call()
    for call in (lambda: DataBlock(b"1234"), lambda: LastSegment(b"1234")):
        with pytest.raises(TypeError):
            call()


# What pynvme describes


def test_a_buffer_by_an_sgl_is_verified_as_by_prps(drive):
    nvme0n1, qpair = drive
    data, back = d.Buffer(65536, ptype=0xBEEF, pvalue=100), d.Buffer(65536 + 3)
    back.offset = 3
    before = nvme0n1.verify_stats()
    nvme0n1.write(qpair, data, 8, 128, sgl=True).waitdone()
    words = sent(qpair)
    assert words[0] >> 14 & 3 == 1
    assert words[6] | words[7] << 32 == data.phys_addr
    assert (words[8], words[9]) == (65536, 0)
    nvme0n1.read(qpair, back, 8, 128, sgl=True).waitdone()
    assert back[3:] == data[:]
    nvme0n1.compare(qpair, data, 8, 128, sgl=True).waitdone()
    after = nvme0n1.verify_stats()
    assert (after.judged - before.judged, after.mismatch - before.mismatch) == (128, 0)


def test_a_flipped_bit_is_found(ssd, drive):
    nvme0n1, qpair = drive
    buf = d.Buffer(512)
    nvme0n1.write(qpair, buf, 3, sgl=True).waitdone()
    data = bytearray(ssd.peek(1, 3))
    data[77] ^= 4
    ssd.poke(1, 3, data)
    with pytest.warns(UserWarning, match="ERROR status: 07/81"):
        nvme0n1.read(qpair, buf, 3, sgl=True).waitdone()
    nvme0n1.write(qpair, buf, 3).waitdone()


def test_the_size_that_a_script_sets_is_what_the_sgl_describes(drive):
    nvme0n1, qpair = drive
    buf = d.Buffer(4096)
    buf.size = 511
    with fails(BAD_LENGTH, qpair):
        nvme0n1.read(qpair, buf, 0, sgl=True).waitdone()
    assert sent(qpair)[8] == 511
    buf.size = 2000
    nvme0n1.read(qpair, buf, 0, sgl=True).waitdone()  # a drive with SGLS.SGLLS reads longer lists
    assert sent(qpair)[8] == 2000
    with pytest.raises(AssertionError, match="transfers 8192 bytes"):
        nvme0n1.read(qpair, d.Buffer(4096), 0, 16, sgl=True)


def test_a_drive_without_sgls_refuses_them(nvme0, nvme0n1, qpair):
    if nvme0.id_ctrl.sgls:
        pytest.skip("needs a drive without SGLs (SGLS)")
    with fails("00/02", qpair):
        nvme0n1.read(qpair, d.Buffer(512), 0, sgl=True).waitdone()


# What a script builds


def test_a_read_into_pieces_of_two_buffers(drive):
    nvme0n1, qpair = drive
    whole = d.Buffer(1024)
    nvme0n1.write(qpair, whole, 20, 2).waitdone()
    one, two = d.Buffer(256, pvalue=1), d.Buffer(4096, pvalue=1)
    sgl = Sgl(DataBlock(two, 1, 100), BitBucket(500), DataBlock(one), DataBlock(two, 101, 168), per_segment=2)
    before = nvme0n1.verify_stats()
    nvme0n1.read(qpair, None, 20, 2, sgl=sgl).waitdone()
    assert two[1:101] + one[:] + two[101:269] == whole[:100] + whole[600:]
    assert two[0] == 0xFF and two[269] == 0xFF
    after = nvme0n1.verify_stats()
    assert after.unverified - before.unverified == 2 and after.judged == before.judged


def test_what_an_sgl_of_ones_own_writes_is_unknown_until_it_is_written_again(drive):
    nvme0n1, qpair = drive
    buf, back = d.Buffer(512), d.Buffer(512)
    nvme0n1.write(qpair, buf, 30).waitdone()
    halves = d.Buffer(512, ptype=32, pvalue=0x12345678)
    nvme0n1.write(qpair, None, 30, sgl=Sgl(DataBlock(halves, 256), DataBlock(halves, 0, 256))).waitdone()
    before = nvme0n1.verify_stats()
    nvme0n1.read(qpair, back, 30).waitdone()
    assert back[:] == halves[:]
    after = nvme0n1.verify_stats()
    assert (after.mismatch, after.judged) == (before.mismatch, before.judged)


def test_other_commands_and_fused_pairs(drive):
    nvme0n1, qpair = drive
    buf = d.Buffer(512)
    nvme0n1.write(qpair, buf, 40).waitdone()
    new = d.Buffer(512, ptype=32, pvalue=7)
    nvme0n1.send_cmd(COMPARE | 1 << 8, qpair, cdw10=40, sgl=Sgl(DataBlock(buf, 0, 8), DataBlock(buf, 8)))
    nvme0n1.send_cmd(WRITE | 2 << 8, qpair, new, cdw10=40, sgl=True)
    qpair.waitdone(2)
    ranges = d.Buffer(16)
    ranges.set_dsm_range(0, 40, 1)
    nvme0n1.send_cmd(DSM, qpair, cdw11=4, sgl=DataBlock(ranges)).waitdone()
    nvme0n1.read(qpair, buf, 40).waitdone()
    assert buf[:] == bytes(512)


def test_hostile_lists_are_the_drives_to_refuse(drive):
    nvme0n1, qpair = drive
    buf = d.Buffer(4096)
    block = DataBlock(buf, 0, 512)
    for sgl, status in (
        (Descriptor(SglType.KEYED_DATA_BLOCK, buf, 512), BAD_TYPE),
        (Descriptor(SglType.DATA_BLOCK, buf, 512, subtype=1), BAD_TYPE),
        (LastSegment(LastSegment(block)), BAD_SEGMENT),
        (LastSegment(block, misaligned=4), BAD_SEGMENT),
        (LastSegment(block, length=17), BAD_SEGMENT),
        (LastSegment(), BAD_SEGMENT),
        (Segment(block), BAD_SEGMENT),
        (Segment(LastSegment(block), block), BAD_COUNT),
        (DataBlock(buf, 0, 500), BAD_LENGTH),
        (Descriptor(SglType.DATA_BLOCK, 0xFFFF_FFFF_0000, 512), "00/04"),
    ):
        with fails(status, qpair):
            nvme0n1.read(qpair, None, 0, sgl=sgl).waitdone()
    nvme0n1.read(qpair, buf, 0).waitdone()


@pytest.mark.needs_engine("sgls")
def test_wrong_arguments_of_commands(drive):
    nvme0n1, qpair = drive
    buf = d.Buffer(512)
    with pytest.raises(TypeError, match="buf must be None"):
        nvme0n1.read(qpair, buf, 0, sgl=Sgl(DataBlock(buf)))
    with pytest.raises(TypeError, match="sgl must be True"):
        nvme0n1.read(qpair, None, 0, sgl=17)
    with pytest.raises(TypeError, match="buf must be a Buffer, not None"):
        nvme0n1.read(qpair, None, 0, sgl=True)
    nvme0n1.read(qpair, buf, 0, sgl=False).waitdone()
    assert sent(qpair)[0] >> 14 & 3 == 0


def test_what_a_list_names_stays_allocated_until_the_completion(ssd, drive):
    nvme0n1, qpair = drive
    nvme0n1.write(qpair, d.Buffer(512), 50).waitdone()
    with ssd.fault("opcode=read do late=50"):
        nvme0n1.read(qpair, None, 50, sgl=Sgl(*(DataBlock(d.Buffer(64)) for _ in range(8))))
        others = [d.Buffer(64, pvalue=1) for _ in range(40)]
        qpair.waitdone()
    assert all(other[:] == b"\xff" * 64 for other in others)


def test_a_read_by_a_list_does_not_disturb_the_verdict_about_another(ssd, drive):
    """Two reads into the same bytes: nobody can say whose data they are."""
    nvme0n1, qpair = drive
    buf = d.Buffer(512)
    nvme0n1.write(qpair, buf, 60).waitdone()
    nvme0n1.write(qpair, buf, 61).waitdone()
    for _ in range(20):
        nvme0n1.read(qpair, buf, 60)
        nvme0n1.read(qpair, None, 61, sgl=DataBlock(buf))
        qpair.waitdone(2)


# IO workers


@pytest.mark.parametrize("percentage, qdepth, io_size", [(100, 8, 8), (30, 8, [1, 8, 16, 40]), (50, 2, 8)])
def test_workers_send_a_share_of_their_ios_by_sgls(ssd, drive, percentage, qdepth, io_size):
    nvme0n1, _qpair = drive
    with (
        ssd.fault("queue=io psdt=1 do late=1us") as by_sgl,
        ssd.fault("queue=io psdt=0 do late=1us") as by_prps,
    ):
        worker = nvme0n1.ioworker(
            io_size=io_size,
            io_count=200,
            qdepth=qdepth,
            read_percentage=50,
            region_end=4096,
            sgl_percentage=percentage,
        )
        result = worker.start().close()
        assert (result.error, by_sgl.matched + by_prps.matched) == (0, 200)
        assert by_sgl.matched == 2 * percentage


def test_a_worker_with_a_share_that_is_none(drive):
    nvme0n1, _qpair = drive
    with pytest.raises(AssertionError, match="sgl_percentage must be a percentage"):
        nvme0n1.ioworker(io_count=1, sgl_percentage=101)


def test_the_command_log_and_a_capture_show_the_descriptor(drive, tmp_path):
    nvme0n1, qpair = drive
    buf = d.Buffer(512)
    nvme0n1.read(qpair, buf, 0).waitdone()
    nvme0n1.read(qpair, None, 0, sgl=Sgl(DataBlock(buf, 0, 12), DataBlock(buf, 12))).waitdone()
    log = qpair.cmdlog_list()
    by_prps, by_sgl = list(log)[-2:]
    assert by_prps.sgl is None
    assert (by_sgl.sgl.sglid.type, by_sgl.sgl.length) == (SglType.LAST_SEGMENT, 32)
    log.save(str(tmp_path / "log.pcapng"))
    assert f"SGL descriptor {bytes(by_sgl.sgl).hex()}".encode() in (tmp_path / "log.pcapng").read_bytes()
