# SPDX-License-Identifier: BSD-3-Clause
"""Telemetry log pages, security and Abort through the public interface."""

import time

import nvme as d
import pytest

from pynvme.vssd import VirtualSsd

BLOCK = 512


def create(nvme0):
    """Capture host-initiated data, and return the header."""
    header = d.Buffer(BLOCK)
    nvme0.send_cmd(2, header, 0xFFFFFFFF, cdw10=(BLOCK // 4 - 1) << 16 | 1 << 8 | 7).waitdone()
    return header


def test_the_hosts_data_stay_while_they_are_read(own):
    nvme0 = own.nvme0
    assert nvme0.id_ctrl.lpa.ts
    header = create(nvme0)
    size = (header.data(13, 12) + 1) * BLOCK
    assert header[381] == 1 and size > 3 * BLOCK
    whole, piece = d.Buffer(size), d.Buffer(BLOCK)
    nvme0.getlogpage(7, whole, size).waitdone()
    for at in range(0, size, BLOCK):
        nvme0.getlogpage(7, piece, BLOCK, offset=at).waitdone()
        assert piece[:] == whole[at : at + BLOCK]
    assert create(nvme0)[381] == 2


def test_a_page_above_mdts_is_read_in_parts_of_one_moment(own):
    nvme0 = own.nvme0
    size = (create(nvme0).data(13, 12) + 1) * BLOCK
    assert size > nvme0.mdts
    first, second = d.Buffer(size), d.Buffer(size)
    nvme0.getlogpage(7, first, size).waitdone()
    nvme0.getlogpage(7, second, size).waitdone()
    assert first[:] == second[:] and any(first[BLOCK:])


def test_an_offset_within_a_block_is_the_drives_to_refuse(own):
    with pytest.warns(UserWarning, match="^ERROR status: 00/02"):
        own.nvme0.getlogpage(7, d.Buffer(512), 512, offset=4).waitdone()


def test_the_drive_keeps_what_it_was_when_a_read_failed(own):
    nvme0, nvme0n1 = own.nvme0, own.nvme0n1
    got = []
    nvme0.register_aer_cb(lambda cdw0, status1: got.append(cdw0))
    nvme0.setfeatures(0x0B, cdw11=1 << 10).waitdone()
    pair = d.Qpair(nvme0, 8)
    nvme0n1.write_uncorrectable(pair, 9).waitdone()
    with pytest.warns(UserWarning, match="^ERROR status: 02/81"):
        nvme0n1.read(pair, d.Buffer(512), 9).waitdone()
    log = d.Buffer(BLOCK)
    with pytest.warns(UserWarning, match="^AER notification is triggered: 0x80202$"):
        deadline = time.monotonic() + 5
        while not got and time.monotonic() < deadline:
            nvme0.getfeatures(7).waitdone()
    assert got == [0x80202]
    nvme0.getlogpage(8, log, BLOCK).waitdone()
    assert (log[0], log[382], log[383]) == (8, 1, 1)
    nvme0.getlogpage(8, log, BLOCK).waitdone()
    assert log[382] == 0, "it has been read"


def test_security_is_not_there_and_says_so_everywhere(nvme0, buf):
    if nvme0.id_ctrl.oacs.ssrs:
        pytest.skip("needs a drive without Security Send and Receive")
    assert not nvme0.supports(0x81) and not nvme0.supports(0x82)
    with pytest.warns(UserWarning, match="^ERROR status: 00/01"):
        nvme0.security_receive(buf, 0, secp=0).waitdone()
    with pytest.warns(UserWarning, match="^ERROR status: 00/01"):
        nvme0.security_send(buf, 1).waitdone()


def test_a_format_is_aborted():
    with VirtualSsd(size="16M", format_time=60000) as ssd:
        pcie = d.Pcie(ssd.address)
        nvme0 = d.Controller(pcie)
        nvme0n1 = d.Namespace(nvme0)
        statuses = []
        nvme0.format(1, cb=lambda cdw0, status1: statuses.append(status1 >> 1 & 0x7FF))
        cid = nvme0.latest_cid
        with pytest.warns(UserWarning, match="^ERROR status: 00/07"):
            assert nvme0.abort(cid).waitdone(2) & 1 == 0
        assert statuses == [7]
        assert nvme0n1.id_ns.flbas.lbafil == 0
        assert nvme0.abort(cid).waitdone() & 1 == 1, "it is over"
        pair, buf = d.Qpair(nvme0, 8), d.Buffer(512)
        nvme0n1.write(pair, buf, 0).waitdone()
        nvme0n1.read(pair, buf, 0).waitdone()
        pcie.close()


def test_data_are_not_expected_to_survive_an_aborted_format(verify):
    with VirtualSsd(size="256M", format_time=60000) as ssd:
        pcie = d.Pcie(ssd.address)
        nvme0 = d.Controller(pcie)
        nvme0n1 = d.Namespace(nvme0)
        nvme0n1.verify_enable()
        pair, buf = d.Qpair(nvme0, 8), d.Buffer(512)
        nvme0n1.write(pair, buf, 0).waitdone()
        nvme0.format(0)
        cid = nvme0.latest_cid
        time.sleep(0.2)
        with pytest.warns(UserWarning, match="^ERROR status: 00/07"):
            nvme0.abort(cid).waitdone(2)
        nvme0n1.read(pair, buf, 0).waitdone()
        pcie.close()
