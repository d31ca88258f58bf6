# SPDX-License-Identifier: BSD-3-Clause
"""A size or an offset set by the script is honoured even if the command transfers more."""

import warnings

import nvme as d
import pytest
from offered import MDTS_IS_EXCEEDED, SPDK

SURROUND = 0x5A


def statuses(queue, send, *arguments, **options):
    """The status (SCT << 8 | SC) of one command that send sends."""
    found = []
    send(*arguments, cb=lambda cpl: found.append(cpl[3] >> 17 & 0x7FF), **options)
    queue.waitdone()
    return found[0]


@pytest.fixture
def patterned():
    """Give ``patterned(allocated, offset, size)``: a buffer of one value, with this size and offset."""

    def make(allocated, offset=None, size=None):
        b = d.Buffer(allocated, ptype=32, pvalue=SURROUND * 0x01010101)
        if offset is not None:
            b.offset = offset
        if size is not None:
            b.size = size
        return b

    return make


@pytest.mark.parametrize(("offset", "size"), [(4, 4096), (3000, 4096), (4096, 4096), (0, 32), (512, 0)])
def test_identify_goes_to_the_pages_that_offset_and_size_name(nvme0, patterned, offset, size):
    whole = d.Buffer(4096)
    nvme0.identify(whole).waitdone()
    b = patterned(16384, offset, size)
    before, after = d.Buffer(4096), d.Buffer(4096)
    nvme0.identify(b).waitdone()
    # PRPs describe whole pages, so the drive may write to the rest of the last one.
    end = (offset + size + 4095) // 4096 * 4096 if size else offset
    got = min(end - offset, 4096)
    assert b[offset : offset + got] == whole[:got]
    assert set(b[:offset] + b[offset + got :]) == {SURROUND}
    assert before[:] == after[:] == bytes(4096)


def test_size_counts_from_the_offset():
    b = d.Buffer(8192)
    b.offset = 4096
    assert b.size == 8192
    b.size = 4096
    assert (b.offset, b.size) == (4096, 4096)


def test_what_was_set_can_be_taken_back(nvme0):
    b = d.Buffer(2048)
    b.size = 2048
    nvme0.identify(b).waitdone()
    del b.size
    with pytest.raises(AssertionError, match="identify transfers 4096 bytes; <buffer name: buffer> has 2048"):
        nvme0.identify(b)
    b.offset = 512
    nvme0.identify(b).waitdone()
    del b.offset
    assert (b.size, b.offset) == (2048, 0)
    with pytest.raises(AssertionError):
        nvme0.identify(b)


def test_a_buffer_as_it_was_allocated_is_refused_where_it_is_too_small(nvme0, nvme0n1, qpair, lba_size):
    small = d.Buffer(lba_size)
    for transfer in (nvme0n1.read, nvme0n1.write, nvme0n1.compare):
        with pytest.raises(
            AssertionError, match=f"transfers {2 * lba_size} bytes; <buffer name: buffer> has {lba_size}"
        ):
            transfer(qpair, small, 0, 2)
    for send in (
        lambda: nvme0.getlogpage(2, d.Buffer(256), 512),
        lambda: nvme0.fw_download(d.Buffer(256), 0, 512),
        lambda: nvme0.security_send(d.Buffer(256), 0, size=512),
        lambda: nvme0n1.dsm(qpair, d.Buffer(16), 2),
        lambda: nvme0n1.zns_mgmt_receive(qpair, d.Buffer(16), dwords=8),
    ):
        with pytest.raises(AssertionError, match="transfers"):
            send()


@pytest.mark.parametrize("count", [1, 8, 16, 17, 256])
def test_lbas_beyond_the_buffer_are_read_into_nothing(nvme0n1, qpair, lba_size, patterned, count):
    source = d.Buffer(count * lba_size, ptype=0xBEEF, pvalue=100)
    nvme0n1.write(qpair, source, 0, count).waitdone()
    b = patterned(8192, size=lba_size)
    nvme0n1.read(qpair, b, 0, count).waitdone()
    reached = min(count * lba_size, max(lba_size, 4096))
    assert b[:reached] == source[:reached]
    assert set(b[reached:]) == {SURROUND}


def test_such_a_read_is_not_judged_and_such_a_write_makes_its_lbas_unknown(nvme0n1, qpair, lba_size):
    count = 8192 // lba_size + 1
    source = d.Buffer(count * lba_size, ptype=0xBEEF, pvalue=100)
    nvme0n1.write(qpair, source, 0, count).waitdone()
    before = nvme0n1.verify_stats()
    b = d.Buffer(4096)
    b.size = 4096
    nvme0n1.read(qpair, b, 0, count).waitdone()
    stats = nvme0n1.verify_stats()
    assert (stats.judged, stats.unverified) == (before.judged, before.unverified + count)
    nvme0n1.write(qpair, b, 0, count).waitdone()
    back = d.Buffer(count * lba_size)
    nvme0n1.read(qpair, back, 0, count).waitdone()
    stats = nvme0n1.verify_stats()
    assert (stats.judged, stats.mismatch) == (before.judged, 0)
    assert stats.unverified == before.unverified + 2 * count


def test_a_write_stamps_only_what_the_script_has_named(nvme0n1, qpair, lba_size, patterned):
    if lba_size > 2048:
        pytest.skip("needs two LBAs in a page")
    b = patterned(4096, size=lba_size)
    nvme0n1.write(qpair, b, 0, 2).waitdone()
    assert set(b[lba_size:]) == {SURROUND}


@pytest.mark.differs(SPDK, MDTS_IS_EXCEEDED)
def test_a_transfer_above_mdts_is_the_drives_to_refuse(nvme0, nvme0n1, qpair, lba_size):
    if not nvme0.mdts or nvme0.mdts // lba_size >= 65536:
        pytest.skip("needs a drive with an MDTS that 65536 LBAs exceed")
    b = d.Buffer(4096)
    b.size = 4096
    for send in (nvme0n1.read, nvme0n1.write, nvme0n1.compare):
        for count in (nvme0.mdts // lba_size + 1, 65536):
            with pytest.warns(UserWarning, match="ERROR status: 00/02"):
                assert statuses(qpair, send, qpair, b, 0, count) == 0x002


def test_firmware_log_and_ranges_go_by_the_same_rule(nvme0, nvme0n1, qpair, patterned):
    b = patterned(4096, size=16)
    nvme0.getlogpage(2, b, 512).waitdone()
    assert b[16:512] != bytes([SURROUND]) * 496, "the rest of the page is the buffer's, too"
    assert set(b[512:]) == {SURROUND}
    b = patterned(8192, offset=4096, size=0)
    nvme0.getlogpage(2, b, 512).waitdone()
    assert set(b[:]) == {SURROUND}
    ranges = d.Buffer(4096)
    ranges.set_dsm_range(0, 0, 8)
    ranges.size = 16
    nvme0n1.dsm(qpair, ranges, 1).waitdone()
    if nvme0.supports(0x82):
        nvme0.security_receive(d.Buffer(512), 0, secp=0, size=512).waitdone()


def test_a_log_page_in_several_parts_ends_where_the_buffer_ends(nvme0, patterned):
    if not nvme0.mdts:
        pytest.skip("needs a drive with an MDTS")
    for room in (512, 4096, 8192):
        b = patterned(3 * nvme0.mdts, offset=4096, size=room)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the log may end before the last part
            nvme0.getlogpage(0x07 if nvme0.id_ctrl.lpa.ts else 2, b, nvme0.mdts + 512).waitdone()
        end = 4096 + (room + 4095) // 4096 * 4096
        assert set(b[:4096] + b[end:]) == {SURROUND}


def test_no_range_of_a_dataset_management_command_is_above_255():
    b = d.Buffer(8192)
    b.set_dsm_range(255, 1, 2)
    for index in (256, 1000, -1):
        with pytest.raises(IndexError, match="0 to 255"):
            b.set_dsm_range(index, 0, 1)
