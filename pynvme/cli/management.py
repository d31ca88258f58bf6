# SPDX-License-Identifier: BSD-3-Clause
"""``pynvme mi`` asks the Management Interface, in band, or out of band at the folder of a virtual SSD."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from pynvme.cli import options, output
from pynvme.cli.drive import opened

if TYPE_CHECKING:
    from pynvme.mi import Mctp, Mi
    from pynvme.structure import Structure

PRIMITIVES = ("pause", "resume", "abort", "get-state", "replay")


@click.group(epilog="Example: pynvme mi info 01:00.0   or   pynvme mi info /tmp/drive --mctp")
def mi() -> None:
    """Ask the Management Interface (NVMe-MI 2.0), in band, or out of band with --mctp."""


def _mctp(function: options.Function) -> options.Function:
    return click.option(
        "--mctp",
        is_flag=True,
        help="Send messages to the endpoint of a virtual SSD, whose folder is ADDRESS.",
    )(function)


@contextmanager
def _interface(address: str, mctp: bool) -> Iterator[Mi]:
    """Open the interface of a drive."""
    from pynvme.mi import Mi

    if mctp:
        with _endpoint(address) as endpoint:
            yield Mi(endpoint)
    else:
        with opened(address) as nvme0:
            yield Mi(nvme0)


@contextmanager
def _endpoint(address: str) -> Iterator[Mctp]:
    from pynvme.mi import Mctp

    if not os.path.isdir(address):
        raise click.UsageError("--mctp takes the folder of a virtual SSD, as `pynvme vssd --dir` has it")
    with Mctp(address) as endpoint:
        yield endpoint


def _show(parts: dict[str, list[Structure]], as_json: bool, address: str) -> None:
    """Print structures by their names."""
    if as_json:
        made = {name: [output.plain(one) for one in part] for name, part in parts.items()}
        output.json({"address": address, "data": made})
        return
    for name, part in parts.items():
        for one in part:
            click.echo(f"{name}\n{one}")


@mi.command(epilog="Example: pynvme mi info 01:00.0 --json")
@options.pciaddr
@_mctp
@options.as_json
@options.words("[ADDRESS]")
def info(pciaddr: str | None, mctp: bool, as_json: bool, words: tuple[str, ...]) -> None:
    """Show the subsystem, its port, its controllers, and the health of all of them."""
    address, _ = options.drive_of(pciaddr, words)
    with _interface(address, mctp) as interface:
        parts: dict[str, list[Structure]] = {
            "subsystem": [interface.subsystem()],
            "port": [interface.port()],
            "controllers": [interface.controller(one) for one in interface.controllers()],
            "subsystem_health": [interface.subsystem_health()],
            "controller_health": [*interface.controller_health()],
        }
        _show(parts, as_json, address)


@mi.command(epilog="Example: pynvme mi config /tmp/drive --mctp --unit 128")
@options.pciaddr
@_mctp
@click.option("--unit", type=options.Number(16), help="Set the MCTP transmission unit, in bytes.")
@click.option(
    "--frequency", type=options.Number(4), help="Set the SMBus frequency: 1 100, 2 400, 3 1000 kHz."
)
@click.option("--clear", is_flag=True, help="Clear the changes that the health polls report.")
@options.words("[ADDRESS]")
def config(
    pciaddr: str | None,
    mctp: bool,
    unit: int | None,
    frequency: int | None,
    clear: bool,
    words: tuple[str, ...],
) -> None:
    """Show the configuration, after changes that the options ask for."""
    from pynvme.spec.mi import MiConfiguration

    address, _ = options.drive_of(pciaddr, words)
    with _interface(address, mctp) as interface:
        if unit is not None:
            interface.configure(MiConfiguration.TRANSMISSION_UNIT, unit)
        if frequency is not None:
            interface.configure(MiConfiguration.SMBUS_FREQUENCY, frequency)
        if clear:
            interface.configure(MiConfiguration.HEALTH_STATUS_CHANGE)
        if not mctp:
            click.echo("SMBus frequency and MCTP transmission unit: only out of band (--mctp)")
            return
        click.echo(f"SMBus frequency      {interface.configuration(MiConfiguration.SMBUS_FREQUENCY)}")
        click.echo(f"transmission unit    {interface.configuration(MiConfiguration.TRANSMISSION_UNIT)} bytes")


@mi.command(epilog="Example: pynvme mi vpd 01:00.0 | xxd")
@options.pciaddr
@_mctp
@options.words("[ADDRESS]")
def vpd(pciaddr: str | None, mctp: bool, words: tuple[str, ...]) -> None:
    """Print the Vital Product Data, 256 bytes, as they are."""
    address, _ = options.drive_of(pciaddr, words)
    with _interface(address, mctp) as interface:
        click.echo(interface.vpd(), nl=False)


@mi.command("control-primitive", epilog="Example: pynvme mi control-primitive /tmp/drive -a get-state")
@click.option("-a", "--action", type=click.Choice(PRIMITIVES), required=True, help="Which one.")
@click.option("--slot", type=click.IntRange(0, 1), default=0, show_default=True, help="The command slot.")
@options.words("FOLDER")
def control_primitive(action: str, slot: int, words: tuple[str, ...]) -> None:
    """Send a control primitive to the endpoint of a virtual SSD, and print its result (CPSR)."""
    address, _ = options.drive_of(None, words)
    with _endpoint(address) as endpoint:
        if action == "get-state":
            click.echo(repr(endpoint.get_state(slot)))
        else:
            result = endpoint.primitive(PRIMITIVES.index(action), slot=slot)
            click.echo(f"{action}: {result:#06x}")
