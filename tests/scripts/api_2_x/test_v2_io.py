# SPDX-License-Identifier: BSD-3-Clause
"""IO commands, PRPs with offsets, deallocation, and what must be refused."""

import random

import nvme as d
import pytest


@pytest.mark.parametrize("lba_count", [1, 2, 3, 8, 9, 15, 16, 17, 255, 256])
def test_write_and_read_lengths(nvme0n1, qpair, lba_count):
    out, back = d.Buffer(512 * lba_count, ptype=0xBEEF, pvalue=100), d.Buffer(512 * lba_count)
    nvme0n1.write(qpair, out, 2048, lba_count).waitdone()
    nvme0n1.read(qpair, back, 2048, lba_count).waitdone()
    assert back[:] == out[:]


@pytest.mark.parametrize("offset", [0, 4, 8, 512, 1024, 2044, 4092])
def test_prp_offsets(nvme0n1, qpair, offset):
    out, back = d.Buffer(4096 * 3, ptype=0xBEEF, pvalue=100), d.Buffer(4096 * 3)
    out.offset = back.offset = offset
    nvme0n1.write(qpair, out, 3000, 16).waitdone()
    nvme0n1.read(qpair, back, 3000, 16).waitdone()
    assert back[offset : offset + 8192] == out[offset : offset + 8192]
    assert not any(back[:offset])
    assert not any(back[offset + 8192 :])


@pytest.mark.parametrize("offset", [1, 2, 3, 511])
def test_prp_offset_that_is_no_dword(nvme0n1, qpair, offset):
    b = d.Buffer(8192)
    b.offset = offset
    with pytest.warns(UserWarning, match="ERROR status: 00/(13|02)"):
        nvme0n1.read(qpair, b, 0, 8).waitdone()


@pytest.mark.parametrize("pages", [1, 2, 3, 31, 32])
@pytest.mark.parametrize("offset", [0, 4, 4092])
def test_long_prp_lists(nvme0n1, qpair, pages, offset):
    out, back = d.Buffer(4096 * (pages + 1)), d.Buffer(4096 * (pages + 1))
    out.offset = back.offset = offset
    for i in range(pages):
        out[offset + i * 4096 + 100] = i + 1
    nvme0n1.write(qpair, out, 8192, pages * 8).waitdone()
    nvme0n1.read(qpair, back, 8192, pages * 8).waitdone()
    assert [back[offset + i * 4096 + 100] for i in range(pages)] == list(range(1, pages + 1))


def test_buffer_size_bounds_the_transfer(nvme0n1, qpair):
    b = d.Buffer(8192, ptype=32, pvalue=0x5A5A5A5A)
    b.size = 512
    nvme0n1.read(qpair, b, 0, 1).waitdone()
    nvme0n1.read(qpair, b, 0, 16).waitdone()
    assert set(b[4096:]) == {0x5A}
    with pytest.raises(AssertionError):
        nvme0n1.read(qpair, d.Buffer(512), 0, 2)
    b.size = 8192
    nvme0n1.read(qpair, b, 0, 16).waitdone()


def test_one_lba_of_a_long_buffer(nvme0n1, qpair):
    b = d.Buffer(1 << 20)
    nvme0n1.write(qpair, b, 5, 1).waitdone()
    assert b.data_head == 5
    assert not any(b[512:])


def test_head_and_tail(nvme0n1, qpair):
    b = d.Buffer(512)
    nvme0n1.write(qpair, b, 0x12345, 1).waitdone()
    first = b.data_tail
    assert b.data_head == 0x12345
    nvme0n1.write(qpair, b, 0x12345, 1).waitdone()
    assert b.data_tail == first + 1


def test_positional_parameters(nvme0n1, qpair, buf):
    done = []
    nvme0n1.write(qpair, buf, 8, 8, 0, 0, 0, 0, done.append).waitdone()
    nvme0n1.read(qpair, buf, 8, 8, 0, 0, 0, 0, done.append).waitdone()
    nvme0n1.compare(qpair, buf, 8, 8, 0, done.append).waitdone()
    nvme0n1.flush(qpair, done.append).waitdone()
    nvme0n1.write_zeroes(qpair, 8, 8, 0, done.append).waitdone()
    nvme0n1.verify(qpair, 8, 8, 0, done.append).waitdone()
    assert len(done) == 6


def test_flags_reach_the_command(nvme0n1, qpair, buf, capsys):
    nvme0n1.write(qpair, buf, 0, 8, io_flags=0x4000, dword13=0x11, dword14=0x22, dword15=0x33).waitdone()
    capsys.readouterr()
    qpair.cmdlog(1)
    text = capsys.readouterr().out
    assert "cdw12:40000007" in text
    assert "cdw13:00000011 cdw14:00000022 cdw15:00000033" in text


def test_fua_is_slower(nvme0, nvme0n1, buf):
    if not nvme0.id_data(525) & 1:
        pytest.skip("needs a drive with a volatile write cache")
    qpair = d.Qpair(nvme0, 16)
    us = {0: [], 0x4000: []}
    for _ in range(20):  # as often as a busy machine disturbs it
        for lba in range(50):
            for io_flags, latencies in us.items():
                nvme0n1.write(qpair, buf, lba * 8, 8, io_flags=io_flags).waitdone()
                latencies.append(qpair.latest_latency)
        if min(us[0x4000]) > min(us[0]):
            break
    assert min(us[0x4000]) > min(us[0])
    qpair.delete()


def test_limited_retry(nvme0n1, qpair, buf):
    nvme0n1.read(qpair, buf, 0, 8, io_flags=0x8000).waitdone()
    nvme0n1.write(qpair, buf, 0, 8, io_flags=0x8000).waitdone()


@pytest.mark.parametrize("lba_count", [0, 65537, -1])
def test_count_that_fits_no_field(nvme0n1, qpair, buf, lba_count):
    with pytest.raises(AssertionError):
        nvme0n1.read(qpair, buf, 0, lba_count)


def test_buffer_that_is_too_short(nvme0n1, qpair):
    with pytest.raises(AssertionError):
        nvme0n1.read(qpair, d.Buffer(512), 0, 2)
    with pytest.raises(AssertionError):
        nvme0n1.write(qpair, d.Buffer(511), 0, 1)


def test_mdts(nvme0, nvme0n1, qpair):
    most = nvme0.mdts // 512
    b = d.Buffer(nvme0.mdts * 2)
    nvme0n1.read(qpair, b, 0, most).waitdone()
    for count in (most + 1, most * 2):
        with pytest.warns(UserWarning, match="ERROR status: 00/02"):
            nvme0n1.read(qpair, b, 0, count).waitdone()
        with pytest.warns(UserWarning, match="ERROR status: 00/02"):
            nvme0n1.write(qpair, b, 0, count).waitdone()


def test_last_lbas(nvme0n1, qpair, buf):
    nsze = nvme0n1.id_data(7, 0)
    nvme0n1.write(qpair, buf, nsze - 8, 8).waitdone()
    nvme0n1.read(qpair, buf, nsze - 8, 8).waitdone()
    for send in (nvme0n1.read, nvme0n1.write, nvme0n1.compare):
        with pytest.warns(UserWarning, match="ERROR status: 00/80"):
            send(qpair, buf, nsze - 7, 8).waitdone()
    for send in (nvme0n1.write_zeroes, nvme0n1.write_uncorrectable, nvme0n1.verify):
        with pytest.warns(UserWarning, match="ERROR status: 00/80"):
            send(qpair, nsze - 7, 8).waitdone()


@pytest.mark.parametrize("lba", [1 << 32, 1 << 48, (1 << 64) - 1])
def test_lbas_beyond_32_bits(nvme0n1, qpair, buf, lba):
    with pytest.warns(UserWarning, match="ERROR status: 00/80"):
        nvme0n1.read(qpair, buf, lba, 1).waitdone()


def test_write_zeroes_then_compare(nvme0n1, qpair):
    zeros = d.Buffer(4096)
    nvme0n1.write(qpair, d.Buffer(4096, pvalue=1), 8, 8).waitdone()
    nvme0n1.write_zeroes(qpair, 8, 8).waitdone()
    nvme0n1.compare(qpair, zeros, 8, 8).waitdone()


def test_write_zeroes_of_many_lbas(nvme0n1, qpair):
    b = d.Buffer(512)
    for lba in (100, 30000, 65635):
        nvme0n1.write(qpair, b, lba, 1).waitdone()
    nvme0n1.write_zeroes(qpair, 100, 65536).waitdone()
    for lba in (100, 30000, 65635):
        nvme0n1.read(qpair, b, lba, 1).waitdone()
        assert not any(b[:])


def test_write_uncorrectable(nvme0n1, qpair, buf):
    if not nvme0n1.supports(4):
        pytest.skip("needs a drive with Write Uncorrectable")
    nvme0n1.write(qpair, buf, 16, 8).waitdone()
    nvme0n1.write_uncorrectable(qpair, 18, 2).waitdone()
    nvme0n1.read(qpair, buf, 16, 2).waitdone()
    for lba, count in ((18, 1), (19, 1), (16, 8), (17, 2)):
        with pytest.warns(UserWarning, match="ERROR status: 02/81"):
            nvme0n1.read(qpair, buf, lba, count).waitdone()
        with pytest.warns(UserWarning, match="ERROR status: 02/81"):
            nvme0n1.verify(qpair, lba, count).waitdone()
    nvme0n1.read(qpair, buf, 20, 4).waitdone()
    nvme0n1.write(qpair, buf, 16, 8).waitdone()
    nvme0n1.read(qpair, buf, 16, 8).waitdone()


def test_uncorrectable_healed_by_zeroes_and_by_format(nvme0, nvme0n1, qpair, buf):
    if not nvme0n1.supports(4):
        pytest.skip("needs a drive with Write Uncorrectable")
    nvme0n1.write_uncorrectable(qpair, 0, 8).waitdone()
    nvme0n1.write_zeroes(qpair, 0, 4).waitdone()
    nvme0n1.read(qpair, buf, 0, 4).waitdone()
    nvme0.format(0).waitdone()
    nvme0n1.read(qpair, buf, 0, 8).waitdone()


def test_compare_finds_a_bit(nvme0n1, qpair):
    b = d.Buffer(4096, ptype=0xBEEF, pvalue=100)
    nvme0n1.write(qpair, b, 24, 8).waitdone()
    nvme0n1.compare(qpair, b, 24, 8).waitdone()
    for byte in (8, 511 + 9, 4096 - 9):
        b[byte] ^= 1
        with pytest.warns(UserWarning, match="ERROR status: 02/85"):
            nvme0n1.compare(qpair, b, 24, 8).waitdone()
        b[byte] ^= 1
    nvme0n1.compare(qpair, b, 24, 8).waitdone()


def test_fused_compare_and_write(nvme0, nvme0n1, qpair):
    if not nvme0.id_data(523, 522) & 1:
        pytest.skip("needs a drive with fused compare and write")
    old, new = d.Buffer(512, ptype=32, pvalue=1), d.Buffer(512, ptype=32, pvalue=2)
    nvme0n1.write(qpair, old, 0, 1).waitdone()
    nvme0n1.send_cmd(0x05 | 1 << 8, qpair, old, 1, 0, 0, 0)
    nvme0n1.send_cmd(0x01 | 2 << 8, qpair, new, 1, 0, 0, 0)
    qpair.waitdone(2)
    back = d.Buffer(512)
    nvme0n1.read(qpair, back, 0, 1).waitdone()
    assert back[:] == new[:]


def test_fused_halves_alone(nvme0, nvme0n1, qpair, buf):
    status = "00/0a" if nvme0.id_data(523, 522) & 1 else "00/02"
    with pytest.warns(UserWarning, match=f"ERROR status: {status}"):
        nvme0n1.send_cmd(0x01 | 2 << 8, qpair, buf, 1, 0, 0, 7).waitdone()


# Dataset Management


def deallocate(nvme0n1, qpair, *ranges):
    b = d.Buffer(4096)
    for i, (lba, count) in enumerate(ranges):
        b.set_dsm_range(i, lba, count)
    nvme0n1.dsm(qpair, b, len(ranges)).waitdone()


@pytest.mark.parametrize("lba, count", [(0, 1), (0, 8), (3, 5), (7, 2), (100, 1000), (8, 65536)])
def test_deallocated_lbas_read_zeros(nvme0n1, qpair, lba, count):
    if nvme0n1.id_data(33) & 7 != 1:
        pytest.skip("needs a drive whose deallocated LBAs read zeros")
    b = d.Buffer(512)
    edges = {lba, lba + count // 2, lba + count - 1}
    around = {lba - 1, lba + count} - {-1}
    for one in edges | around:
        nvme0n1.write(qpair, b, one, 1).waitdone()
    deallocate(nvme0n1, qpair, (lba, count))
    for one in edges:
        nvme0n1.read(qpair, b, one, 1).waitdone()
        assert not any(b[:])
    for one in around:
        nvme0n1.read(qpair, b, one, 1).waitdone()
        assert b.data_head == one
        assert any(b[:])


def test_all_256_ranges(nvme0n1, qpair):
    b = d.Buffer(512)
    for i in range(256):
        nvme0n1.write(qpair, b, 10 * i, 1)
        qpair.waitdone()
    deallocate(nvme0n1, qpair, *[(10 * i, 1) for i in range(256)])
    for i in range(0, 256, 51):
        nvme0n1.read(qpair, b, 10 * i, 1).waitdone()


@pytest.mark.parametrize("attribute", [1, 2, 3, 0])
def test_other_attributes_change_nothing(nvme0n1, qpair, attribute):
    out, back = d.Buffer(512), d.Buffer(512)
    nvme0n1.write(qpair, out, 33, 1).waitdone()
    ranges = d.Buffer(4096)
    ranges.set_dsm_range(0, 33, 1, attr=0x10)
    nvme0n1.dsm(qpair, ranges, 1, attribute).waitdone()
    nvme0n1.read(qpair, back, 33, 1).waitdone()
    assert back[:] == out[:]


def test_range_out_of_the_namespace(nvme0n1, qpair):
    with pytest.warns(UserWarning, match="ERROR status: 00/80"):
        deallocate(nvme0n1, qpair, (nvme0n1.id_data(7, 0), 1))


def test_whole_namespace(nvme0n1, qpair, buf):
    nvme0n1.write(qpair, buf, 77, 8).waitdone()
    deallocate(nvme0n1, qpair, (0, nvme0n1.id_data(7, 0)))
    nvme0n1.read(qpair, buf, 77, 8).waitdone()


def test_dsm_buffer_is_a_page(nvme0n1, qpair):
    with pytest.raises(AssertionError):
        nvme0n1.dsm(qpair, d.Buffer(8192), 1)


# send_cmd


def test_send_cmd_writes_what_is_in_the_buffer(nvme0n1, qpair):
    raw = d.Buffer(512, ptype=0xBEEF, pvalue=100)
    before = raw[:]
    nvme0n1.send_cmd(1, qpair, raw, 1, 9, 0, 0).waitdone()
    assert raw[:] == before, "send_cmd puts in no LBA and no token"
    back = d.Buffer(512)
    nvme0n1.read(qpair, back, 9, 1).waitdone()
    assert back[:] == before


def test_send_cmd_by_keyword(nvme0n1, qpair, buf):
    nvme0n1.send_cmd(
        opcode=2, qpair=qpair, buf=buf, nsid=1, cdw10=0, cdw11=0, cdw12=7, cb=lambda cpl: None
    ).waitdone()


def test_zone_commands_are_sent_as_they_are(nvme0n1, qpair, buf, capsys):
    with pytest.warns(UserWarning, match="ERROR status: 00/01"):
        nvme0n1.zns_mgmt_send(qpair, None, 0x1_00000002, 4, True).waitdone()
    with pytest.warns(UserWarning, match="ERROR status: 00/01"):
        nvme0n1.zns_mgmt_receive(qpair, buf, slba=3, state=1).waitdone()
    capsys.readouterr()
    qpair.cmdlog(2)
    text = capsys.readouterr().out
    assert "cdw10:00000002 cdw11:00000001" in text
    assert "cdw10:00000003 cdw11:00000000 cdw12:000003ff cdw13:00010101" in text


def test_supports_and_cmdname(nvme0n1):
    assert nvme0n1.supports(1) and nvme0n1.supports(2)
    assert not nvme0n1.supports(0x7E)
    assert "write" in nvme0n1.cmdname(1).lower()


def test_random_writes_are_read_back(nvme0n1, qpair):
    written = {}
    for _ in range(100):
        lba, count = random.randrange(1000), random.randrange(1, 17)
        b = d.Buffer(512 * count)
        nvme0n1.write(qpair, b, lba, count).waitdone()
        for i in range(count):
            written[lba + i] = b[512 * i : 512 * i + 512]
    b = d.Buffer(512)
    for lba, data in written.items():
        nvme0n1.read(qpair, b, lba, 1).waitdone()
        assert b[:] == data


def test_out_of_order_waits(nvme0, nvme0n1, buf):
    queues = [d.Qpair(nvme0, 8) for _ in range(4)]
    for qpair in queues:
        for _ in range(7):
            nvme0n1.read(qpair, buf, 0, 8)
    for qpair in reversed(queues):
        qpair.waitdone(3)
    for qpair in queues:
        qpair.waitdone(4)
        qpair.delete()


def test_capacity(nvme0, nvme0n1):
    nvmcap = nvme0n1.id_data(63, 48)
    assert nvme0n1.capacity == (nvmcap or nvme0n1.id_data(7, 0) * 512)


def test_lba_formats(nvme0n1):
    assert nvme0n1.get_lba_format() == nvme0n1.get_lba_format(512, 0)
    assert nvme0n1.get_lba_format(data_size=513) is None
    assert nvme0n1.get_lba_format(512, 1) is None


def test_namespace_that_is_not_there(nvme0):
    with pytest.raises(d.NamespaceCreationError):
        d.Namespace(nvme0, 99)
