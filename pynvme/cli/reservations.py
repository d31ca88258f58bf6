# SPDX-License-Identifier: BSD-3-Clause
"""``resv-register``, ``resv-acquire``, ``resv-release`` and ``resv-report``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from pynvme.cli import errors, options, output
from pynvme.cli.drive import opened
from pynvme.cli.send import completion, explained, line, report

if TYPE_CHECKING:
    import nvme

HOST_ID, EXHID = 0x81, 1


def _common(function: options.Function) -> options.Function:
    host = click.option(
        *("-H", "--host-id"),
        metavar="HEX",
        help="Set this Host Identifier first: 16 or 32 hexadecimal digits.",
    )
    return options.pciaddr(options.namespace()(host(options.as_json(options.words("[ADDRESS]")(function)))))


def _identifier(text: str | None) -> bytes:
    """The bytes of a Host Identifier, or none."""
    if text is None:
        return b""
    try:
        found = bytes.fromhex(text)
    except ValueError:
        found = b""
    if len(found) not in (8, 16):
        raise click.UsageError(f"--host-id takes 16 or 32 hexadecimal digits, not {text}")
    return found


def _identify(nvme0: nvme.Controller, identifier: bytes) -> None:
    """Tell the controller which host it has."""
    if not identifier:
        return
    buf = errors.load("nvme").Buffer(len(identifier), "host identifier")
    buf[:] = identifier
    wide = EXHID if len(identifier) == 16 else 0
    nvme0.setfeatures(HOST_ID, cdw11=wide, buf=buf).waitdone()


def _run(
    address: str,
    opcode: int,
    nsid: int,
    host_id: str | None,
    as_json: bool,
    method: str,
    **fields: Any,
) -> None:
    """Send a command with keys, print how it ended, and exit with 1 if it failed."""
    identifier = _identifier(host_id)
    driver = errors.load("nvme")
    with opened(address) as nvme0:
        _identify(nvme0, identifier)
        qpair, ns = driver.Qpair(nvme0, 16), driver.Namespace(nvme0, nsid)
        done = completion(qpair, lambda cb: getattr(ns, method)(qpair, **fields, cb=cb))
        report(nvme0, address, opcode, done, as_json, "done")


@click.command("resv-register", epilog="Example: pynvme resv-register 01:00.0 --nrkey 0x1234 --cptpl 3")
@_common
@options.number("-c", "--crkey", "key", bits=64, text="The key that the host has.")
@options.number("-k", "--nrkey", "new_key", bits=64, text="The new key.")
@options.number("-r", "--rrega", "action", bits=3, text="0 register, 1 unregister, 2 replace.")
@options.number("-p", "--cptpl", "persist", bits=2, text="2: end with a power loss, 3: persist.")
@click.option("-i", "--iekey", "ignore_key", is_flag=True, help="Ignore the existing key.")
def resv_register(
    pciaddr: str | None,
    nsid: int,
    host_id: str | None,
    as_json: bool,
    words: tuple[str, ...],
    **fields: Any,
) -> None:
    """Register a reservation key for the host, replace it, or end the registration.

    A drive forgets the registration of a host without an identifier when pynvme resets it for the next
    command, so give --host-id. Base 2.1, section 7.6.
    """
    address, _ = options.drive_of(pciaddr, words)
    _run(address, 0x0D, nsid, host_id, as_json, "reservation_register", **fields)


@click.command("resv-acquire", epilog="Example: pynvme resv-acquire 01:00.0 --crkey 0x1234 --rtype 1")
@_common
@options.number("-c", "--crkey", "key", bits=64, text="The key that the host has.")
@options.number("-p", "--prkey", "preempt_key", bits=64, text="The key of the hosts to preempt.")
@options.number("-t", "--rtype", bits=8, text="The type, 1 to 6.")
@options.number("-a", "--racqa", "action", bits=3, text="0 acquire, 1 preempt, 2 preempt and abort.")
@click.option("-i", "--iekey", "ignore_key", is_flag=True, help="Ignore the existing key.")
def resv_acquire(
    pciaddr: str | None,
    nsid: int,
    host_id: str | None,
    as_json: bool,
    words: tuple[str, ...],
    **fields: Any,
) -> None:
    """Acquire a reservation, or preempt that of another host.

    Base 2.1, section 7.5.
    """
    address, _ = options.drive_of(pciaddr, words)
    _run(address, 0x11, nsid, host_id, as_json, "reservation_acquire", **fields)


@click.command("resv-release", epilog="Example: pynvme resv-release 01:00.0 --crkey 0x1234 --rtype 1")
@_common
@options.number("-c", "--crkey", "key", bits=64, text="The key that the host has.")
@options.number("-t", "--rtype", bits=8, text="The type of the reservation, 1 to 6.")
@options.number("-a", "--rrela", "action", bits=3, text="0 release, 1 clear.")
@click.option("-i", "--iekey", "ignore_key", is_flag=True, help="Ignore the existing key.")
def resv_release(
    pciaddr: str | None,
    nsid: int,
    host_id: str | None,
    as_json: bool,
    words: tuple[str, ...],
    **fields: Any,
) -> None:
    """Release the reservation, or remove it with all registrations.

    Base 2.1, section 7.7.
    """
    address, _ = options.drive_of(pciaddr, words)
    _run(address, 0x15, nsid, host_id, as_json, "reservation_release", **fields)


@click.command("resv-report", epilog="Example: pynvme resv-report 01:00.0 --eds")
@_common
@click.option("-e", "--eds", is_flag=True, help="The form for hosts with identifiers of 128 bits.")
def resv_report(
    pciaddr: str | None,
    nsid: int,
    host_id: str | None,
    as_json: bool,
    words: tuple[str, ...],
    eds: bool,
) -> None:
    """Show the reservation and the registered controllers.

    resv-register, resv-acquire and resv-release change them. Base 2.1, section 7.8.
    """
    from pynvme import spec

    address, _ = options.drive_of(pciaddr, words)
    identifier = _identifier(host_id)
    driver = errors.load("nvme")
    with opened(address) as nvme0:
        _identify(nvme0, identifier)
        qpair, ns = driver.Qpair(nvme0, 16), driver.Namespace(nvme0, nsid)
        buf = driver.Buffer(4096, "reservation report")
        done = completion(qpair, lambda cb: ns.reservation_report(qpair, buf, extended=eds, cb=cb))
        found = explained(nvme0, done, 0x0E)
        data = b"" if done["status"] else bytes(buf[:])
    kind = spec.ReservationStatusExtended if eds else spec.ReservationStatus
    if as_json:
        shown = output.structure(kind(data)) if data else {"data": ""}
        output.json({"address": address, "opcode": 0x0E, **found, **shown})
    else:
        click.echo(repr(kind(data)) if data else line(found))
    sys.exit(1 if done["status"] else 0)
