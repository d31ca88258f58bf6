# SPDX-License-Identifier: BSD-3-Clause
"""The guest is what the other tests take it for. Looks only."""

from __future__ import annotations

from pathlib import Path

FUNCTIONS = Path("/sys/bus/pci/devices")


def test_each_drive_is_behind_a_port_of_its_own(drives):
    """The twins are one device."""
    ports = {
        word: (FUNCTIONS / address).resolve().parent for word, address in drives.items() if word != "twin1"
    }
    assert len(set(ports.values())) == len(ports)
    for word, port in ports.items():
        assert (port / "class").read_text().strip() == "0x060400", f"{word} is behind {port.name}"


def test_each_drive_has_an_iommu_group_of_its_own(drives):
    twins = sorted(address for word, address in drives.items() if word.startswith("twin"))
    for word, address in drives.items():
        group = FUNCTIONS / address / "iommu_group/devices"
        expected = twins if word.startswith("twin") else [address]
        assert sorted(path.name for path in group.iterdir()) == expected


def test_the_kernel_drives_them_to_begin_with(drives):
    for address in drives.values():
        assert (FUNCTIONS / address / "driver").resolve().name == "nvme"
