# SPDX-License-Identifier: BSD-3-Clause
"""A virtual SSD grows old: SMART, warnings, events and read-only mode."""

from __future__ import annotations

import nvme as d
import pytest

from pynvme.vssd import VirtualSsd

ADDRESS = "vssd:name=age,size=64M"

pytestmark = pytest.mark.filterwarnings("ignore:AER notification", "ignore:ERROR status")


@pytest.fixture(scope="session")
def pciaddr() -> str:
    """A virtual SSD of these tests' own."""
    return ADDRESS


@pytest.fixture
def ssd(pcie: d.Pcie) -> VirtualSsd:
    return VirtualSsd.attach(ADDRESS)


def smart(nvme0: d.Controller) -> d.Buffer:
    buf = d.Buffer(512)
    nvme0.getlogpage(2, buf, 512).waitdone()
    return buf


def test_hours_and_wear_are_in_smart(ssd: VirtualSsd, nvme0: d.Controller) -> None:
    hours = smart(nvme0).data(143, 128)
    ssd.age(hours=32768, used=80, spare=50)
    log = smart(nvme0)
    assert log.data(143, 128) == hours + 32768
    assert (log[0], log[3], log[4], log[5]) == (0, 50, 10, 80)
    nvme0.reset()
    ssd.power(False)
    ssd.power(True)
    nvme0.reset()
    assert smart(nvme0).data(143, 128) == hours + 32768 and smart(nvme0)[5] == 80
    ssd.age(used=0, spare=100)


def test_low_spare_warns_and_no_spare_is_read_only(
    ssd: VirtualSsd, nvme0: d.Controller, nvme0n1: d.Namespace, qpair: d.Qpair, buf: d.Buffer
) -> None:
    events: list[int] = []
    nvme0.register_aer_cb(lambda cdw0, status: events.append(cdw0))
    ssd.age(spare=9)
    smart(nvme0)
    assert events == [0x020201] and smart(nvme0)[0] == 1
    ssd.age(spare=0)
    smart(nvme0)
    assert events == [0x020201, 0x020001] and smart(nvme0)[0] == 9
    found: list[int] = []
    for command in (nvme0n1.write, nvme0n1.read):
        command(qpair, buf, 0, 1, cb=lambda cdw0, status: found.append(status >> 1 & 0x7FF)).waitdone()
    nvme0n1.write_zeroes(qpair, 0, 1, cb=lambda cdw0, status: found.append(status >> 1 & 0x7FF)).waitdone()
    assert found == [0x020, 0, 0x020]
    ssd.age(spare=100)
    nvme0n1.write(qpair, buf, 0, 1).waitdone()
    assert smart(nvme0)[0] == 0
    nvme0.register_aer_cb(None)


def test_defective_capacitors_are_reported(ssd: VirtualSsd, nvme0: d.Controller) -> None:
    ssd.age(backup_failed=True)
    assert smart(nvme0)[0] == 0x10
    ssd.age(backup_failed=False)
    assert smart(nvme0)[0] == 0


def test_a_rule_can_depend_on_the_age(
    ssd: VirtualSsd, nvme0: d.Controller, nvme0n1: d.Namespace, qpair: d.Qpair
) -> None:
    hours = smart(nvme0).data(143, 128)
    with ssd.fault(f"opcode=flush age>={hours + 100} do late=1us") as fault:
        nvme0n1.flush(qpair).waitdone()
        assert fault.fired == 0
        ssd.age(hours=100)
        nvme0n1.flush(qpair).waitdone()
        assert fault.fired == 1


@pytest.mark.parametrize(
    "wrong", [{"hours": -1}, {"hours": 1 << 60}, {"used": 256}, {"spare": 101}, {"spare": -1}]
)
def test_values_out_of_range_change_nothing(ssd: VirtualSsd, wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="hours must be 0 to 10000000"):
        ssd.age(**wrong)
