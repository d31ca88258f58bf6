# SPDX-License-Identifier: BSD-3-Clause
"""``pynvme sed``: self-encrypting drives of TCG Opal, in nvme-cli's words."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from pynvme.cli import options, output
from pynvme.cli.drive import opened
from pynvme.cli.suite import confirm

if TYPE_CHECKING:
    from pynvme.tcg import Opal

PASSWORD_MOST = 32


@click.group(epilog="Example: pynvme sed discover 01:00.0")
def sed() -> None:
    """Lock and unlock a self-encrypting drive (TCG Opal).

    PINs are asked for, unless --password gives one. The commands do what those of `nvme sed` do.
    """


def _password(function: options.Function) -> options.Function:
    return click.option("-p", "--password", metavar="TEXT", help="The PIN of SID and Admin1.")(function)


def _yes(function: options.Function) -> options.Function:
    return click.option("-y", "--yes", is_flag=True, help="Do not ask before data are lost.")(function)


@contextlib.contextmanager
def _drive(pciaddr: str | None, words: tuple[str, ...]) -> Iterator[tuple[str, Opal]]:
    """The address of the drive and its TPer. A TcgError is one line."""
    from pynvme.tcg import Opal, TcgError

    address, _ = options.drive_of(pciaddr, words)
    try:
        with opened(address) as nvme0:
            yield address, Opal(nvme0)
    except TcgError as error:
        raise click.ClickException(str(error)) from None


def _pin(given: str | None, text: str = "Password", confirm: bool = False) -> str:
    if given is None:
        given = str(click.prompt(text, hide_input=True, confirmation_prompt=confirm))
    if not 1 <= len(given.encode()) <= PASSWORD_MOST:
        raise click.UsageError(f"a PIN has 1 to {PASSWORD_MOST} bytes")
    return given


@sed.command(epilog="Example: pynvme sed discover 01:00.0 --json")
@options.pciaddr
@options.as_json
@options.words("[ADDRESS]")
def discover(pciaddr: str | None, as_json: bool, words: tuple[str, ...]) -> None:
    """Show Level 0 Discovery: what the drive can do, and whether it is locked.

    No PIN is needed. TCG Core Specification 2.01, section 3.3.6.
    """
    with _drive(pciaddr, words) as (address, opal):
        level0 = opal.discover()
    features = [
        {"code": code, "version": one.version, "name": one.name, "fields": one.fields, "data": one.data.hex()}
        for code, one in sorted(level0.features.items())
    ]
    if as_json:
        ssc = level0.ssc.name if level0.ssc else None
        output.json({"address": address, "revision": level0.revision, "ssc": ssc, "features": features})
    else:
        click.echo(str(level0))


@sed.command(epilog="Example: pynvme sed initialize 01:00.0 --password secret")
@options.pciaddr
@_password
@options.words("[ADDRESS]")
def initialize(pciaddr: str | None, password: str | None, words: tuple[str, ...]) -> None:
    """Take ownership, activate the Locking SP, and let the global range be locked.

    The PIN becomes that of SID and of Admin1. The drive stays unlocked until `sed lock` or a power cycle.
    """
    with _drive(pciaddr, words) as (_, opal):
        pin = _pin(password, "New password", confirm=True)
        opal.take_ownership(pin)
        opal.activate(pin)
        opal.set_range(0, pin=pin)
    click.echo("initialized")


def _set_locks(name: str, does: str, locked: bool) -> None:
    """Add the command that locks the global range, or unlocks it."""

    @sed.command(name, help=f"{does} the global range.", epilog=f"Example: pynvme sed {name} 01:00.0")
    @options.pciaddr
    @_password
    @options.words("[ADDRESS]")
    def command(pciaddr: str | None, password: str | None, words: tuple[str, ...]) -> None:
        with _drive(pciaddr, words) as (_, opal):
            pin = _pin(password)
            if locked:
                opal.lock(0, pin=pin)
            else:
                opal.unlock(0, pin=pin)
        click.echo(f"{name}ed")


_set_locks("lock", "Lock", True)
_set_locks("unlock", "Unlock", False)


@sed.command(epilog="Example: pynvme sed revert 01:00.0 --psid PSID-OF-THE-LABEL")
@options.pciaddr
@_password
@click.option("-e", "--destructive", is_flag=True, help="Erase the data, also while the drive is locked.")
@click.option("-P", "--psid", metavar="TEXT", help="Erase the data by the PSID of the label.")
@_yes
@options.words("[ADDRESS]")
def revert(
    pciaddr: str | None,
    password: str | None,
    destructive: bool,
    psid: str | None,
    yes: bool,
    words: tuple[str, ...],
) -> None:
    """Return the drive to the state in which it left the factory.

    Without --destructive and --psid the data of the global range stay, which must be unlocked.
    """
    with _drive(pciaddr, words) as (address, opal):
        if destructive or psid is not None:
            confirm(address, yes, "erases all data of")
        if psid is not None:
            opal.revert_psid(psid)
        else:
            pin = _pin(password)
            if not destructive:
                opal.revert_locking(pin, keep_global=True)
            opal.revert(pin)
    click.echo("reverted")


@sed.command("password", epilog="Example: pynvme sed password 01:00.0 --password old --new new")
@options.pciaddr
@_password
@click.option("-n", "--new", metavar="TEXT", help="The new PIN.")
@options.words("[ADDRESS]")
def change(pciaddr: str | None, password: str | None, new: str | None, words: tuple[str, ...]) -> None:
    """Change the PIN of SID and of Admin1."""
    with _drive(pciaddr, words) as (_, opal):
        pin = _pin(password, "Current password")
        wanted = _pin(new, "New password", confirm=True)
        opal.set_pin("Admin1", wanted, pin=pin)
        opal.set_sid_pin(pin, wanted)
    click.echo("changed")
