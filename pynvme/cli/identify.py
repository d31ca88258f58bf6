# SPDX-License-Identifier: BSD-3-Clause
"""``id-ctrl``, ``id-ns`` and ``identify``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from pynvme.cli import options, output
from pynvme.cli.drive import opened

if TYPE_CHECKING:
    from pynvme.structure import Structure

CSI = {"nvm": 0, "kv": 1, "zns": 2}


def raw(function: options.Function) -> options.Function:
    """Add the option --raw-binary, as nvme-cli has it."""
    return click.option(
        "-b", "--raw-binary", is_flag=True, help="Write the bytes as they are to standard output."
    )(function)


def show(found: Structure | bytes, about: dict[str, Any], as_json: bool, raw_binary: bool) -> None:
    """Print a structure, or bytes that pynvme has no structure for."""
    if raw_binary:
        click.echo(bytes(found), nl=False)
    elif isinstance(found, bytes):
        if as_json:
            output.json({**about, "structure": None, "size_bytes": len(found), "data": found.hex()})
        else:
            click.echo(output.dump(found))
    elif as_json:
        output.json({**about, **output.structure(found)})
    else:
        for line in _explained(found):
            click.echo(line)
        click.echo(repr(found))


def _explained(found: Structure) -> Iterator[str]:
    """The entries of the error log, with the names of statuses and fields."""
    from pynvme import spec, status

    if isinstance(found, spec.ErrorLog):
        for entry in found.entries:
            if entry.ecnt:
                yield status.explain(entry)


@click.command("id-ctrl", epilog="Example: pynvme id-ctrl 01:00.0 --json | jq -r .data.sn")
@options.pciaddr
@click.option("--csi", type=click.Choice(list(CSI)), help="The part of this I/O command set.")
@options.as_json
@raw
@options.words("[ADDRESS]")
def id_ctrl(
    pciaddr: str | None, csi: str | None, as_json: bool, raw_binary: bool, words: tuple[str, ...]
) -> None:
    """Show Identify Controller: what the drive is, and what it supports.

    It shows each field with its unit and meaning. A field of bits is a number with the bits that are set.
    Base 2.1, section 5.1.13.2.1.
    """
    from pynvme import decode

    address, _ = options.drive_of(pciaddr, words)
    with opened(address) as nvme0:
        found = decode.identify(nvme0, 1 if csi is None else 6, 0, CSI[csi] if csi else 0)
        show(found, {"address": address}, as_json, raw_binary)


@click.command("id-ns", epilog="Example: pynvme id-ns 01:00.0 -n 2")
@options.pciaddr
@click.option(
    "-n", "--nsid", type=options.Number(32), default=1, show_default=True, metavar="N", help="The namespace."
)
@click.option("--csi", type=click.Choice(list(CSI)), help="The part of this I/O command set.")
@click.option("--independent", is_flag=True, help="The part that all command sets share (CNS 08h).")
@options.as_json
@raw
@options.words("[ADDRESS]")
def id_ns(
    pciaddr: str | None,
    nsid: int,
    csi: str | None,
    independent: bool,
    as_json: bool,
    raw_binary: bool,
    words: tuple[str, ...],
) -> None:
    """Show Identify Namespace: its size, and its LBA formats.

    It shows each field with its unit and meaning. A field of bits is a number with the bits that are set.
    NVM 1.1, section 4.1.5.1.
    """
    from pynvme import decode

    address, _ = options.drive_of(pciaddr, words)
    if csi and independent:
        raise click.UsageError("--csi and --independent are different parts: choose one")
    cns = 8 if independent else 0 if csi is None else 5
    with opened(address) as nvme0:
        found = decode.identify(nvme0, cns, nsid, CSI[csi] if csi else 0)
        show(found, {"address": address, "nsid": nsid}, as_json, raw_binary)


@click.command(epilog="Example: pynvme identify 01:00.0 3 -n 1 shows the identifiers of namespace 1")
@options.pciaddr
@click.option(
    "-n", "--nsid", type=options.Number(32), default=0, show_default=True, metavar="N", help="The namespace."
)
@click.option("--csi", type=options.Number(8), default=0, metavar="N", help="The I/O command set, 2 for ZNS.")
@click.option("--cntid", type=options.Number(16), default=0, metavar="N", help="A controller.")
@click.option("--cdw11", type=options.Number(24), default=0, metavar="N", help="Bits 23:0 of CDW11.")
@options.as_json
@raw
@options.words("[ADDRESS] CNS")
def identify(
    pciaddr: str | None,
    nsid: int,
    csi: int,
    cntid: int,
    cdw11: int,
    as_json: bool,
    raw_binary: bool,
    words: tuple[str, ...],
) -> None:
    """Show what Identify returns for a CNS: a number, or the name of a list.

    \b
    ns 0    ctrl 1       active_ns_list 2    ns_descriptors 3    nvm_set_list 4
    allocated_ns_list 10h      ns_ctrl_list 12h    ctrl_list 13h    uuid_list 17h
    """
    from pynvme import decode, spec

    address, rest = options.drive_of(pciaddr, words, most=1)
    if not rest:
        raise click.UsageError("Name the CNS, such as 2, 17h or uuid_list.")
    with opened(address) as nvme0:
        cns = options.number_or_name(rest[0], options.named(spec.Cns), "CNS", 8)
        found = decode.identify(nvme0, cns, nsid, csi, cntid, cdw11)
        show(found, {"address": address, "cns": cns, "nsid": nsid}, as_json, raw_binary)
