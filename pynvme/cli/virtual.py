# SPDX-License-Identifier: BSD-3-Clause
"""``primary-ctrl-caps``, ``list-secondary`` and ``virt-mgmt``: virtual functions and their resources."""

from __future__ import annotations

import click

from pynvme.cli import options
from pynvme.cli.drive import opened
from pynvme.cli.identify import raw, show
from pynvme.cli.send import completion, report

CAPABILITIES, LIST = 0x14, 0x15
"""CNS of the two structures."""


@click.command("primary-ctrl-caps", epilog="Example: pynvme primary-ctrl-caps 01:00.0")
@options.pciaddr
@options.as_json
@raw
@options.words("[ADDRESS]")
def primary_ctrl_caps(pciaddr: str | None, as_json: bool, raw_binary: bool, words: tuple[str, ...]) -> None:
    """Show the resources of a primary controller, and how many of them are assigned.

    Base 2.1, section 5.1.13.3.1.
    """
    from pynvme import decode

    address, _ = options.drive_of(pciaddr, words)
    with opened(address) as nvme0:
        about = {"address": address, "cns": CAPABILITIES, "nsid": 0}
        show(decode.identify(nvme0, CAPABILITIES), about, as_json, raw_binary)


@click.command("list-secondary", epilog="Example: pynvme list-secondary 01:00.0 -c 2")
@options.pciaddr
@options.number("-c", "--cntid", bits=16, text="Only controllers from this one on.")
@options.as_json
@raw
@options.words("[ADDRESS]")
def list_secondary(
    pciaddr: str | None, cntid: int, as_json: bool, raw_binary: bool, words: tuple[str, ...]
) -> None:
    """List the secondary controllers of a primary one, with their states and resources.

    Base 2.1, section 5.1.13.3.2.
    """
    from pynvme import decode

    address, _ = options.drive_of(pciaddr, words)
    with opened(address) as nvme0:
        about = {"address": address, "cns": LIST, "nsid": 0}
        show(decode.identify(nvme0, LIST, cntid=cntid), about, as_json, raw_binary)


@click.command("virt-mgmt", epilog="Example: pynvme virt-mgmt 01:00.0 -c 2 -a 8 -r 0 -n 4")
@options.pciaddr
@options.number("-c", "--cntlid", bits=16, text="The controller.")
@options.number("-r", "--rt", bits=3, text="Type of resources: 0 queues, 1 interrupts.")
@options.number("-a", "--act", bits=4, text="1 primary, 7 offline, 8 assign, 9 online.")
@options.number("-n", "--nr", bits=16, text="How many resources.")
@options.as_json
@options.words("[ADDRESS]")
def virt_mgmt(
    pciaddr: str | None, cntlid: int, rt: int, act: int, nr: int, as_json: bool, words: tuple[str, ...]
) -> None:
    """Assign resources to a controller, or bring a secondary controller online or take it offline.

    Base 2.1, section 5.2.6.
    """
    address, _ = options.drive_of(pciaddr, words)
    with opened(address) as nvme0:
        send = nvme0.virtualization_management
        done = completion(nvme0, lambda cb: send(act, rt, cntlid, nr, cb=cb))
        report(nvme0, address, 0x1C, done, as_json, f"done, {done['cdw0']} resources")
