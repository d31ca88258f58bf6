# SPDX-License-Identifier: BSD-3-Clause
"""``pynvme zns`` shows and changes zones, in nvme-cli's words."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from pynvme.cli import errors, options, output
from pynvme.cli.drive import opened
from pynvme.cli.identify import raw, show
from pynvme.cli.send import completion, explained, line, report

if TYPE_CHECKING:
    import nvme

SEND, RECEIVE, APPEND = 0x79, 0x7A, 0x7D
ZNS, OF_NAMESPACE, OF_CONTROLLER = 2, 5, 6
CHANGED_ZONES = 0xBF
HEADER = ENTRY = 64
MOST = 64 << 10
ALL_ZONES = 0xFFFF
"""NRZID of the Changed Zone List: more zones than it can list."""
EXTENSION_UNIT = 64


@click.group(epilog="Example: pynvme zns report-zones 01:00.0 -n 1 --descs 10")
def zns() -> None:
    """Show and change zones (Zoned Namespace Command Set 1.2)."""


@contextmanager
def _queue(address: str, nsid: int) -> Iterator[tuple[nvme.Controller, nvme.Namespace, nvme.Qpair]]:
    with opened(address) as nvme0:
        module = errors.load("nvme")
        yield nvme0, module.Namespace(nvme0, nsid), module.Qpair(nvme0, 16)


def _slba(function: options.Function) -> options.Function:
    return options.number("-s", "--start-lba", "slba", bits=64, text="The first LBA of the zone.")(function)


def _all(function: options.Function) -> options.Function:
    return click.option("-a", "--select-all", "every", is_flag=True, help="All zones.")(function)


# ---- what the drive says of itself ----


@zns.command("id-ctrl", epilog="Example: pynvme zns id-ctrl 01:00.0")
@options.pciaddr
@options.as_json
@raw
@options.words("[ADDRESS]")
def id_ctrl(pciaddr: str | None, as_json: bool, raw_binary: bool, words: tuple[str, ...]) -> None:
    """Show Identify Controller of the command set: the largest append (ZNS 4.1.5.2)."""
    from pynvme import decode

    address, _ = options.drive_of(pciaddr, words)
    with opened(address) as nvme0:
        found = decode.identify(nvme0, OF_CONTROLLER, 0, ZNS)
        show(found, {"address": address}, as_json, raw_binary)


@zns.command("id-ns", epilog="Example: pynvme zns id-ns 01:00.0 -n 1 --json")
@options.pciaddr
@options.namespace()
@options.as_json
@raw
@options.words("[ADDRESS]")
def id_ns(pciaddr: str | None, nsid: int, as_json: bool, raw_binary: bool, words: tuple[str, ...]) -> None:
    """Show Identify Namespace of the command set: limits, sizes of zones (ZNS 4.1.5.1)."""
    from pynvme import decode

    address, _ = options.drive_of(pciaddr, words)
    with opened(address) as nvme0:
        found = decode.identify(nvme0, OF_NAMESPACE, nsid, ZNS)
        show(found, {"address": address, "nsid": nsid}, as_json, raw_binary)


@zns.command("changed-zone-list", epilog="Example: pynvme zns changed-zone-list 01:00.0 -n 1 --rae")
@options.pciaddr
@options.namespace()
@click.option("-r", "--rae", is_flag=True, help="Retain the asynchronous event.")
@options.as_json
@raw
@options.words("[ADDRESS]")
def changed_zone_list(
    pciaddr: str | None, nsid: int, rae: bool, as_json: bool, raw_binary: bool, words: tuple[str, ...]
) -> None:
    """Show the zones that the drive has changed (log page BFh)."""
    address, _ = options.drive_of(pciaddr, words)
    with opened(address) as nvme0:
        found = nvme0.log(CHANGED_ZONES, nsid, rae=rae)
        show(found, {"address": address, "lid": CHANGED_ZONES}, as_json, raw_binary)


# ---- reports ----


class _Refused(Exception):
    def __init__(self, done: dict[str, Any]) -> None:
        self.done = done


def _receive(
    ns: nvme.Namespace, qpair: nvme.Qpair, slba: int, size: int, extended: bool, state: int, partial: bool
) -> tuple[dict[str, Any], bytes]:
    """Send one Zone Management Receive. Returns its completion and its data."""
    buf = errors.load("nvme").Buffer(size, ptype=0, pvalue=0)
    done = completion(
        qpair,
        lambda cb: ns.zns_mgmt_receive(
            qpair, buf, slba, extended=extended, state=state, partial=partial, cb=cb
        ),
    )
    return done, bytes(buf)


def _ask(*request: Any) -> bytes:
    """The data of :func:`_receive`."""
    done, answer = _receive(*request)
    if done["status"]:
        raise _Refused(done)
    return answer


def _extension_bytes(ns: nvme.Namespace) -> int:
    """LBAFE.ZDES of the LBA format in use, in bytes."""
    lbaf = int(ns.id_data(26)) & 0xF
    at = 2816 + 16 * lbaf + 8
    return EXTENSION_UNIT * int(ns.id_data(at, at, cns=OF_NAMESPACE, csi=ZNS))


def _zones(
    ns: nvme.Namespace, qpair: nvme.Qpair, slba: int, extended: bool, state: int, most: int, mdts: int
) -> Iterator[tuple[dict[str, Any], str | None]]:
    """The descriptors of at most ``most`` zones and their extensions, by as many commands as it takes."""
    from pynvme import spec, zone

    entry = ENTRY + (_extension_bytes(ns) if extended else 0)
    room = (min(MOST, mdts or MOST) - HEADER) // entry
    nsze, size = int(ns.id_data(7, 0)), zone.size_of(ns)
    while most > 0 and slba < nsze:
        answer = _ask(ns, qpair, slba, HEADER + entry * min(room, most), extended, state, True)
        count = min(int.from_bytes(answer[:8], "little"), room, most)
        for at in range(HEADER, HEADER + count * entry, entry):
            descriptor = spec.ZoneDescriptor(bytearray(answer[at : at + ENTRY]))
            has_extension = extended and descriptor.za.zdev
            yield output.plain(descriptor), answer[at + ENTRY : at + entry].hex() if has_extension else None
            slba = int(descriptor.zslba) + size
        if count < min(room, most):
            return
        most -= count


def _row(zone: dict[str, Any], extension: str | None) -> str:
    from pynvme import spec

    state = zone["zs_bits"]["zs"]
    name = spec.ZoneState(state).name if state in list(spec.ZoneState) else f"state {state:#x}"
    fields = (
        f"slba {zone['zslba']:#x}  wp {zone['wp']:#x}  capacity {zone['zcap']:#x}  {name.lower()}  "
        f"attributes {zone['za']:#x}"
    )
    return fields + (f"  extension {extension}" if extension else "")


@zns.command("report-zones", epilog="Example: pynvme zns report-zones 01:00.0 -n 1 --state 4 --json")
@options.pciaddr
@options.namespace()
@options.number("-s", "--start-lba", "slba", bits=64, text="An LBA of the first zone.")
@click.option("-d", "--descs", type=click.IntRange(1), metavar="N", help="Of so many zones (default: all).")
@options.number("-S", "--state", bits=8, text="0 all, 1 empty, 2 3 open, 4 closed, 5 full, 6 7 unusable.")
@click.option("-e", "--extended", is_flag=True, help="With the descriptor extensions.")
@click.option("-p", "--partial", is_flag=True, help="Count only the zones that are shown.")
@options.as_json
@options.words("[ADDRESS]")
def report_zones(
    pciaddr: str | None,
    nsid: int,
    slba: int,
    descs: int | None,
    state: int,
    extended: bool,
    partial: bool,
    as_json: bool,
    words: tuple[str, ...],
) -> None:
    """Show the descriptors of zones (ZNS 3.4.2)."""
    address, _ = options.drive_of(pciaddr, words)
    with _queue(address, nsid) as (nvme0, ns, qpair):
        most = descs if descs is not None else 1 << 63
        try:
            head = _ask(ns, qpair, slba, HEADER, extended, state, False)
            zones = list(_zones(ns, qpair, slba, extended, state, most, nvme0.mdts))
        except _Refused as refused:
            report(nvme0, address, RECEIVE, refused.done, as_json, "")
    count = len(zones) if partial else int.from_bytes(head[:8], "little")
    if as_json:
        record = {"address": address, "nsid": nsid, "nr_zones": count, "zones": [zone for zone, _ in zones]}
        output.json({**record, **({"extensions": [one for _, one in zones]} if extended else {})})
        return
    click.echo(f"{count} zones")
    for zone, extension in zones:
        click.echo(_row(zone, extension))


@zns.command("zone-mgmt-recv", hidden=True, epilog="Example: pynvme zns zone-mgmt-recv 01:00.0 -n 1 -l 4096")
@options.pciaddr
@options.namespace()
@options.number("-s", "--start-lba", "slba", bits=64, text="An LBA of the first zone.")
@options.number("-z", "--zra", bits=1, text="0 report, 1 extended report.")
@options.number("-S", "--zrasf", "state", bits=8, text="Zones of which state.")
@click.option("-p", "--partial", is_flag=True, help="Count only the zones that are returned.")
@click.option("-l", "--data-len", "length", type=click.IntRange(4, 1 << 20), default=4096, metavar="BYTES")
@options.as_json
@raw
@options.words("[ADDRESS]")
def zone_mgmt_recv(
    pciaddr: str | None,
    nsid: int,
    slba: int,
    zra: int,
    state: int,
    partial: bool,
    length: int,
    as_json: bool,
    raw_binary: bool,
    words: tuple[str, ...],
) -> None:
    """Send one Zone Management Receive, and show what it returns (ZNS 3.4.2)."""
    from pynvme import spec

    address, _ = options.drive_of(pciaddr, words)
    with _queue(address, nsid) as (nvme0, ns, qpair):
        done, found = _receive(ns, qpair, slba, length, bool(zra), state, partial)
        if done["status"]:
            report(nvme0, address, RECEIVE, done, as_json, "")
        about = {"address": address, "opcode": RECEIVE, **explained(nvme0, done, RECEIVE)}
        is_plain = not zra and length >= HEADER and not raw_binary
        show(spec.ZoneReport(bytearray(found)) if is_plain else found, about, as_json, raw_binary)


# ---- actions ----


def _manage(
    address: str,
    nsid: int,
    action: int,
    as_json: bool,
    text: str,
    *,
    slba: int = 0,
    every: bool = False,
    zrwa: bool = False,
    data: bytes = b"",
) -> None:
    """Send one Zone Management Send, print how it ended, and exit with 1 if it failed."""
    with _queue(address, nsid) as (nvme0, ns, qpair):
        buf = None
        if data:
            buf = errors.load("nvme").Buffer((len(data) + 3) // 4 * 4, ptype=0, pvalue=0)
            buf[: len(data)] = data
        done = completion(
            qpair, lambda cb: ns.zns_mgmt_send(qpair, buf, slba, action, all=every, zrwa=zrwa, cb=cb)
        )
        report(nvme0, address, SEND, done, as_json, text)


@zns.command("zone-mgmt-send", epilog="Example: pynvme zns zone-mgmt-send 01:00.0 -n 1 -s 0 --zsa 4")
@options.pciaddr
@options.namespace()
@_slba
@_all
@click.option("-z", "--zsa", type=options.Number(8), required=True, metavar="N", help="The action.")
@click.option("-o", "--zsaso", "zrwa", is_flag=True, help="The bit that is specific to the action.")
@click.option("-d", "--data", "source", type=click.File("rb"), help="Data to the drive; - is stdin.")
@options.as_json
@options.words("[ADDRESS]")
def zone_mgmt_send(
    pciaddr: str | None,
    nsid: int,
    slba: int,
    every: bool,
    zsa: int,
    zrwa: bool,
    source: Any,
    as_json: bool,
    words: tuple[str, ...],
) -> None:
    """Send any action to a zone (ZNS 3.4.3).

    1 close, 2 finish, 3 open, 4 reset, 5 offline, 10h set the descriptor extension, 11h flush a random write
    area.
    """
    address, _ = options.drive_of(pciaddr, words)
    data = source.read() if source is not None else b""
    _manage(address, nsid, zsa, as_json, "done", slba=slba, every=every, zrwa=zrwa, data=data)


def _action(name: str, action: int, text: str, done: str) -> None:
    """Add a command for an action that needs no data."""

    @zns.command(name, help=text, epilog=f"Example: pynvme zns {name} 01:00.0 -n 1 -s 0x8000")
    @options.pciaddr
    @options.namespace()
    @_slba
    @_all
    @options.as_json
    @options.words("[ADDRESS]")
    def command(
        pciaddr: str | None, nsid: int, slba: int, every: bool, as_json: bool, words: tuple[str, ...]
    ) -> None:
        address, _ = options.drive_of(pciaddr, words)
        _manage(
            address,
            nsid,
            action,
            as_json,
            f"the {'zones are' if every else 'zone is'} {done}",
            slba=slba,
            every=every,
        )


_action("close-zone", 1, "Close a zone.", "closed")
_action("finish-zone", 2, "Finish a zone, which makes it full.", "full")
_action("reset-zone", 4, "Reset a zone. Its data are gone.", "empty")
_action("offline-zone", 5, "Take a read-only zone offline.", "offline")


@zns.command("open-zone", epilog="Example: pynvme zns open-zone 01:00.0 -n 1 -s 0x8000 --zrwa")
@options.pciaddr
@options.namespace()
@_slba
@_all
@click.option("-r", "--zrwa", is_flag=True, help="With a random write area.")
@options.as_json
@options.words("[ADDRESS]")
def open_zone(
    pciaddr: str | None,
    nsid: int,
    slba: int,
    every: bool,
    zrwa: bool,
    as_json: bool,
    words: tuple[str, ...],
) -> None:
    """Open a zone explicitly."""
    address, _ = options.drive_of(pciaddr, words)
    text = f"the {'zones are' if every else 'zone is'} open"
    _manage(address, nsid, 3, as_json, text, slba=slba, every=every, zrwa=zrwa)


@zns.command("set-zone-desc", epilog="Example: pynvme zns set-zone-desc 01:00.0 -n 1 -s 0 -d extension.bin")
@options.pciaddr
@options.namespace()
@_slba
@click.option("-d", "--data", "source", type=click.File("rb"), required=True, help="The extension.")
@options.as_json
@options.words("[ADDRESS]")
def set_zone_desc(
    pciaddr: str | None, nsid: int, slba: int, source: Any, as_json: bool, words: tuple[str, ...]
) -> None:
    """Set the descriptor extension of an empty zone."""
    address, _ = options.drive_of(pciaddr, words)
    data = source.read()
    if not data:
        raise click.UsageError("the descriptor extension is empty")
    _manage(address, nsid, 0x10, as_json, "the extension is set", slba=slba, data=data)


@zns.command("zrwa-flush-zone", epilog="Example: pynvme zns zrwa-flush-zone 01:00.0 -n 1 -l 0x801f")
@options.pciaddr
@options.namespace()
@options.number("-l", "--last", "slba", bits=64, text="The last LBA to commit.")
@options.as_json
@options.words("[ADDRESS]")
def zrwa_flush_zone(pciaddr: str | None, nsid: int, slba: int, as_json: bool, words: tuple[str, ...]) -> None:
    """Commit the random write area of a zone up to an LBA."""
    address, _ = options.drive_of(pciaddr, words)
    _manage(address, nsid, 0x11, as_json, "the LBAs are committed", slba=slba)


@zns.command("zone-append", epilog="Example: pynvme zns zone-append 01:00.0 -n 1 -s 0x8000 -d data.bin")
@options.pciaddr
@options.namespace()
@options.number("-s", "--zslba", "slba", bits=64, text="The first LBA of the zone.")
@click.option("-d", "--data", "source", type=click.File("rb"), required=True, help="The data; - is stdin.")
@options.as_json
@options.words("[ADDRESS]")
def zone_append(
    pciaddr: str | None, nsid: int, slba: int, source: Any, as_json: bool, words: tuple[str, ...]
) -> None:
    """Append data to a zone, and print the LBA where the drive has put them (ZNS 3.4.1)."""
    address, _ = options.drive_of(pciaddr, words)
    data = source.read()
    with _queue(address, nsid) as (nvme0, ns, qpair):
        if not data or len(data) % ns.lba_size:
            raise click.UsageError(
                f"the data have {len(data)} bytes, which are no LBAs of {ns.lba_size} bytes"
            )
        ns.verify_enable(False)  # it would stamp the data
        buf = errors.load("nvme").Buffer(len(data), "append")
        buf[:] = data
        count = len(data) // ns.lba_size
        done = completion(qpair, lambda cb: ns.zone_append(qpair, buf, slba, count, cb=cb))
        found = explained(nvme0, done, APPEND)
    lba = None if done["status"] else done["cdw0"] | done["dw1"] << 32
    if as_json:
        output.json({"address": address, "opcode": APPEND, **found, "lba": lba, "data": ""})
    else:
        click.echo(line(found) if lba is None else f"{count} LBAs are at LBA {lba:#x}")
    sys.exit(1 if lba is None else 0)
