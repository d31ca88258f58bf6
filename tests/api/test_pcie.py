# SPDX-License-Identifier: BSD-3-Clause
"""Pcie: configuration space, capabilities, resets, power states."""

import gc
import time
import warnings

import nvme as d
import pytest
from offered import IN_GUEST, SPDK

from tests.fix_load import loaded


def test_configuration_space_is_bytes_and_registers_are_little_endian(pcie):
    assert pcie.register(8) >> 8 == 0x010802, "class code: an NVMe controller"
    assert pcie[9:12] == [0x02, 0x08, 0x01]
    assert pcie[0] | pcie[1] << 8 == pcie.register(0, 2)
    with pytest.raises(IndexError):
        pcie[4096]
    with pytest.raises(TypeError):
        pcie["0"]


def test_a_byte_of_configuration_space_is_written(pcie):
    before = pcie[0x3C]
    pcie[0x3C] = 0x5A
    assert pcie[0x3C] == 0x5A, "Interrupt Line"
    pcie[0x3C] = before


def test_capabilities_are_found_by_their_id(pcie):
    for wanted in (0x01, 0x10, 0x11):
        offset = pcie.cap_offset(wanted)
        assert 0x40 <= offset < 0x100
        assert pcie[offset] == wanted
    assert pcie.cap_offset(0xEE) is None
    extended = pcie.cap_offset(0x01, extended=True)
    assert extended is None or pcie.register(extended, 2) == 0x01


def test_the_virtual_ssd_has_extended_capabilities(pcie, ssd):
    aer, dsn = pcie.cap_offset(0x01, extended=True), pcie.cap_offset(0x03, extended=True)
    for offset, wanted in ((aer, 0x01), (dsn, 0x03)):
        assert 0x100 <= offset < 0x1000
        assert pcie.register(offset, 2) == wanted
    assert pcie.register(dsn + 4, 8) != 0, "a serial number"
    assert pcie.cap_offset(0x10, extended=True) is None
    assert pcie.cap_offset(0x03) is None, "it is no capability of the other list"


@pytest.mark.parametrize("reset", ["reset", "flr"])
def test_after_a_reset_the_controller_is_initialised_again_and_the_queues_are_gone(
    pcie, nvme0, nvme0n1, reset, lba_size
):
    old = d.Qpair(nvme0, 8)
    assert getattr(pcie, reset)() is True
    nvme0.reset()
    assert nvme0[0x1C] & 1
    new = d.Qpair(nvme0, 8)
    assert new.sqid == 1
    nvme0n1.read(new, d.Buffer(8 * lba_size), 0, 8).waitdone()
    old.delete()
    nvme0n1.read(new, d.Buffer(8 * lba_size), 0, 8).waitdone()
    new.delete()


def test_a_script_that_resets_nothing_itself_goes_on_at_once_after_a_hot_reset(
    pcie, nvme0, nvme0n1, lba_size
):
    pcie.reset()
    assert nvme0.getfeatures(7).waitdone() & 0xFFFF > 0
    pcie.flr()
    pair = d.Qpair(nvme0, 8)
    nvme0n1.read(pair, d.Buffer(8 * lba_size), 0, 8).waitdone()
    pair.delete()


def test_commands_in_flight_complete_with_a_status_when_the_link_is_reset(pcie, nvme0, nvme0n1, lba_size):
    pair = d.Qpair(nvme0, 64)
    statuses = []
    for lba in range(63):
        nvme0n1.read(
            pair,
            d.Buffer(8 * lba_size),
            lba,
            8,
            cb=lambda cdw0, status1: statuses.append(status1 >> 1 & 0x7FF),
        )
    pcie.reset()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # whether any was still in flight is the drive's
        pair.waitdone(63)
    assert len(statuses) == 63
    assert set(statuses) <= {0x000, 0x008}
    nvme0.reset()


def test_a_reset_of_the_scripts_own_is_called_instead(pcie):
    called = []
    assert pcie.reset(lambda: called.append(True)) is True
    assert called == [True]


@pytest.mark.differs(SPDK, "PMCSR cannot be written (PCIe Base 5.0, 7.5.2.2)")
def test_a_running_controller_survives_d3hot(pcie, nvme0):
    assert pcie.power_state == 0
    pcie.power_state = 3
    assert pcie.power_state == 3
    pcie.power_state = 0
    assert nvme0[0x1C] & 1
    nvme0.getfeatures(7).waitdone()


@pytest.mark.parametrize("how", ["close()", "the last reference"])
def test_a_function_left_in_d3hot_is_closed_and_opened_again(own_ssd, how):
    for _ in range(2):
        pcie = d.Pcie(own_ssd.address)
        nvme0 = d.Controller(pcie)
        nvme0n1 = d.Namespace(nvme0)
        pair = d.Qpair(nvme0, 4)
        nvme0n1.write(pair, d.Buffer(512), 0).waitdone()
        pcie.power_state = 3
        start = time.monotonic()
        if how == "close()":
            pcie.close()
        del pcie, nvme0, nvme0n1, pair
        gc.collect()
        assert time.monotonic() - start < 2 or loaded()
    pcie = d.Pcie(own_ssd.address)
    assert pcie.power_state == 0
    assert d.Controller(pcie)[0x1C] & 1
    pcie.close()


def test_what_is_done_in_d3hot_is_told_and_the_controller_goes_on_afterwards(own, buf):
    """The call neither crashes nor waits for ever."""
    nvme0, nvme0n1 = own.nvme0, own.nvme0n1
    nvme0.timeout = 500
    pair = d.Qpair(nvme0, 4)
    own.pcie.power_state = 3
    with pytest.raises(SystemError):
        nvme0[0x1C]
    nvme0n1.read(pair, buf, 0)
    nvme0.getfeatures(7)
    start = time.monotonic()
    with pytest.warns(UserWarning, match="drive timeout"):
        pair.waitdone()
    with pytest.warns(UserWarning, match="drive timeout"):
        nvme0.waitdone()
    with pytest.raises((TimeoutError, RuntimeError, SystemError)):
        nvme0.id_data(0)
    with pytest.raises((d.QpairCreationError, SystemError)):
        d.Qpair(nvme0, 4)
    assert time.monotonic() - start < 5 or loaded()
    own.pcie.power_state = 0
    nvme0.timeout = 10000
    nvme0.reset()
    pair = d.Qpair(nvme0, 4)
    nvme0n1.read(pair, buf, 0).waitdone()


def test_aspm_is_what_was_set(pcie):
    before = pcie.aspm
    supported = pcie.register(pcie.cap_offset(0x10) + 0x0C) >> 10 & 3  # Link Capabilities: L0s, L1
    if not supported:
        pytest.skip("needs a link with ASPM (Link Capabilities, bits 11:10)")
    wanted = 2 if supported & 2 else 1
    pcie.aspm = wanted
    if IN_GUEST and pcie.aspm == before != wanted:
        pytest.skip("vfio-pci keeps Link Control to itself")
    assert pcie.aspm == wanted
    pcie.aspm = before
    with pytest.raises(AssertionError):
        pcie.aspm = 4


def test_the_function_of_a_controller_is_the_same_function(nvme0, pcie):
    other = d.Pcie(nvme0)
    assert other.register(0) == pcie.register(0)
    assert nvme0.pcie.register(0) == pcie.register(0)
