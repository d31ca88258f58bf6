# SPDX-License-Identifier: BSD-3-Clause
"""Power of a drive of this machine: by its slot, by a bench's power module, and what cannot be switched.

QEMU takes a card away whose slot is switched off; putting it in again belongs to switching the power on.
"""

from __future__ import annotations

import json
import os
import warnings
from pathlib import Path

import nvme as d
import pytest

from pynvme import pci
from tests.qemu.conftest import FUNCTIONS, disk_of, driver_of
from tests.qemu.monitor import pull_out, put_in, wait_for

pytestmark = pytest.mark.filterwarnings("error::UserWarning")


@pytest.fixture
def pcie(plain):
    device = d.Pcie(plain)
    yield device
    device.close()
    if not (FUNCTIONS / plain).exists():
        put_in("plain", plain)


def works(nvme0, namespace):
    pair, data, back = d.Qpair(nvme0, 16), d.Buffer(4096, ptype=0xBEEF, pvalue=100), d.Buffer(4096)
    pair.msix_clear()
    namespace.write(pair, data, 8, 8).waitdone()
    namespace.read(pair, back, 8, 8).waitdone()
    assert back[8:504] == data[8:504]
    wait_for(pair.msix_isset, 5, "an interrupt")  # the guest's kernel has to run to hand it on
    pair.delete()
    return True


def owner(address):
    return json.loads(Path("/run/pynvme", address).read_text())


def test_the_slot_switches_the_power_and_the_same_objects_go_on(plain, pcie, nvme0, nvme0n1):
    assert works(nvme0, nvme0n1)
    old = d.Qpair(nvme0, 8)
    subsystem = d.Subsystem(nvme0)
    assert subsystem.poweroff() is True
    assert not (FUNCTIONS / plain).exists()
    with pytest.raises(SystemError):
        nvme0[0x1C]
    assert pcie.register(0, 2) == 0xFFFF
    with pytest.raises(NotImplementedError, match="has no power"):
        pcie.flr()
    assert d.Pcie(plain).register(0, 2) == 0xFFFF, "the same drive, without power"
    assert subsystem.poweroff() is True

    put_in("plain", plain)
    assert subsystem.poweron() is True
    assert driver_of(plain) == "vfio-pci"
    assert owner(plain)["driver"] == "nvme" and owner(plain)["pid"] == os.getpid()
    assert works(nvme0, nvme0n1), "a script that resets nothing itself goes on at once"
    nvme0.reset()
    assert works(nvme0, nvme0n1)
    old.delete()
    assert subsystem.poweron() is True, "it is on"


@pytest.mark.needs_engine("slot-power")
def test_workers_end_without_an_error_when_the_slot_goes_off(plain, nvme0, nvme0n1):
    workers = [nvme0n1.ioworker(time=60, qdepth=8, read_percentage=50).start() for _ in range(2)]
    while min(worker.progress[2] for worker in workers) == 0:
        pass
    subsystem = d.Subsystem(nvme0)
    subsystem.poweroff()
    assert [worker.close().error for worker in workers] == [0, 0]
    put_in("plain", plain)
    subsystem.poweron()
    assert works(nvme0, nvme0n1)


@pytest.mark.needs_engine("slot-power")
def test_a_power_module_of_the_bench_cuts_the_power_under_a_worker(plain, pcie, nvme0, nvme0n1):
    """The link is down without a word: the kernel of a slot with hot-plug takes the drive out of its list."""
    subsystem = d.Subsystem(
        nvme0, poweron_cb=lambda: put_in("plain", plain), poweroff_cb=lambda: pull_out(plain)
    )
    worker = nvme0n1.ioworker(time=60, qdepth=8).start()
    while worker.progress[2] == 0:
        pass
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # which of the two it meets first is not told
        assert subsystem.poweroff() is True
        worker.close()
    assert pcie.register(0, 2) == 0xFFFF
    assert subsystem.poweron() is True
    assert works(nvme0, nvme0n1)


@pytest.mark.needs_engine("slot-power")
def test_what_a_drive_that_lost_its_power_was_taken_from_gets_it_at_the_end(plain, run_script):
    pci.release()
    done = run_script(f"""
from tests.qemu.monitor import put_in
nvme0 = d.Controller({plain!r})
subsystem = d.Subsystem(nvme0)
subsystem.poweroff()
put_in("plain", {plain!r})
subsystem.poweron()
print(nvme0.id_data(23, 4, str))
""")
    assert done.returncode == 0, done.stdout
    assert driver_of(plain) == "nvme"
    assert disk_of(plain).is_block_device()
    assert not Path("/run/pynvme", plain).exists()


@pytest.mark.needs_engine("slot-power")
def test_a_script_that_ends_while_the_power_is_off_leaves_nothing_behind(plain, run_script):
    pci.release()
    done = run_script(f"d.Subsystem(d.Controller({plain!r})).poweroff(); print('off')")
    put_in("plain", plain)
    assert done.returncode == 0 and "off" in done.stdout, done.stdout
    assert disk_of(plain).is_block_device()
    assert not Path("/run/pynvme", plain).exists()


def test_a_power_state_that_the_drive_has_not_is_ignored(pcie, nvme0, nvme0n1):
    at = pcie.cap_offset(1)
    supported = pcie.register(at + 2, 2) >> 9
    for state in (1, 2):
        pcie.power_state = state
        assert pcie.power_state == (state if supported & state else 0)
        pcie.power_state = 0
    assert works(nvme0, nvme0n1)


def test_a_state_of_the_link_that_one_end_has_not_is_refused_by_its_name(pcie, plain):
    port = (FUNCTIONS / plain).resolve().parent.name
    with pytest.raises(NotImplementedError, match=rf"needs L1 only, and the (drive {plain}|port {port})"):
        pcie.aspm = 2
    pcie.aspm = 1
    assert pcie.aspm in (0, 1), "see found.md: these registers of QEMU's cannot be written"
    pcie.aspm = 0
    assert pcie.aspm == 0
