# SPDX-License-Identifier: BSD-3-Clause
"""The engines of this build, as ``nvme.engines()`` returns them."""

from __future__ import annotations

from typing import NamedTuple

from pynvme import address as addresses


class Engine(NamedTuple):
    """An NVMe driver that this build has.

    ``version`` is that of the driver, and ``dpdk`` that of the DPDK that it uses. ``pcie`` and ``vfio_user``
    have the capabilities that it withholds from drives with such addresses, and the reasons, by name.
    """

    name: str
    version: str
    dpdk: str
    selected: bool
    pcie: dict[str, str]
    vfio_user: dict[str, str]

    def withheld(self, address: str) -> dict[str, str]:
        """The capabilities that it withholds from the drive at this address, with the reasons."""
        return self.pcie if addresses.normal(address) else self.vfio_user
