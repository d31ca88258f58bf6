# SPDX-License-Identifier: BSD-3-Clause
"""``smart`` and ``log``."""

from __future__ import annotations

from typing import Any

import click

from pynvme.cli import options
from pynvme.cli.drive import opened
from pynvme.cli.identify import CSI, raw, show


@click.command(epilog="Example: pynvme smart 01:00.0 --json | jq .data.ctemp")
@options.pciaddr
@options.as_json
@raw
@options.words("[ADDRESS]")
def smart(pciaddr: str | None, as_json: bool, raw_binary: bool, words: tuple[str, ...]) -> None:
    """Show the SMART / Health Information log page (02h).

    Temperatures are in Kelvin, and in degrees Celsius behind that. A data unit is 1000 × 512 bytes.
    Base 2.1, section 5.1.12.1.3.
    """
    address, _ = options.drive_of(pciaddr, words)
    with opened(address) as nvme0:
        show(nvme0.smart, {"address": address, "lid": 2}, as_json, raw_binary)


def log_names() -> dict[str, int]:
    """The log pages by their names, those of OCP with ``ocp_`` before it."""
    from pynvme import decode, spec

    ocp = {decode.snake(kind.__name__).removesuffix("_log"): lid for lid, kind in spec.OCP_LOG_PAGES.items()}
    return {**options.named(spec.LogId), **ocp}


@click.command(
    epilog="Example: pynvme log 01:00.0 error   or   pynvme log 01:00.0 C0h --json",
)
@options.pciaddr
@click.option("-n", "--nsid", type=options.Number(32), default=0xFFFFFFFF, metavar="N", help="The namespace.")
@click.option("--lsp", type=options.Number(7), metavar="N", help="Log specific parameter.")
@click.option("--lsi", type=options.Number(16), default=0, metavar="N", help="Log specific identifier.")
@click.option("--csi", type=click.Choice(list(CSI)), default="nvm", help="The I/O command set.")
@click.option("--uuid", type=options.Number(7), metavar="N", help="UUID index (default: OCP's from C0h on).")
@click.option("--size", type=options.Number(32), metavar="BYTES", help="Read only so much.")
@click.option("--clear", is_flag=True, help="Let the read clear the asynchronous event (RAE 0).")
@click.option("--as", "kind", metavar="STRUCTURE", help="Decode it as this, such as SmartLog.")
@click.option("--table", type=click.File(), help="Decode it by a table of its fields.")
@options.as_json
@raw
@options.words("[ADDRESS] LOG")
def log(
    pciaddr: str | None,
    nsid: int,
    lsp: int | None,
    lsi: int,
    csi: str,
    uuid: int | None,
    size: int | None,
    clear: bool,
    kind: str | None,
    table: Any,
    as_json: bool,
    raw_binary: bool,
    words: tuple[str, ...],
) -> None:
    """Read a log page as a whole, and decode it.

    LOG is a number (2, C0h) or a name: error, smart, firmware, effects, self_test, sanitize, ocp_smart …
    """
    address, rest = options.drive_of(pciaddr, words, most=1)
    if not rest:
        raise click.UsageError("Name the log page, such as 2, C0h or smart.")
    lid = options.number_or_name(rest[0], log_names(), "log page", 8)
    from pynvme import log_table

    chosen = log_table.structure(table.read()) if table is not None else kind
    with opened(address) as nvme0:
        found = nvme0.log(
            lid, nsid, lsp=lsp, lsi=lsi, csi=CSI[csi], uuid=uuid, size=size, rae=not clear, as_=chosen
        )
        show(found, {"address": address, "lid": lid}, as_json, raw_binary)
