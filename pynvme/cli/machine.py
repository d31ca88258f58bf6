# SPDX-License-Identifier: BSD-3-Clause
"""Commands about this machine: ``list``, ``bind``, ``unbind``, ``doctor``."""

from __future__ import annotations

import os
import sys
from typing import Any

import click

from pynvme import pci
from pynvme.cli import options, output


@click.command("list", epilog="Example: pynvme list --json | jq '.drives[] | select(.can_open)'")
@options.as_json
def list_drives(as_json: bool) -> None:
    """List the NVMe drives of this machine, and the virtual SSDs that run.

    Of each drive it shows the driver, and whether pynvme can open it: who uses it (mounts, swap, RAID, LVM,
    processes), what else is in its IOMMU group, and whether this needs root. It opens no drive.
    """
    from pynvme.cli import found

    record = {"drives": found.drives(pci.Machine()), "virtual_ssds": found.virtual_ssds()}
    if as_json:
        output.json(record)
        return
    lines = [*_drives(record["drives"]), *_virtual(record["virtual_ssds"])]
    click.echo("\n".join(lines) or "no NVMe drive, and no virtual SSD runs: pynvme vssd starts one")


def _drives(drives: list[dict[str, Any]]) -> list[str]:
    lines = []
    for drive in drives:
        named = [drive["model"], drive["serial"] and f"SN {drive['serial']}", drive["firmware"]]
        about = ", ".join(text for text in named if text) or "NVMe controller"
        lines.append(f"{drive['address']}  {about}, driver {drive['driver'] or 'none'}")
        for disk in drive["namespaces"]:
            size = output.size(disk["size_bytes"])
            lines.append(f"    {disk['name']}, {size}, LBAs of {disk['lba_size_bytes']} bytes")
        lines += [f"    cannot be opened: {text}" for text in drive["obstacles"]]
        lines += ["    can be opened"] if drive["can_open"] else []
    return lines


def _virtual(drives: list[dict[str, Any]]) -> list[str]:
    lines = []
    for drive in drives:
        power = "" if drive["powered"] else ", power off"
        size = f"{drive['namespaces']} × {output.size(drive['size_bytes'])}"
        lines.append(f"{drive['address']}  virtual SSD, process {drive['pid']}, {size}{power}")
        lines += [f"    open in {user}" for user in drive["users"]] or ["    can be opened"]
    return lines


def _function(address: str) -> str:
    bdf = pci.normal(address)
    if bdf is None:
        raise click.ClickException(f"{address} is no PCIe address: 01:00.0 or 0000:01:00.0")
    return bdf


_complete = options.completing(options.functions)


@click.command(epilog="Example: sudo pynvme bind 01:00.0 02:00.0 --user $USER")
@click.argument("addresses", nargs=-1, metavar="[ADDRESS]...", shell_complete=_complete)
@click.option(
    "--restore",
    is_flag=True,
    help="Rebind drives to the kernel's driver: those that bind, or a killed script, left bound.",
)
@click.option("--user", default="", help="Who may then open them (default: the one who called sudo).")
def bind(addresses: tuple[str, ...], restore: bool, user: str) -> None:
    """Bind drives to vfio-pci for a user who is not root. Needs root.

    ADDRESS is a PCIe function, such as 01:00.0. If one of the drives is in use, none is bound. Name all
    functions of an IOMMU group in one command. Scripts that root runs do not need this: they bind the drive
    when they open it, and rebind it to the kernel's driver when they end. Without an IOMMU the driver is
    uio_pci_generic, and only root can use the drive.
    """
    if not (addresses or restore):
        raise click.UsageError("Name the drive to bind, such as 01:00.0, or give --restore.")
    machine = pci.Machine()
    try:
        bdfs = [_function(address) for address in addresses]
        caller = os.environ.get("SUDO_USER", "") if all(map(machine.group, bdfs)) else ""
        machine.bind(*bdfs, user=user or caller)
        for bdf in bdfs:
            click.echo(f"{bdf} is bound to {machine.driver(bdf)}, {machine.file(bdf)}")
        for line in machine.restore() if restore else []:
            click.echo(line)
    except LookupError as error:  # there is no such user
        raise click.ClickException(str(error)) from error


@click.command(epilog="Example: sudo pynvme unbind 01:00.0")
@click.argument("addresses", nargs=-1, required=True, metavar="ADDRESS...", shell_complete=_complete)
def unbind(addresses: tuple[str, ...]) -> None:
    """Rebind drives to the kernel's nvme driver, whoever has bound them to another one.

    It needs root. If a process has one of the drives open, none is rebound.
    """
    machine = pci.Machine()
    bdfs = [_function(address) for address in addresses]
    machine.unbind(*bdfs)
    for bdf in bdfs:
        click.echo(f"{bdf} is bound to {machine.driver(bdf) or 'no driver'}")


@click.command(epilog="Example: pynvme doctor --json")
@options.as_json
def doctor(as_json: bool) -> None:
    """Describe this build and this machine, and how to mend what is missing.

    It looks at engines, versions, hugepages, IOMMU, modules, the memory that may be locked, permissions and
    drives. It opens no drive and changes nothing. The exit code is 1 if the driver does not load, or lacks
    the engine that PYNVME_ENGINE selects.
    """
    from pynvme import doctor as _doctor

    sys.exit(_doctor.main(as_json))
