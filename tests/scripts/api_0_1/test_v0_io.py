# SPDX-License-Identifier: BSD-3-Clause
"""Reads, writes and their kin; queue pairs."""

import time

import nvme as d
import pytest

from tests.fix_load import loaded


def test_hello_world(nvme0, nvme0n1):
    data_buf = d.Buffer(512)
    data_buf[100:] = b"hello world"
    qpair = d.Qpair(nvme0, 16)

    def write_cb(cdw0, status):
        nvme0n1.read(qpair, data_buf, 0, 1).waitdone()

    nvme0n1.write(qpair, data_buf, 0, 1, cb=write_cb).waitdone()
    assert data_buf[100:111] == b"hello world"


def test_write_then_read_other_buffer(nvme0n1, qpair):
    out, back = d.Buffer(512), d.Buffer(512)
    out[8:] = b"0123456789" * 40
    nvme0n1.write(qpair, out, 77, 1).waitdone()
    nvme0n1.read(qpair, back, 77, 1).waitdone()
    assert back[8:408] == b"0123456789" * 40


def test_written_data_carry_the_lba_and_a_token(nvme0n1, qpair):
    data = d.Buffer(4096)
    nvme0n1.write(qpair, data, 1000, 8).waitdone()
    tokens = []
    for i in range(8):
        assert data.data(i * 512 + 7, i * 512) == 1000 + i
        tokens.append(data.data(i * 512 + 511, i * 512 + 504))
    assert [t - tokens[0] for t in tokens] == list(range(8))


def test_read_lba_is_what_was_written_there(nvme0n1, qpair):
    data = d.Buffer(512)
    for lba in (0, 1, 8, 100, 4095, 65536):
        nvme0n1.write(qpair, data, lba, 1).waitdone()
    for lba in (0, 1, 8, 100, 4095, 65536):
        nvme0n1.read(qpair, data, lba, 1).waitdone()
        assert data.data(7, 0) == lba


def test_trim_then_read_zeros(nvme0, nvme0n1, qpair):
    if not nvme0n1.supports(9) or nvme0n1.id_data(33) & 7 != 1:
        pytest.skip("needs a drive whose deallocated LBAs read zeros")
    data, ranges, back = d.Buffer(4096), d.Buffer(4096), d.Buffer(4096)
    data[:] = b"\xa5" * 4096
    nvme0n1.write(qpair, data, 8, 8).waitdone()
    ranges.set_dsm_range(0, 8, 8)
    nvme0n1.dsm(qpair, ranges, 1).waitdone()
    nvme0n1.read(qpair, back, 8, 8).waitdone()
    assert not any(back[:])


def test_trim_many_ranges(nvme0n1, qpair):
    ranges = d.Buffer(4096)
    for i in range(256):
        ranges.set_dsm_range(i, 1024 + 16 * i, 8)
    nvme0n1.dsm(qpair, ranges, 256).waitdone()


def test_flush(nvme0n1, qpair, buf):
    nvme0n1.write(qpair, buf, 0, 8).waitdone()
    nvme0n1.flush(qpair).waitdone()


def test_write_zeroes(nvme0n1, qpair):
    data = d.Buffer(4096)
    nvme0n1.write(qpair, data, 16, 8).waitdone()
    nvme0n1.write_zeroes(qpair, 16, 8).waitdone()
    nvme0n1.read(qpair, data, 16, 8).waitdone()
    assert not any(data[:])


def test_write_uncorrectable_then_read_then_write(nvme0n1, qpair):
    if not nvme0n1.supports(4):
        pytest.skip("needs a drive with Write Uncorrectable")
    data = d.Buffer(512)
    nvme0n1.write(qpair, data, 32, 1).waitdone()
    nvme0n1.write_uncorrectable(qpair, 32, 1).waitdone()
    with pytest.warns(UserWarning, match="ERROR status: 02/81"):
        nvme0n1.read(qpair, data, 32, 1).waitdone()
    nvme0n1.write(qpair, data, 32, 1).waitdone()
    nvme0n1.read(qpair, data, 32, 1).waitdone()


def test_compare(nvme0n1, qpair):
    data = d.Buffer(512)
    nvme0n1.write(qpair, data, 40, 1).waitdone()
    nvme0n1.compare(qpair, data, 40, 1).waitdone()
    data[300] ^= 0xFF
    with pytest.warns(UserWarning, match="ERROR status: 02/85"):
        nvme0n1.compare(qpair, data, 40, 1).waitdone()


@pytest.mark.parametrize("count", [1, 2, 7, 8, 9, 16, 64, 128, 255, 256])
def test_lengths(nvme0n1, qpair, count):
    out, back = d.Buffer(512 * count), d.Buffer(512 * count)
    out[:] = bytes([count & 0xFF]) * 512 * count
    nvme0n1.write(qpair, out, 4096, count).waitdone()
    nvme0n1.read(qpair, back, 4096, count).waitdone()
    assert back[:] == out[:]


def test_longer_than_mdts(nvme0, nvme0n1, qpair):
    count = nvme0.mdts // 512 + 1
    with pytest.warns(UserWarning, match="ERROR status: 00/02"):
        nvme0n1.read(qpair, d.Buffer(count * 512), 0, count).waitdone()


def test_past_the_end(nvme0n1, qpair, buf):
    last = nvme0n1.id_data(7, 0) - 1
    nvme0n1.read(qpair, buf, last, 1).waitdone()
    for lba, count in ((last, 2), (last + 1, 1), (0xFFFFFFFFFFFFFFFF, 1)):
        with pytest.warns(UserWarning, match="ERROR status: 00/80"):
            nvme0n1.read(qpair, buf, lba, count).waitdone()


def test_status_in_the_callback(nvme0n1, qpair, buf):
    status = []
    with pytest.warns(UserWarning, match="ERROR status: 00/80"):
        nvme0n1.write(qpair, buf, 0xFFFFFFFFFFFFFFFF, 1, cb=lambda cdw0, s: status.append(s)).waitdone()
    assert (status[0] >> 9 & 7, status[0] >> 1 & 0xFF) == (0, 0x80)


def test_command_that_is_not_there(nvme0n1, qpair):
    with pytest.warns(UserWarning, match="ERROR status: 00/01"):
        nvme0n1.send_cmd(0xFF, qpair, nsid=1).waitdone()


def test_generic_read(nvme0n1, qpair):
    data = d.Buffer(512)
    nvme0n1.write(qpair, data, 5, 1).waitdone()
    back = d.Buffer(512)
    nvme0n1.send_cmd(2, qpair, back, 1, 5, 0, 0).waitdone()
    assert back[:] == data[:]


@pytest.mark.parametrize("nsid", [0, 2, 0xFFFFFFFF])
def test_read_of_another_namespace(nvme0n1, qpair, buf, nsid):
    with pytest.warns(UserWarning, match="ERROR status: 00/0b"):
        nvme0n1.send_cmd(2, qpair, buf, nsid).waitdone()


@pytest.mark.parametrize("depth", [2, 3, 8, 16, 255, 256, 1023, 1024])
def test_queue_depth(nvme0, nvme0n1, depth):
    qpair, buf = d.Qpair(nvme0, depth), d.Buffer(512)
    for _ in range(depth - 1):
        nvme0n1.read(qpair, buf, 0, 1)
    with pytest.raises(AssertionError):
        nvme0n1.read(qpair, buf, 0, 1)
    qpair.waitdone(depth - 1)


def test_queue_depth_that_is_none(nvme0):
    for depth in (0, 1, 1025, 65537):
        with pytest.raises(AssertionError):
            d.Qpair(nvme0, depth)


def test_all_queues_then_one_more(nvme0):
    count = (nvme0.getfeatures(7).waitdone() & 0xFFFF) + 1
    queues = [d.Qpair(nvme0, 8) for _ in range(count)]
    assert [q.sqid for q in queues] == list(range(1, count + 1))
    with pytest.raises(d.QpairCreationError):
        d.Qpair(nvme0, 8)
    del queues
    assert d.Qpair(nvme0, 8).sqid == 1


def test_priority_without_weighted_round_robin(nvme0):
    with pytest.raises(d.QpairCreationError):
        d.Qpair(nvme0, 8, 1)
    with pytest.raises(d.QpairCreationError):
        d.Qpair(nvme0, 8, prio=3)


def test_queue_that_is_made_again_and_again(nvme0, nvme0n1, buf):
    for _ in range(100):
        qpair = d.Qpair(nvme0, 8)
        nvme0n1.read(qpair, buf, 0, 8).waitdone()
        del qpair


def test_two_queues_do_not_mix(nvme0, nvme0n1):
    a, b = d.Qpair(nvme0, 8), d.Qpair(nvme0, 8)
    done = []
    buf_a, buf_b = d.Buffer(512), d.Buffer(512)
    nvme0n1.read(a, buf_a, 0, 1, cb=lambda cdw0, s: done.append("a"))
    nvme0n1.read(b, buf_b, 0, 1, cb=lambda cdw0, s: done.append("b"))
    b.waitdone()
    assert done == ["b"]
    a.waitdone()
    assert done == ["b", "a"]


def test_queue_cmdlog(nvme0n1, qpair, buf, capsys):
    nvme0n1.write(qpair, buf, 0x123, 8).waitdone()
    nvme0n1.flush(qpair).waitdone()
    capsys.readouterr()
    qpair.cmdlog(5)
    text = capsys.readouterr().out
    assert text.index("FLUSH (00)") < text.index("WRITE (01)")
    assert "cdw10:00000123" in text


def test_waitdone_of_nothing(nvme0, qpair):
    assert nvme0.waitdone(0) is not None
    qpair.waitdone(0)


def test_thousand_reads_one_by_one(nvme0n1, qpair):
    buf = d.Buffer(512)
    for lba in range(1000):
        nvme0n1.read(qpair, buf, lba, 1).waitdone()


def test_thousand_writes_in_flight(nvme0, nvme0n1):
    qpair = d.Qpair(nvme0, 1024)
    buffers = [d.Buffer(512) for _ in range(1000)]
    for lba, data in enumerate(buffers):
        nvme0n1.write(qpair, data, lba, 1)
    qpair.waitdone(1000)
    for lba, data in enumerate(buffers):
        data[8:16] = bytes(8)
        nvme0n1.read(qpair, data, lba, 1)
    qpair.waitdone(1000)
    assert all(data.data(7, 0) == lba for lba, data in enumerate(buffers))


def test_callbacks_send_the_next_command(nvme0n1, qpair, buf):
    lbas = []

    def next_read(cdw0, status):
        lbas.append(len(lbas))
        if len(lbas) < 50:
            nvme0n1.read(qpair, buf, len(lbas), 1, cb=next_read)

    nvme0n1.read(qpair, buf, 0, 1, cb=next_read)
    qpair.waitdone(50)
    assert lbas == list(range(50))


def test_callback_that_does_not_fit(nvme0n1, qpair, buf):
    with pytest.warns(UserWarning, match="callback: "):
        nvme0n1.read(qpair, buf, 0, 1, cb=lambda: None).waitdone()
    nvme0n1.read(qpair, buf, 0, 1).waitdone()


def test_assertion_in_a_callback(nvme0n1, qpair, buf):
    def read_cb(cdw0, status):
        assert cdw0 == 0xDEAD, "not dead"

    with pytest.warns(UserWarning, match="ASSERT: not dead"):
        nvme0n1.read(qpair, buf, 0, 1, cb=read_cb).waitdone()


def test_read_after_format(nvme0, nvme0n1, qpair):
    data = d.Buffer(512)
    nvme0n1.write(qpair, data, 3, 1).waitdone()
    nvme0.format(0).waitdone()
    nvme0n1.read(qpair, data, 3, 1).waitdone()
    assert not any(data[:])


def test_latency_is_short(nvme0n1, qpair):
    buf, start = d.Buffer(512), time.time()
    for _ in range(100):
        nvme0n1.read(qpair, buf, 0, 1).waitdone()
    assert (time.time() - start) / 100 < 0.01 or loaded()
