# SPDX-License-Identifier: BSD-3-Clause
"""Power and link of drives on simulated machines, whose kernel files are in a folder."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from pynvme.pci import DriveError, Machine
from pynvme.power import Host, Link

BDF, PORT = "0000:01:00.0", "0000:00:03.0"
EXPRESS = 0x40


class MadeUp:
    """A drive behind a port, in a slot with a Power Controller, in a machine that suspends to RAM."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.devices = root / "sys/bus/pci/devices"
        self.devices.mkdir(parents=True)
        self.port = self.function(root / "sys/devices/pci0000:00" / PORT, "0x060400", aspm=3)
        self.drive = self.function(self.port / BDF, "0x010802", aspm=3)
        self.slot = root / "sys/bus/pci/slots/7"
        self.slot.mkdir(parents=True)
        (self.slot / "address").write_text("0000:01:00\n")
        (self.slot / "power").write_text("1\n")
        self.clock = root / "sys/class/rtc/rtc0"
        self.clock.mkdir(parents=True)
        (self.clock / "wakealarm").write_text("")
        (root / "sys/power").mkdir()
        (root / "sys/power/mem_sleep").write_text("[s2idle] deep\n")
        (root / "sys/power/state").write_text("freeze mem\n")

    def function(self, folder: Path, kind: str, aspm: int) -> Path:
        folder.mkdir(parents=True)
        (folder / "class").write_text(kind)
        data = bytearray(256)
        data[0x34] = EXPRESS - 0x10
        data[EXPRESS - 0x10 : EXPRESS - 0x0E] = bytes([1, EXPRESS])
        data[EXPRESS] = 0x10
        data[EXPRESS + 2 : EXPRESS + 4] = (0x142).to_bytes(2, "little")  # Slot Implemented
        data[EXPRESS + 0x0C : EXPRESS + 0x10] = (aspm << 10).to_bytes(4, "little")
        data[EXPRESS + 0x10] = 0x40  # Common Clock Configuration
        data[EXPRESS + 0x14] = 0x02  # Power Controller Present
        (folder / "config").write_bytes(data)
        (self.devices / folder.name).symlink_to(folder)
        return folder

    def set(self, folder: Path, offset: int, value: int) -> None:
        data = bytearray((folder / "config").read_bytes())
        data[offset] = value
        (folder / "config").write_bytes(data)

    def link_control(self, folder: Path) -> int:
        return (folder / "config").read_bytes()[EXPRESS + 0x10]


@pytest.fixture
def machine(tmp_path):
    return MadeUp(tmp_path)


@pytest.fixture
def host(machine):
    return Host(machine.root)


# The link


@pytest.mark.parametrize("value", range(4))
@pytest.mark.parametrize("before", range(4))
def test_aspm_is_set_at_both_ends_and_nothing_else_is(machine, before, value):
    for end in (machine.port, machine.drive):
        machine.set(end, EXPRESS + 0x10, 0x40 | before)
    Link(BDF, machine.root).set_aspm(value)
    assert machine.link_control(machine.port) == 0x40 | value
    assert machine.link_control(machine.drive) == 0x40 | value


@pytest.mark.parametrize(("before", "value"), [(0, 2), (3, 0), (1, 2), (2, 1)])
def test_a_state_is_never_enabled_at_the_drive_alone(machine, before, value):
    for end in (machine.port, machine.drive):
        machine.set(end, EXPRESS + 0x10, before)
    link = Link(BDF, machine.root)
    seen = []
    write = link._set

    def watched(end, offset, to):
        write(end, offset, to)
        seen.append((machine.link_control(machine.drive), machine.link_control(machine.port)))

    link._set = watched
    link.set_aspm(value)
    assert seen[-1] == (value, value)
    assert all(drive & ~port == 0 for drive, port in seen), seen


@pytest.mark.parametrize(
    ("end", "support", "value", "text"),
    [
        ("port", 1, 2, rf"aspm = 2 needs L1 only, and the port {PORT} above it supports L0s only"),
        ("drive", 2, 3, rf"aspm = 3 needs L0s and L1, and the drive {BDF} supports L1 only"),
        ("port", 0, 1, rf"aspm = 1 needs L0s only, and the port {PORT} above it supports no ASPM"),
    ],
)
def test_what_one_end_does_not_support_is_refused_by_its_name_and_nothing_is_changed(
    machine, end, support, value, text
):
    machine.set(getattr(machine, end), EXPRESS + 0x0D, support << 2)
    with pytest.raises(NotImplementedError, match=text):
        Link(BDF, machine.root).set_aspm(value)
    assert machine.link_control(machine.port) == machine.link_control(machine.drive) == 0x40
    Link(BDF, machine.root).set_aspm(0)


def test_a_drive_on_a_root_bus_has_no_link(machine):
    machine.function(machine.root / "sys/devices/pci0000:00/0000:00:05.0", "0x010802", aspm=3)
    with pytest.raises(NotImplementedError, match=r"0000:00:05\.0 has no link.* no port above it"):
        Link("0000:00:05.0", machine.root)


def test_who_is_not_root_is_told_what_is_roots(machine, monkeypatch):
    """The kernel shows other users the first 64 bytes, and does not let them write."""
    for end in (machine.port, machine.drive):
        (end / "config").write_bytes((end / "config").read_bytes()[:64])
    with pytest.raises(PermissionError, match=rf"the drive and the port {PORT}, which only root may write"):
        Link(BDF, machine.root).set_aspm(1)
    assert "only root may read the configuration space of 0000:00:03.0" in Host(machine.root).lacks_slot(BDF)


# The slot


def test_a_slot_is_found_by_the_address_that_it_has(machine, host):
    other = machine.slot.parent / "1"
    other.mkdir()
    (other / "address").write_text("0000:02:00\n")
    (other / "power").write_text("1\n")
    assert host.lacks_slot(BDF) == ""
    host.slot_power(BDF, False)
    assert (machine.slot / "power").read_text() == "0"
    assert (other / "power").read_text() == "1\n"
    host.slot_power(BDF, True)
    assert (machine.slot / "power").read_text() == "1"


def test_a_slot_without_a_power_controller_is_not_switched(machine, host):
    machine.set(machine.port, EXPRESS + 0x14, 0x60)  # hot-plug, by surprise
    assert host.lacks_slot(BDF) == f"its slot has no Power Controller (Slot Capabilities of {PORT})"
    assert host.is_suspend(BDF)


def test_a_port_without_a_slot_has_no_power_to_switch(machine, host):
    machine.set(machine.port, EXPRESS + 3, 0)
    assert "has no Power Controller" in host.lacks_slot(BDF)


def test_a_slot_with_another_function_that_is_in_use_is_not_switched(machine, host):
    other = machine.function(machine.port / "0000:01:00.1", "0x020000", aspm=0)
    (machine.root / "sys/bus/pci/drivers/e1000e").mkdir(parents=True)
    (other / "driver").symlink_to(machine.root / "sys/bus/pci/drivers/e1000e")
    assert host.lacks_slot(BDF) == "its slot also holds 0000:01:00.1 (e1000e), which the kernel uses"


# Suspend


def test_a_machine_is_suspended_with_an_alarm_and_sleeps_as_before_afterwards(machine, host):
    wrote = []

    def write(path, text):
        wrote.append((path.name, text))

    host._write = write
    host.suspend(9.2)
    assert wrote == [
        ("wakealarm", "0"),
        ("wakealarm", "+10"),
        ("mem_sleep", "deep"),
        ("state", "mem"),
        ("wakealarm", "0"),
        ("mem_sleep", "s2idle"),
    ]
    wrote.clear()
    host.suspend(0)
    assert ("wakealarm", "+5") in wrote, "an alarm that comes before the sleep wakes nobody"


def test_a_machine_that_does_not_fall_asleep_says_so_and_stays_as_it_was(machine, host):
    wrote = []

    def write(path, text):
        wrote.append((path.name, text))
        if path.name == "state":
            raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))

    host._write = write
    with pytest.raises(OSError, match="the kernel does not suspend this machine to RAM"):
        host.suspend(5)
    assert wrote[-2:] == [("wakealarm", "0"), ("mem_sleep", "s2idle")]


def test_a_slot_comes_before_a_suspend(host):
    assert not host.lacks_suspend()
    assert not host.is_suspend(BDF)


@pytest.mark.parametrize(
    ("offered", "text"), [("[s2idle]", r"mem_sleep offers \[s2idle\], not deep"), (None, "offers nothing")]
)
def test_what_a_machine_lacks_is_named(machine, host, offered, text):
    (machine.slot / "address").unlink()
    if offered:
        (machine.root / "sys/power/mem_sleep").write_text(offered)
    else:
        (machine.root / "sys/power/mem_sleep").unlink()
    with pytest.raises(NotImplementedError, match=text) as raised:
        host.check_slot(BDF)
    said = str(raised.value)
    assert said.startswith("nothing here can switch the power of 0000:01:00.0: ")
    assert "poweron_cb and poweroff_cb; the kernel knows no slot of it" in said
    assert "; this machine has no suspend to RAM (/sys/power/mem_sleep" in said


def test_a_machine_that_nothing_would_wake_is_not_suspended(machine, host):
    (machine.slot / "address").unlink()
    (machine.clock / "wakealarm").unlink()
    assert not host.is_suspend(BDF)
    with pytest.raises(NotImplementedError, match="no clock that wakes it"):
        host.check_slot(BDF)


def test_switching_off_alone_is_not_what_a_suspend_can_do(machine, host):
    (machine.slot / "address").unlink()
    assert host.is_suspend(BDF)
    with pytest.raises(NotImplementedError, match=r"suspend to RAM can, but for power_cycle\(sec\) only"):
        host.check_slot(BDF)


# Out of the kernel's list, and into it


@pytest.fixture
def kernel(machine):
    (machine.root / "proc").mkdir()
    (machine.drive / "remove").write_text("")
    (machine.root / "sys/bus/pci/rescan").write_text("")
    return Machine(machine.root)


def test_a_free_drive_is_removed_and_what_a_rescan_finds_is_named(machine, kernel, monkeypatch):
    kernel.remove(BDF)
    assert (machine.drive / "remove").read_text() == "1"
    (machine.devices / BDF).unlink()
    with pytest.raises(DriveError, match=r"there is no NVMe controller 0000:01:00\.0"):
        kernel.remove(BDF)
    found = [set(), {BDF}]
    monkeypatch.setattr(kernel, "controllers", lambda: found.pop(0))
    assert kernel.rescan() == [BDF]
    assert (machine.root / "sys/bus/pci/rescan").read_text() == "1"


def test_a_drive_that_is_mounted_or_open_is_not_removed(machine, kernel):
    groups = machine.root / "sys/kernel/iommu_groups/9"
    groups.mkdir(parents=True)
    (machine.drive / "iommu_group").symlink_to(groups)
    holder = machine.root / "proc/41"
    (holder / "fd").mkdir(parents=True)
    (holder / "comm").write_text("python\n")
    (holder / "fd/3").symlink_to("/dev/vfio/9")
    with pytest.raises(DriveError, match=r"is open in process 41 \(python\): Pcie\.close\(\) first"):
        kernel.remove(BDF)
    (holder / "fd/3").unlink()
    (holder / "fd/3").symlink_to("/dev/nvme0")
    (machine.drive / "nvme/nvme0").mkdir(parents=True)
    with pytest.raises(DriveError, match=r"is in use: process 41 \(python\) has /dev/nvme0 open"):
        kernel.remove(BDF)
    assert (machine.drive / "remove").read_text() == ""
