# SPDX-License-Identifier: BSD-3-Clause
"""``python -m pynvme``: run a virtual SSD by hand, the demonstration, the measurements."""

from __future__ import annotations

import os
import signal
import sys
from typing import Any, NoReturn

import click

from pynvme import __version__, pci
from pynvme.vssd import FLAGS, OPTIONS, VirtualSsd, VirtualSsdError, is_private

USE = """\
A virtual SSD runs in {address}

  python    nvme0 = nvme.Controller("{address}")
  pytest    pytest --pciaddr {address}

One script at a time can have it open. Ctrl-C ends it."""


def _load(name: str) -> Any:
    """Import one of this package's modules that need the driver; tell what to do where it is missing."""
    import importlib

    try:
        return importlib.import_module(f"pynvme.{name}")
    except ImportError as error:
        raise click.ClickException(
            f"{error}. The driver is not built for this Python: 'make build' in a checkout builds it, "
            "'pip install .' installs it with what it needs."
        ) from error


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="pynvme")
def main() -> None:
    """Test NVMe SSDs with Python scripts: a driver, and a virtual SSD to begin with."""


@main.command()
def vssd(**options: Any) -> None:
    """Run a virtual SSD until Ctrl-C.

    It is a real NVMe controller behind a vfio-user socket: scripts open it by the folder that is printed.
    """
    _end_by_signals()
    wanted = {name: value for name, value in options.items() if value not in (None, False)}
    try:
        with VirtualSsd(**wanted) as drive:
            click.echo(USE.format(address=drive.address))
            drive.wait()
    except KeyboardInterrupt:
        if sys.stdout.isatty():
            click.echo()
        return
    except (OSError, ValueError, VirtualSsdError) as error:
        raise click.ClickException(str(error)) from error
    raise click.ClickException("the virtual SSD has ended by itself")


def _end_by_signals() -> None:
    """Let SIGINT and SIGTERM end a drive in order. A shell's background jobs start with SIGINT ignored."""

    def end(number: int, frame: object) -> NoReturn:
        for again in (signal.SIGINT, signal.SIGTERM):
            signal.signal(again, signal.SIG_IGN)
        raise KeyboardInterrupt

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)


for _name, _text in OPTIONS.items():
    vssd.params.append(
        click.Option([f"--{_name.replace('_', '-')}"], help=_text, is_flag=_name in FLAGS, metavar="VALUE")
    )


def _function(address: str) -> str:
    bdf = pci.normal(address)
    if bdf is None:
        raise click.ClickException(f"{address} is no PCIe address: 01:00.0 or 0000:01:00.0")
    return bdf


@main.command()
@click.argument("addresses", nargs=-1, metavar="[ADDRESS]...")
@click.option("--restore", is_flag=True, help="Give back what was bound here, and what killed scripts left.")
@click.option(
    "--user", default="", help="Whose they are then: the one who calls sudo, where there is an IOMMU."
)
def bind(addresses: tuple[str, ...], restore: bool, user: str) -> None:
    """Bind drives to vfio-pci, for scripts of a user who is not root; needs root.

    ADDRESS is that of a PCIe function, 01:00.0. A drive that is in use is refused, and then none is bound.
    Functions that share an IOMMU group are bound by one command. Scripts that root runs need no such
    preparation: they take the drive that they open, and give it back. Where there is no IOMMU the driver is
    uio_pci_generic, and only root can use the drive.
    """
    machine = pci.Machine()
    try:
        bdfs = [_function(address) for address in addresses]
        caller = os.environ.get("SUDO_USER", "") if all(map(machine.group, bdfs)) else ""
        machine.bind(*bdfs, user=user or caller)
        for bdf in bdfs:
            click.echo(f"{bdf} is bound to {machine.driver(bdf)}, {machine.file(bdf)}")
        for line in machine.restore() if restore else []:
            click.echo(line)
    except (OSError, LookupError, pci.DriveError) as error:
        raise click.ClickException(str(error)) from error


@main.command()
@click.option("--pciaddr", default="vssd", show_default=True, help="Address of the drive.")
@click.option("--seconds", type=click.IntRange(min=3), default=15, show_default=True, help="Length.")
@click.option("--yes", is_flag=True, help="Do not ask before data of a drive are overwritten.")
def run(pciaddr: str, seconds: int, yes: bool) -> None:
    """Show what a drive is and run verified workloads on it.

    They write to the drive: one that is not a virtual SSD of our own needs --yes.
    """
    demo = _load("demo")
    private = is_private(pciaddr)
    if not (private or yes):
        click.confirm(
            f"This overwrites data at the beginning of the drive {pciaddr}. Go on?", abort=True, err=True
        )
    try:
        sys.exit(demo.run(pciaddr, seconds, private))
    except demo.nvme.NvmeEnumerateError as error:
        raise click.ClickException(str(error)) from error
    except KeyboardInterrupt:
        click.echo("\ninterrupted", err=True)
        sys.exit(130)


@main.command()
@click.option(
    "--json", "json_file", type=click.Path(dir_okay=False, writable=True), help="Write the figures here."
)
@click.option("--markdown", "markdown_file", type=click.Path(dir_okay=False, writable=True), help="And here.")
@click.option("--runs", type=click.IntRange(min=1), default=5, show_default=True, help="Runs of each.")
@click.option(
    "--seconds", type=click.FloatRange(0.05), help="Length of a run of a worker (0.5; 0.3 with --quick)."
)
@click.option("--quick", is_flag=True, help="Only the figures that have a mark.")
@click.option(
    "--only",
    default="",
    metavar="PATTERN",
    help="Only the figures of that name: read.4k, python, *.ratio",
)
def bench(
    json_file: str | None, markdown_file: str | None, runs: int, seconds: float | None, quick: bool, only: str
) -> None:
    """Measure the driver on a virtual SSD: IO workers, commands from Python, opening, memory.

    Everything takes some ten minutes, --quick three. Names of figures: see the JSON file.
    """
    module = _load("bench")
    plan = module.Plan.usual(runs, seconds, quick, only)
    try:
        sys.exit(module.run(plan, json_file, markdown_file))
    except KeyboardInterrupt:
        click.echo("\ninterrupted", err=True)
        sys.exit(130)


if __name__ == "__main__":
    main(prog_name="python -m pynvme")
