# SPDX-License-Identifier: BSD-3-Clause
"""``python -m pynvme`` runs virtual SSDs, the demonstration and tests of drives, and binds drives."""

from __future__ import annotations

import os
import signal

if __name__ == "__main__" and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    # During the imports, Ctrl-C would print a traceback.
    signal.signal(signal.SIGINT, lambda *_: os._exit(130))

import contextlib
import errno
import sys
from collections.abc import Iterator
from typing import Any, NoReturn

import click

from pynvme import __version__, loading, pci
from pynvme.suite import AREAS
from pynvme.vssd import VirtualSsd, VirtualSsdError, is_private, options

SEVERAL = ("fault",)
"""Options of a virtual SSD that can be given several times."""

USE = """\
A virtual SSD runs in {address}

  python    nvme0 = nvme.Controller("{address}")
  pytest    pytest --pciaddr {address}

One script at a time can have it open. Ctrl-C ends it."""


@contextlib.contextmanager
def _ended_by_ctrl_c() -> Iterator[None]:
    """Let Ctrl-C end the process at once, since an imported package can swallow a KeyboardInterrupt."""

    def end(number: int, frame: object) -> NoReturn:
        os.write(2, b"\ninterrupted\n")
        os._exit(130)

    before = signal.getsignal(signal.SIGINT)
    if callable(before):
        signal.signal(signal.SIGINT, end)
    try:
        yield
    finally:
        if callable(before):
            signal.signal(signal.SIGINT, before)


def _load(name: str) -> Any:
    """Import one of this package's modules that need the driver. If that fails, report the cause."""
    import importlib

    try:
        with _ended_by_ctrl_c():
            return importlib.import_module(f"pynvme.{name}")
    except ImportError as error:
        raise click.ClickException(loading.why(error)) from error


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    """Let Ctrl-C end a command cleanly, with the status 130. Another one does not interrupt the clean-up."""
    try:
        yield
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        click.echo("\ninterrupted", err=True)
        sys.exit(130)
    except OSError as error:
        if error.errno == errno.EPIPE:
            raise  # click exits silently if the output is closed
        raise click.ClickException(str(error)) from error


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="pynvme")
def main() -> None:
    """Test NVMe SSDs with Python scripts: a driver, and a virtual SSD to begin with."""
    if callable(signal.getsignal(signal.SIGINT)):
        signal.signal(signal.SIGINT, signal.default_int_handler)


class _VssdCommand(click.Command):
    """A command with the options of the virtual SSD's program."""

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Ask the program for its options only when they are needed, since other commands do not need it."""
        try:
            known = options()
        except (OSError, VirtualSsdError) as error:
            raise click.ClickException(str(error)) from error
        for name, option in known.items():
            if not any(one.name == name for one in self.params):
                self.params.append(
                    click.Option(
                        [f"--{name.replace('_', '-')}"],
                        help=option.help,
                        is_flag=not option.takes,
                        multiple=name in SEVERAL,
                        metavar=option.takes or None,
                    )
                )
        return super().get_params(ctx)


@main.command(cls=_VssdCommand)
@click.option(
    "--bug",
    multiple=True,
    metavar="NAME",
    help="plant a bug; can be given several times; python -m pynvme bugs lists them",
)
def vssd(**chosen: Any) -> None:
    """Run a virtual SSD until Ctrl-C.

    It is an NVMe controller in software behind a vfio-user socket. It prints its folder, which is the
    address by which scripts open it.
    """
    _end_by_signals()
    wanted = {name: value for name, value in chosen.items() if value not in (None, False, ())}
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
    """Let SIGINT and SIGTERM end a drive cleanly. A shell's background jobs start with SIGINT ignored."""

    def end(number: int, frame: object) -> NoReturn:
        for again in (signal.SIGINT, signal.SIGTERM):
            signal.signal(again, signal.SIG_IGN)
        raise KeyboardInterrupt

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)


def _function(address: str) -> str:
    bdf = pci.normal(address)
    if bdf is None:
        raise click.ClickException(f"{address} is no PCIe address: 01:00.0 or 0000:01:00.0")
    return bdf


@main.command()
@click.argument("addresses", nargs=-1, metavar="[ADDRESS]...")
@click.option(
    "--restore",
    is_flag=True,
    help="Rebind drives to the kernel's driver: those that bind, or a killed script, left bound.",
)
@click.option(
    "--user", default="", help="The user who may then open the drives (default: the one who called sudo)."
)
def bind(addresses: tuple[str, ...], restore: bool, user: str) -> None:
    """Bind drives to vfio-pci for a user who is not root. Needs root.

    ADDRESS is the address of a PCIe function, such as 01:00.0. If one of the drives is in use, none is bound.
    Name all functions of an IOMMU group in one command. Scripts that root runs do not need this: they bind
    the drive when they open it, and rebind it to the kernel's driver when they end. Without an IOMMU the
    driver is uio_pci_generic, and only root can use the drive.
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
    except (OSError, LookupError, pci.DriveError) as error:
        raise click.ClickException(str(error)) from error


@main.command()
@click.option("--pciaddr", default="vssd", show_default=True, help="Address of the drive.")
@click.option(
    "--seconds", type=click.IntRange(min=3), default=15, show_default=True, help="How long the workloads run."
)
@click.option("--yes", is_flag=True, help="Overwrite data of the drive without asking.")
def run(pciaddr: str, seconds: int, yes: bool) -> None:
    """Describe a drive and run verified workloads on it.

    The workloads overwrite data of the drive. Unless it is a private virtual SSD, the command asks first.
    """
    private = is_private(pciaddr)
    if not (private or yes):
        click.confirm(
            f"This overwrites data at the beginning of the drive {pciaddr}. Go on?", abort=True, err=True
        )
    with _interruptible():
        demo = _load("demo")
        try:
            code = demo.run(pciaddr, seconds, private)
        except demo.nvme.NvmeEnumerateError as error:
            raise click.ClickException(str(error)) from error
    sys.exit(code)


@main.command()
@click.option("--pciaddr", default="vssd", show_default=True, help="Address of the drive.")
@click.option("--area", "areas", multiple=True, type=click.Choice(list(AREAS)), help="Only this area.")
@click.option("--time", metavar="TIME", help="How long all tests take together, such as 10m (about 90s).")
@click.option("--seed", type=int, help="Repeat the random numbers of an earlier run.")
@click.option("--report", type=click.Path(dir_okay=False), help="Write a line of JSON for each test.")
@click.option(
    "--known", type=click.Path(exists=True, dir_okay=False), help="Expect the findings that this file lists."
)
@click.option(
    "--shrink",
    metavar="TIME",
    help="How long the search for a short script of each finding may take (20s), or 0.",
)
@click.option("--yes", is_flag=True, help="Overwrite data of the drive without asking.")
@click.argument("tests", nargs=-1, metavar="[TEST]...")
def check(
    pciaddr: str,
    areas: tuple[str, ...],
    time: str | None,
    seed: int | None,
    report: str | None,
    known: str | None,
    shrink: str | None,
    yes: bool,
    tests: tuple[str, ...],
) -> None:
    """Look for bugs of a drive.

    TEST is the name of a test, by default all tests of the area. docs/suite.md lists them. The exit code is 1
    if there is a finding.

    The tests overwrite, format and erase the drive, reset it and switch its power. Unless it is a private
    virtual SSD, the command asks first.
    """
    if not (is_private(pciaddr) or yes):
        click.confirm(
            f"This overwrites, formats and erases the drive {pciaddr}. Go on?", abort=True, err=True
        )
    with _interruptible():
        code = _load("suite.check").run(
            pciaddr, areas or tuple(AREAS), time, seed, report, known, tests, shrink
        )
    sys.exit(code)


@main.command()
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
def bugs(name: str | None, as_json: bool) -> None:
    """List the bugs that a virtual SSD can have, or explain one.

    NAME is the name or the number of a bug. "python -m pynvme vssd --bug NAME" starts a virtual SSD that has
    it, and "vssd:bug=NAME" is the address of one.
    """
    from pynvme.bugs import listing

    try:
        click.echo(listing.text(name, as_json))
    except ValueError as error:
        raise click.ClickException(str(error)) from error


@main.command()
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
def doctor(as_json: bool) -> None:
    """Describe this build and this machine: engines, versions, hugepages, IOMMU, modules, locked memory.

    It opens no drive and changes nothing. The exit code is 1 if the driver does not load, or lacks the engine
    that PYNVME_ENGINE selects.
    """
    from pynvme import doctor as _doctor

    sys.exit(_doctor.main(as_json))


if __name__ == "__main__":
    main(prog_name="python -m pynvme")
