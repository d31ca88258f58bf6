# SPDX-License-Identifier: BSD-3-Clause
"""What scripts rely on in the default drive."""

import nvme as d
import pytest


@pytest.fixture
def nvme0():
    """Give the controller of a private default drive."""
    pcie = d.Pcie("vssd:name=default")
    yield d.Controller(pcie)
    pcie.close()


def identify(nvme0, nsid, cns):
    b = d.Buffer(4096)
    nvme0.identify(b, nsid=nsid, cns=cns).waitdone()
    return b


def test_it_has_some_4_gib_in_lbas_of_512_bytes_and_an_odd_size(nvme0):
    ns = identify(nvme0, 1, 0)
    nsze, ncap = ns.data(7, 0), ns.data(15, 8)
    assert nsze == ncap
    assert nsze * 512 == pytest.approx(4 << 30, rel=0.01)
    assert nsze & 0xFF != 0, "scripts look for byte order mistakes there"


def test_it_formats_to_512_and_4096_bytes(nvme0):
    namespace = d.Namespace(nvme0)
    assert namespace.get_lba_format(512) == 0
    assert namespace.get_lba_format(4096) is not None
    assert namespace.get_lba_format(520) is None


def test_it_transfers_128_kib(nvme0):
    assert nvme0.mdts == 128 << 10


def test_it_has_16_io_queue_pairs_of_4096_entries(nvme0):
    assert nvme0.getfeatures(7).waitdone() == 0x000F000F
    assert nvme0.cap & 0xFFFF == 4095


def test_it_speaks_nvme_2_0(nvme0):
    assert nvme0[8] == 0x00020000
    assert identify(nvme0, 0, 1).data(83, 80) == 0x00020000


def test_it_has_five_power_states_and_takes_each(nvme0):
    assert identify(nvme0, 0, 1).data(263) == 4, "NPSS is 0's based"
    for state in range(5):
        nvme0.setfeatures(2, cdw11=state).waitdone()
        assert nvme0.getfeatures(2).waitdone() & 0x1F == state
    nvme0.setfeatures(2, cdw11=0).waitdone()


def test_it_takes_four_aers_at_once(nvme0):
    assert identify(nvme0, 0, 1).data(259) >= 3, "AERL is 0's based"


def test_it_has_a_volatile_write_cache_that_is_on(nvme0):
    assert identify(nvme0, 0, 1).data(525) & 1
    assert nvme0.getfeatures(6).waitdone() & 1


def test_a_power_state_survives_a_format(nvme0):
    nvme0.setfeatures(2, cdw11=3).waitdone()
    d.Namespace(nvme0).format(512)
    assert nvme0.getfeatures(2).waitdone() & 0x1F == 3
    nvme0.setfeatures(2, cdw11=0).waitdone()


@pytest.mark.parametrize("ses", [0, 1, 2])
def test_formats_of_each_kind_leave_zeros(nvme0, ses):
    namespace = d.Namespace(nvme0)
    pair = d.Qpair(nvme0, 4)
    namespace.write(pair, d.Buffer(512, pvalue=1), 7).waitdone()
    namespace.format(512, ses=ses)
    back = d.Buffer(512, pvalue=1)
    namespace.read(pair, back, 7).waitdone()
    assert back[:] == bytes(512)
    pair.delete()


def test_deallocated_lbas_read_zeros(nvme0):
    namespace = d.Namespace(nvme0)
    assert identify(nvme0, 1, 0).data(33) & 7 == 1, "DLFEAT"
    pair = d.Qpair(nvme0, 4)
    namespace.write(pair, d.Buffer(4096, pvalue=1), 8, 8).waitdone()
    ranges = d.Buffer(4096)
    ranges.set_dsm_range(0, 8, 8)
    namespace.dsm(pair, ranges, 1).waitdone()
    back = d.Buffer(4096, pvalue=1)
    namespace.read(pair, back, 8, 8).waitdone()
    assert back[:] == bytes(4096)
    pair.delete()


def test_power_cycles_count_in_smart_and_resets_do_not(nvme0):
    def power_cycles():
        smart = d.Buffer(512)
        nvme0.getlogpage(2, smart, 512).waitdone()
        return smart.data(127, 112)

    before = power_cycles()
    nvme0.reset()
    nvme0.pcie.reset()
    nvme0.reset()
    assert power_cycles() == before
    d.Subsystem(nvme0).power_cycle(0)
    nvme0.reset()
    assert power_cycles() == before + 1
