# SPDX-License-Identifier: BSD-3-Clause
"""Drives that cannot be opened, or that go while they are: an error, soon, and the next opening works."""

import os
import signal
import threading
import time

import nvme as d
import pytest

from pynvme.vssd import VirtualSsd
from tests.fix_load import loaded


def opened(ssd):
    return d.Controller(d.Pcie(ssd.address))


def test_a_drive_without_power_is_refused_soon_and_opened_when_it_has_power():
    with VirtualSsd(size="16M") as ssd:
        ssd.power(False)
        start = time.monotonic()
        with pytest.raises(d.NvmeEnumerateError):
            opened(ssd)
        assert time.monotonic() - start < 10 or loaded()
        ssd.power(True)
        assert opened(ssd).id_ctrl.nn == 1


def test_a_reset_of_a_drive_without_power_fails_soon(own):
    own.ssd.power(False)
    start = time.monotonic()
    for _ in range(2):
        with pytest.raises(SystemError, match="reads all ones"):
            own.nvme0.reset()
    assert time.monotonic() - start < 10 or loaded()
    own.ssd.power(True)
    own.nvme0.reset()
    assert own.nvme0n1.ioworker(io_size=8, io_count=100).start().close().error == 0


@pytest.mark.parametrize("dstrd", [0, 5, 8, 9, 10, 15])
def test_doorbells_that_no_mapping_reaches_are_an_error(dstrd):
    with VirtualSsd(size="16M", fault=f"register=CAP do set value[35:32]={dstrd}") as ssd:
        try:
            nvme0 = opened(ssd)
            pairs = [d.Qpair(nvme0, 8) for _ in range(16)]
        except (d.NvmeEnumerateError, d.QpairCreationError):
            assert dstrd >= 5
        else:
            assert dstrd <= 5 and len(pairs) == 16


def test_an_initialisation_that_times_out_ends_in_an_error():
    """The drive does not say what its namespace is."""
    with VirtualSsd(size="16M", fault="opcode=identify cns=0 do never") as ssd:
        with pytest.raises((d.NvmeEnumerateError, d.NamespaceCreationError)):
            d.Namespace(opened(ssd))
        ssd.clear_faults()
        assert d.Namespace(opened(ssd)).capacity > 0


@pytest.mark.parametrize("part", range(6))
def test_a_drive_that_is_killed_while_it_is_opened_is_an_error(part):
    with VirtualSsd(size="16M") as ssd:
        start = time.monotonic()
        opened(ssd)
        took = time.monotonic() - start
    with VirtualSsd(size="16M") as ssd:
        killer = threading.Timer(took * part / 5, os.kill, (ssd.pid, signal.SIGKILL))
        killer.start()
        with pytest.raises((d.NvmeEnumerateError, SystemError)):
            while True:
                pcie = d.Pcie(ssd.address)
                d.Controller(pcie)
                pcie.close()
        killer.join()
