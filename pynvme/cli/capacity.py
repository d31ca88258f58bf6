# SPDX-License-Identifier: BSD-3-Clause
"""``list-endgrp``, ``id-nvmset``, ``endurance-log``, ``supported-cap-config-log`` and ``capacity-mgmt``."""

from __future__ import annotations

import click

from pynvme.cli import options, output
from pynvme.cli.drive import opened
from pynvme.cli.identify import raw, show
from pynvme.cli.send import completion, report
from pynvme.cli.suite import confirm

NVM_SETS, GROUPS = 0x04, 0x19
"""CNS of the two lists."""
ENDURANCE_GROUP, CONFIGURATIONS = 0x09, 0x11
"""Log pages."""
OPCODE = 0x20
SELECT, CREATE_GROUP, DELETE_GROUP, CREATE_SET, DELETE_SET = range(5)


def _list(name: str, cns: int, short: str, long: str, text: str) -> click.Command:
    @click.command(name, help=text, epilog=f"Example: pynvme {name} 01:00.0 --json")
    @options.pciaddr
    @options.number(short, long, "least", bits=16, text="The lowest identifier to list.")
    @options.as_json
    @raw
    @options.words("[ADDRESS]")
    def command(
        pciaddr: str | None, least: int, as_json: bool, raw_binary: bool, words: tuple[str, ...]
    ) -> None:
        from pynvme import decode

        address, _ = options.drive_of(pciaddr, words)
        with opened(address) as nvme0:
            found = decode.identify(nvme0, cns, cdw11=least)
            show(found, {"address": address, "cns": cns, "nsid": 0}, as_json, raw_binary)

    return command


list_endgrp = _list(
    "list-endgrp", GROUPS, "-i", "--endgrp-id", "List the endurance groups (Base 2.1, section 5.1.13.2.17)."
)
id_nvmset = _list(
    "id-nvmset", NVM_SETS, "-i", "--nvmset-id", "Show the NVM sets (Base 2.1, section 5.1.13.2.4)."
)


@click.command("endurance-log", epilog="Example: pynvme endurance-log 01:00.0 -g 1")
@options.pciaddr
@options.endurance_group("-g", "--group-id")
@options.as_json
@raw
@options.words("[ADDRESS]")
def endurance_log(
    pciaddr: str | None, group: int, as_json: bool, raw_binary: bool, words: tuple[str, ...]
) -> None:
    """Show the health, the counters and the capacity of an endurance group.

    Log page 09h, Base 2.1, section 5.1.12.1.10.
    """
    address, _ = options.drive_of(pciaddr, words)
    with opened(address) as nvme0:
        found = nvme0.log(ENDURANCE_GROUP, lsi=group)
        show(found, {"address": address, "lid": ENDURANCE_GROUP}, as_json, raw_binary)


@click.command("supported-cap-config-log", epilog="Example: pynvme supported-cap-config-log 01:00.0")
@options.pciaddr
@options.as_json
@raw
@options.words("[ADDRESS]")
def supported_cap_config_log(
    pciaddr: str | None, as_json: bool, raw_binary: bool, words: tuple[str, ...]
) -> None:
    """Show the capacity configurations that can be selected.

    Log page 11h, Base 2.1, section 5.1.12.1.18.
    """
    from pynvme.capacity import configurations

    address, _ = options.drive_of(pciaddr, words)
    with opened(address) as nvme0:
        found = nvme0.log(CONFIGURATIONS)
        if as_json or raw_binary:
            show(found, {"address": address, "lid": CONFIGURATIONS}, as_json, raw_binary)
            return
        for one in configurations(found):
            click.echo(f"configuration {one.ccid}")
            for group in one.groups:
                sets = ", ".join(map(str, group.sets)) or "none"
                click.echo(f"  endurance group {group.endgid}: {output.size(group.tegcap)}, NVM sets: {sets}")


@click.command("capacity-mgmt", epilog="Example: pynvme capacity-mgmt 01:00.0 -O 1 --capacity 0x40000000")
@options.pciaddr
@click.option(
    "-O",
    "--operation",
    "oper",
    type=options.Number(4),
    required=True,
    metavar="N",
    help="0 select a configuration; 1 create, 2 delete an endurance group; 3 create, 4 delete an NVM set.",
)
@options.number("-i", "--element-id", bits=16, text="What it is about: configuration, group or set.")
@options.number("-l", "--cap-lower", bits=32, text="Bits 31:0 of the capacity in bytes.")
@options.number("-u", "--cap-upper", bits=32, text="Bits 63:32 of the capacity in bytes.")
@options.number("-c", "--capacity", bits=64, text="The capacity in bytes, instead of these two.")
@click.option("--yes", is_flag=True, help="Delete data without asking.")
@options.as_json
@options.words("[ADDRESS]")
def capacity_mgmt(
    pciaddr: str | None,
    oper: int,
    element_id: int,
    cap_lower: int,
    cap_upper: int,
    capacity: int,
    yes: bool,
    as_json: bool,
    words: tuple[str, ...],
) -> None:
    """Create or delete endurance groups and NVM sets, or select a configuration.

    A deletion takes the namespaces with it. Base 2.1, section 5.1.3.
    """
    if capacity and (cap_lower or cap_upper):
        raise click.UsageError("give --capacity, or --cap-lower and --cap-upper, not both")
    address, _ = options.drive_of(pciaddr, words)
    if oper in (SELECT, DELETE_GROUP, DELETE_SET):
        confirm(address, yes, "deletes data of")
    size = capacity or cap_upper << 32 | cap_lower
    with opened(address) as nvme0:
        done = completion(nvme0, lambda cb: nvme0.capacity_management(oper, element_id, size, cb=cb))
        texts = {
            CREATE_GROUP: f"created endurance group {done['cdw0']}",
            CREATE_SET: f"created NVM set {done['cdw0']}",
        }
        report(nvme0, address, OPCODE, done, as_json, texts.get(oper, "done"))
