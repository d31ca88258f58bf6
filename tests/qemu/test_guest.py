# SPDX-License-Identifier: BSD-3-Clause
"""The guest is what the other tests take it for. Looks only."""

from __future__ import annotations

from pathlib import Path

FUNCTIONS = Path("/sys/bus/pci/devices")


def test_each_drive_is_behind_a_port_of_its_own(drives):
    ports = {address: (FUNCTIONS / address).resolve().parent for address in drives.values()}
    assert len(set(ports.values())) == len(ports)
    for address, port in ports.items():
        assert (port / "class").read_text().strip() == "0x060400", f"{address} is behind {port.name}"


def test_each_drive_has_an_iommu_group_of_its_own(drives):
    groups = {address: (FUNCTIONS / address / "iommu_group").resolve() for address in drives.values()}
    for address, group in groups.items():
        assert [path.name for path in (group / "devices").iterdir()] == [address]


def test_the_kernel_drives_them_to_begin_with(drives):
    for address in drives.values():
        assert (FUNCTIONS / address / "driver").resolve().name == "nvme"
