# SPDX-License-Identifier: BSD-3-Clause
"""``ana-log``: the state of the ways to namespaces."""

from __future__ import annotations

import click

from pynvme.cli import options
from pynvme.cli.drive import opened
from pynvme.cli.identify import raw, show


@click.command("ana-log", epilog="Example: pynvme ana-log 01:00.0 --groups")
@options.pciaddr
@click.option("-g", "--groups", is_flag=True, help="Leave out the namespaces of the groups.")
@options.as_json
@raw
@options.words("[ADDRESS]")
def ana_log(
    pciaddr: str | None, groups: bool, as_json: bool, raw_binary: bool, words: tuple[str, ...]
) -> None:
    """Show the Asymmetric Namespace Access log page (0Ch).

    It has the ANA groups of this controller, with their states and namespaces.
    Base 2.1, section 5.1.12.1.13.
    """
    address, _ = options.drive_of(pciaddr, words)
    with opened(address) as nvme0:
        show(nvme0.ana_log(groups), {"address": address, "lid": 0x0C}, as_json, raw_binary)
