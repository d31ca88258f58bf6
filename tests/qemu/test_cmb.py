# SPDX-License-Identifier: BSD-3-Clause
"""The controller memory buffer: queues and data that lie in the drive."""

from __future__ import annotations

import os

import nvme as d
import pytest

from pynvme import pci

pytestmark = pytest.mark.filterwarnings("error::UserWarning")

DRIVE = "cmb"
KIB = 1024
CMBMSC = 0x50


def test_its_size_is_what_the_registers_say(nvme0):
    assert nvme0.cmb.size == 64 << 20
    size = nvme0[0x3C]
    assert nvme0.cmb.size == (size >> 12) * 4096 * 16 ** (size >> 8 & 15)
    assert [nvme0.cmb.submission_queues, nvme0.cmb.completion_queues] == [bool(size & 1), bool(size & 2)]


def test_a_drive_without_one_says_so(plain):
    pcie = d.Pcie(plain)
    try:
        nvme0 = d.Controller(pcie)
        assert nvme0.cmb is None
        with pytest.raises(NotImplementedError, match="has no memory buffer"):
            d.Buffer(4096, cmb=nvme0)
        with pytest.raises(d.QpairCreationError, match="has no memory buffer"):
            d.Qpair(nvme0, 8, cmb_sq=True)
    finally:
        pcie.close()


def test_data_go_through_it(nvme0, nvme0n1, qpair):
    size = 64 * KIB
    inside, outside = d.Buffer(size, cmb=nvme0), d.Buffer(size)
    written = os.urandom(size)
    inside[:] = written
    nvme0n1.write(qpair, inside, 8, size // 512).waitdone()
    nvme0n1.read(qpair, outside, 8, size // 512).waitdone()
    assert outside[8:504] == written[8:504]
    assert outside[:] == inside[:]
    outside[:] = os.urandom(size)
    nvme0n1.write(qpair, outside, 1024, size // 512).waitdone()
    nvme0n1.read(qpair, inside, 1024, size // 512).waitdone()
    assert inside[:] == outside[:]


def test_its_address_is_where_the_controller_was_told_that_it_is(nvme0):
    first, second = d.Buffer(4096, cmb=nvme0), d.Buffer(4096, cmb=nvme0)
    base = (nvme0[CMBMSC] | nvme0[CMBMSC + 4] << 32) & ~0xFFF
    assert base <= first.phys_addr < base + nvme0.cmb.size
    assert second.phys_addr - first.phys_addr == 4096


@pytest.mark.parametrize("rings", [(True, False), (False, True), (True, True)])
def test_a_queue_in_it_works(nvme0, nvme0n1, rings):
    submission, completion = rings
    if completion and not nvme0.cmb.completion_queues:
        with pytest.raises(d.QpairCreationError, match=r"takes no completion queues .* \(CMBSZ.CQS is 0\)"):
            d.Qpair(nvme0, 256, cmb_sq=submission, cmb_cq=completion)
        return
    pair = d.Qpair(nvme0, 256, cmb_sq=submission, cmb_cq=completion)
    data, back = d.Buffer(4096, cmb=nvme0), d.Buffer(4096, cmb=nvme0)
    for turn in range(300):  # more than the ring is deep
        data[:] = bytes([turn & 0xFF]) * 4096
        nvme0n1.write(pair, data, turn * 8, 8).waitdone()
        nvme0n1.read(pair, back, turn * 8, 8).waitdone()
        assert back[:] == data[:]
    pair.delete()


def test_what_is_taken_and_given_back_can_be_taken_again(nvme0):
    for _ in range(3):
        half = d.Buffer(nvme0.cmb.size // 2, cmb=nvme0)
        other = d.Buffer(nvme0.cmb.size // 2, cmb=nvme0)
        with pytest.raises(MemoryError, match="0 of its 65536 KiB are free"):
            d.Buffer(1, cmb=nvme0)
        del half, other


def test_after_a_reset_it_is_where_it_was(pcie, nvme0, nvme0n1):
    inside = d.Buffer(4096, cmb=nvme0)
    for reset in (nvme0.reset, pcie.flr, pcie.reset):
        reset()
        nvme0.reset()
        pair = d.Qpair(nvme0, 8, cmb_sq=True)
        inside[:] = b"again" * 819 + b"!"
        nvme0n1.write(pair, inside, 0, 8).waitdone()
        inside[:] = bytes(4096)
        nvme0n1.read(pair, inside, 0, 8).waitdone()
        assert inside[8:504] == (b"again" * 819 + b"!")[8:504]
        pair.delete()


@pytest.mark.needs_engine("cmb")
def test_a_buffer_that_outlives_its_drive_is_ordinary_memory(drive, run_script):
    pci.release()
    done = run_script(f"""
pcie = d.Pcie({drive("cmb")!r})
nvme0 = d.Controller(pcie)
buf, pair = d.Buffer(4096, cmb=nvme0), d.Qpair(nvme0, 8, cmb_sq=True)
buf[:] = b"x" * 4096
pcie.close()
buf[0:4] = b"abcd"
print(bytes(buf[:4]), buf[4], flush=True)
pair.delete()
try:
    d.Namespace(nvme0, 1)
except Exception as error:
    print(type(error).__name__, flush=True)
other = d.Controller({drive("cmb")!r})
namespace, pair = d.Namespace(other, 1), d.Qpair(other, 8)
again = d.Buffer(4096, cmb=other)
namespace.write(pair, again, 0, 8).waitdone()
print("lives", flush=True)
""")
    assert done.returncode == 0, done.stdout
    assert "b'abcd' 0" in done.stdout
    assert "lives" in done.stdout
