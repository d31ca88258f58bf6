# SPDX-License-Identifier: BSD-3-Clause
"""``list-ns``, ``create-ns``, ``delete-ns``, ``attach-ns`` and ``detach-ns``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pynvme.cli import options, output
from pynvme.cli.drive import opened
from pynvme.cli.send import completion, report
from pynvme.cli.suite import confirm

if TYPE_CHECKING:
    pass

ACTIVE, ALLOCATED = 2, 0x10
"""CNS of the two lists."""


@click.command("list-ns", epilog="Example: pynvme list-ns 01:00.0 --all")
@options.pciaddr
@click.option("-a", "--all", "allocated", is_flag=True, help="Also those that are not attached.")
@options.as_json
@options.words("[ADDRESS]")
def list_ns(pciaddr: str | None, allocated: bool, as_json: bool, words: tuple[str, ...]) -> None:
    """List the NSIDs of the active namespaces, or of all that exist.

    Base 2.1, sections 5.1.13.2.2 and 5.1.13.2.9.
    """
    from pynvme import decode, spec

    address, _ = options.drive_of(pciaddr, words)
    cns = ALLOCATED if allocated else ACTIVE
    with opened(address) as nvme0:
        found = decode.identify(nvme0, cns)
        assert isinstance(found, spec.NamespaceList)
        if as_json:
            output.json({"address": address, "cns": cns, "nsid": 0, **output.structure(found)})
        else:
            for nsid in found.nsid:
                if nsid:
                    click.echo(f"{nsid}")


def _without_hyphens(name: str) -> str:
    """Take --anagrp-id, --nvmset-id and --endg-id, too, as newer versions of nvme-cli have them."""
    return name.replace("-", "")


def _handles(number: int | None, text: str | None) -> list[int]:
    """The reclaim unit handles, of which --nphndls says again how many there are, as for nvme-cli."""
    try:
        handles = [int(one, 0) for one in text.split(",")] if text else []
    except ValueError:
        raise click.UsageError(f"--phndls must be numbers, as in 0,2,5, and not {text}") from None
    if number is not None and number != len(handles):
        raise click.UsageError(f"--nphndls says {number} handles, but --phndls has {len(handles)}")
    return handles


@click.command(
    "create-ns",
    epilog="Example: pynvme create-ns 01:00.0 --nsze 0x100000 --flbas 1",
    context_settings={"token_normalize_func": _without_hyphens},
)
@options.pciaddr
@click.option("-s", "--nsze", type=options.Number(64), required=True, metavar="N", help="The size in LBAs.")
@click.option("-c", "--ncap", type=options.Number(64), metavar="N", help="The capacity (default: the size).")
@options.number("-f", "--flbas", bits=8, text="The LBA format.")
@options.number("-d", "--dps", bits=8, text="Protection information.")
@options.number("-m", "--nmic", bits=8, text="1: several controllers can be attached.")
@options.number("-a", "--anagrpid", bits=32, text="The ANA group.")
@options.number("-i", "--nvmsetid", bits=16, text="The NVM set.")
@options.number("-e", "--endgid", bits=16, text="The endurance group.")
@options.number("-y", "--csi", bits=8, text="The I/O command set.")
@options.number("-r", "--rar", bits=32, text="Active zones of a zoned namespace.")
@options.number("-O", "--ror", bits=32, text="Open zones of a zoned namespace.")
@click.option(
    *("-u", "--rnumzrwa"),
    type=options.Number(32),
    hidden=True,
)
@options.number("-l", "--lbstm", bits=64, text="The bits of the storage tag that are checked.")
@click.option("-n", "--nphndls", type=options.Number(16), hidden=True)
@click.option(
    "-p", "--phndls", metavar="LIST", help="Reclaim unit handles of its placement handles, as 0,2,5."
)
@options.as_json
@options.words("[ADDRESS]")
def create_ns(
    pciaddr: str | None,
    nsze: int,
    ncap: int | None,
    nphndls: int | None,
    phndls: str | None,
    as_json: bool,
    words: tuple[str, ...],
    **fields: int,
) -> None:
    """Create a namespace, not attached yet, and show its NSID (Base 2.1, 5.1.21)."""
    address, _ = options.drive_of(pciaddr, words)
    handles = _handles(nphndls, phndls)
    with opened(address) as nvme0:
        done = completion(nvme0, lambda cb: nvme0.ns_create(nsze, ncap, phndls=handles, **fields, cb=cb))
        report(nvme0, address, 0x0D, done, as_json, f"created namespace {done['cdw0']}")


@click.command("delete-ns", epilog="Example: pynvme delete-ns 01:00.0 -n 2 --yes")
@options.pciaddr
@options.namespace(required=True)
@click.option("--yes", is_flag=True, help="Delete it without asking.")
@options.as_json
@options.words("[ADDRESS]")
def delete_ns(pciaddr: str | None, nsid: int, yes: bool, as_json: bool, words: tuple[str, ...]) -> None:
    """Delete a namespace and its data, or all if N is FFFFFFFFh.

    Base 2.1, section 5.1.21.
    """
    address, _ = options.drive_of(pciaddr, words)
    confirm(address, yes, "deletes data of")
    with opened(address) as nvme0:
        done = completion(nvme0, lambda cb: nvme0.ns_delete(nsid, cb=cb))
        report(nvme0, address, 0x0D, done, as_json, f"deleted namespace {nsid}")


def _attachment(
    method: str,
    pciaddr: str | None,
    nsid: int,
    controllers: str | None,
    as_json: bool,
    words: tuple[str, ...],
) -> None:
    """Attach or detach a namespace."""
    address, _ = options.drive_of(pciaddr, words)
    try:
        cntlids = [int(one, 0) for one in controllers.split(",")] if controllers else None
    except ValueError:
        raise click.UsageError(f"--controllers takes numbers like 1,2, not {controllers}") from None
    with opened(address) as nvme0:
        done = completion(nvme0, lambda cb: getattr(nvme0, method)(nsid, cntlids, cb=cb))
        report(nvme0, address, 0x15, done, as_json, f"{method[3:]}ed namespace {nsid}")


def _controllers(function: options.Function) -> options.Function:
    return click.option(
        "-c", "--controllers", metavar="N,…", help="The controllers, by CNTLID (default: this one)."
    )(function)


@click.command("attach-ns", epilog="Example: pynvme attach-ns 01:00.0 -n 2")
@options.pciaddr
@options.namespace(required=True)
@_controllers
@options.as_json
@options.words("[ADDRESS]")
def attach_ns(
    pciaddr: str | None, nsid: int, controllers: str | None, as_json: bool, words: tuple[str, ...]
) -> None:
    """Attach a namespace to controllers, so that hosts can use it.

    Base 2.1, section 5.1.20.
    """
    _attachment("ns_attach", pciaddr, nsid, controllers, as_json, words)


@click.command("detach-ns", epilog="Example: pynvme detach-ns 01:00.0 -n 2")
@options.pciaddr
@options.namespace(required=True)
@_controllers
@options.as_json
@options.words("[ADDRESS]")
def detach_ns(
    pciaddr: str | None, nsid: int, controllers: str | None, as_json: bool, words: tuple[str, ...]
) -> None:
    """Detach a namespace from controllers. It keeps its data.

    Base 2.1, section 5.1.20.
    """
    _attachment("ns_detach", pciaddr, nsid, controllers, as_json, words)
