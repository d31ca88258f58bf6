# SPDX-License-Identifier: BSD-3-Clause
"""``pynvme lab``: this host as a part of a lab, with its drives."""

from __future__ import annotations

import os
from pathlib import Path

import click


@click.group(epilog="Example: pynvme lab worker tls://lab:8786 --tls certificates")
def lab() -> None:
    """Make this host a part of a lab: offer its drives to campaigns, or to labgrid."""


@lab.command(epilog="Example: pynvme lab worker tls://lab:8786 --tls certificates --tag rack=7")
@click.argument("address")
@click.option("--tls", metavar="DIR", help="The certificates, made by pynvme lab certificates.")
@click.option("--insecure", is_flag=True, help="Connect beyond this host without TLS.")
@click.option(
    "--vssd", type=click.IntRange(0), metavar="N", help="Virtual SSDs at a time (default: CPUs / 2)."
)
@click.option("--tag", "tags", multiple=True, metavar="TEXT", help="A tag of all drives of this host.")
def worker(address: str, tls: str | None, insecure: bool, vssd: int | None, tags: tuple[str, ...]) -> None:
    """Offer the drives of this host to campaigns, until Ctrl-C or SIGTERM.

    ADDRESS is that of a scheduler of Dask, which `dask scheduler` starts. The drives are those of
    pynvme list that can be opened, and virtual SSDs, two CPUs each. If the scheduler is gone, it connects
    again when the scheduler is back.
    """
    from pynvme.lab import worker as _worker

    _worker.run(address, folder=tls, insecure=insecure, vssd=vssd, tags=tags)


@lab.command(epilog="Example: pynvme lab export --output drives.yaml && labgrid-exporter drives.yaml")
@click.option("--output", "path", metavar="FILE", help="Write a file instead of standard output.")
@click.option("--virtual", is_flag=True, help="Also the virtual SSDs that run.")
@click.option("--host", metavar="NAME", help="The name of this host (default: its host name).")
def export(path: str | None, virtual: bool, host: str | None) -> None:
    """Write the drives of this host as a file for labgrid-exporter.

    Each drive that can be opened becomes a group, named by its address, with a resource NVMeDrive.
    """
    from pynvme.lab import export as _export

    drives = _export.drives(virtual)
    if not drives:
        raise click.ClickException("no drive here can be opened: `pynvme list` says why")
    text = _export.text(drives, host)
    if path is None:
        click.echo(text, nl=False)
        return
    new = Path(f"{path}.new")
    new.write_text(text)
    os.replace(new, path)
    click.echo(f"{path}: {len(drives)} drives")


@lab.command(epilog="Example: pynvme lab certificates lab-tls --host lab --host node1 --host 10.0.0.7")
@click.argument("folder", metavar="DIR")
@click.option(
    "--host", "hosts", multiple=True, metavar="NAME", help="A host of the lab: its name or IP address."
)
@click.option("--days", default=365, show_default=True, metavar="N", help="How long they are valid.")
def certificates(folder: str, hosts: tuple[str, ...], days: int) -> None:
    """Make the certificates by which the hosts of a lab know each other.

    Copy DIR to each host. Scheduler, workers and clients accept only each other, by TLS. The key that signs
    them is not kept: for another lab, or when they expire, make new ones.
    """
    from pynvme.lab import certificates as _certificates

    files = _certificates.make(folder, hosts, days)
    click.echo(f"{len(files)} files in {folder}, valid for {days} days. Start the scheduler with:\n")
    click.echo(f"  {_certificates.scheduler_command(folder)}")
