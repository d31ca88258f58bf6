# SPDX-License-Identifier: BSD-3-Clause
"""``pynvme fdp`` shows and changes Flexible Data Placement, in nvme-cli's words."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from pynvme.cli import errors, options, output
from pynvme.cli.drive import opened
from pynvme.cli.identify import raw, show
from pynvme.cli.send import completion, explained, report

if TYPE_CHECKING:
    import nvme

CONFIGURATIONS, USAGE, STATISTICS, EVENTS = 0x20, 0x21, 0x22, 0x23
RECEIVE, SEND, SET_FEATURES = 0x12, 0x1D, 0x09
FDP_EVENTS = 0x1E
STATUS_BYTES = 4096


@click.group(epilog="Example: pynvme fdp stats 01:00.0")
def fdp() -> None:
    """Show and change Flexible Data Placement (Base 2.1, section 8.1.10)."""


_group = options.endurance_group("-e", "--endgrp-id")


def _numbers(text: str, what: str, bits: int) -> list[int]:
    """The numbers of a list with commas."""
    kind = options.Number(bits)
    try:
        return [kind.convert(one.strip(), None, None) for one in text.split(",")]
    except click.BadParameter as error:
        raise click.UsageError(f"{what} takes numbers like 1,2: {error.message}") from None


def _log(name: str, lid: int, text: str) -> None:
    """Add a command that shows a log page of the endurance group."""

    @fdp.command(name, help=text, epilog=f"Example: pynvme fdp {name} 01:00.0 -e 1 --json")
    @options.pciaddr
    @_group
    @options.as_json
    @raw
    @options.words("[ADDRESS]")
    def command(
        pciaddr: str | None, group: int, as_json: bool, raw_binary: bool, words: tuple[str, ...]
    ) -> None:
        address, _ = options.drive_of(pciaddr, words)
        with opened(address) as nvme0:
            show(nvme0.log(lid, 0, lsi=group), {"address": address, "lid": lid}, as_json, raw_binary)


_log("configs", CONFIGURATIONS, "Show the configurations that the drive offers (log page 20h).")
_log("usage", USAGE, "Show how the reclaim unit handles are used (log page 21h).")
_log("stats", STATISTICS, "Show bytes written by hosts and to media, and erased (log page 22h).")


@fdp.command("events", epilog="Example: pynvme fdp events 01:00.0 --host-events")
@options.pciaddr
@_group
@click.option("-E", "--host-events", is_flag=True, help="Those of the host (default: of the controller).")
@options.as_json
@raw
@options.words("[ADDRESS]")
def events(
    pciaddr: str | None,
    group: int,
    host_events: bool,
    as_json: bool,
    raw_binary: bool,
    words: tuple[str, ...],
) -> None:
    """Show the latest events (log page 23h)."""
    address, _ = options.drive_of(pciaddr, words)
    with opened(address) as nvme0:
        found = nvme0.log(EVENTS, 0, lsi=group, lsp=int(host_events))
        show(found, {"address": address, "lid": EVENTS}, as_json, raw_binary)


@contextmanager
def _queue(address: str, nsid: int) -> Iterator[tuple[nvme.Controller, nvme.Namespace, nvme.Qpair]]:
    with opened(address) as nvme0:
        module = errors.load("nvme")
        yield nvme0, module.Namespace(nvme0, nsid), module.Qpair(nvme0, 16)


@fdp.command("status", epilog="Example: pynvme fdp status 01:00.0 -n 1")
@options.pciaddr
@options.namespace()
@options.as_json
@raw
@options.words("[ADDRESS]")
def status(pciaddr: str | None, nsid: int, as_json: bool, raw_binary: bool, words: tuple[str, ...]) -> None:
    """Show the reclaim unit handle of each placement identifier, and the LBAs that its unit has left."""
    from pynvme import spec

    address, _ = options.drive_of(pciaddr, words)
    with _queue(address, nsid) as (nvme0, ns, qpair):
        buf = errors.load("nvme").Buffer(STATUS_BYTES, ptype=0, pvalue=0)
        done = completion(qpair, lambda cb: ns.io_mgmt_receive(qpair, buf, cb=cb))
        if done["status"]:
            report(nvme0, address, RECEIVE, done, as_json, "")
        found = spec.ReclaimUnitHandleStatusList(bytearray(bytes(buf)))
        if as_json and not raw_binary:
            about = {"address": address, "opcode": RECEIVE, **explained(nvme0, done, RECEIVE)}
            output.json({**about, **output.structure(found)})
        else:
            show(found, {}, as_json, raw_binary)


@fdp.command("update", epilog="Example: pynvme fdp update 01:00.0 -n 1 --pids 0,3")
@options.pciaddr
@options.namespace()
@click.option("-p", "--pids", required=True, metavar="N,…", help="The placement identifiers.")
@options.as_json
@options.words("[ADDRESS]")
def update(pciaddr: str | None, nsid: int, pids: str, as_json: bool, words: tuple[str, ...]) -> None:
    """Let placement identifiers use new reclaim units."""
    numbers = _numbers(pids, "--pids", 16)
    address, _ = options.drive_of(pciaddr, words)
    with _queue(address, nsid) as (nvme0, ns, qpair):
        buf = errors.load("nvme").Buffer(max(4, 2 * len(numbers)), ptype=0, pvalue=0)
        buf[: 2 * len(numbers)] = struct.pack(f"<{len(numbers)}H", *numbers)
        done = completion(qpair, lambda cb: ns.io_mgmt_send(qpair, buf, mos=len(numbers) - 1, cb=cb))
        report(nvme0, address, SEND, done, as_json, f"updated {pids}")


@fdp.command("set-events", epilog="Example: pynvme fdp set-events 01:00.0 -p 0 -t 0,3 --enable")
@options.pciaddr
@options.namespace()
@click.option(
    "-p", "--placement-handle", "handle", type=options.Number(16), default=0, metavar="N", help="Whose."
)
@click.option("-e", "--enable", is_flag=True, help="Enable them (default: disable).")
@click.option("-t", "--event-types", "types", required=True, metavar="N,…", help="The event types.")
@options.as_json
@options.words("[ADDRESS]")
def set_events(
    pciaddr: str | None,
    nsid: int,
    handle: int,
    enable: bool,
    types: str,
    as_json: bool,
    words: tuple[str, ...],
) -> None:
    """Enable event types of a placement handle, or disable them (feature 1Eh)."""
    numbers = _numbers(types, "--event-types", 8)
    address, _ = options.drive_of(pciaddr, words)
    with opened(address) as nvme0:
        buf = errors.load("nvme").Buffer(max(4, len(numbers)), ptype=0, pvalue=0)
        buf[: len(numbers)] = bytes(numbers)
        words12 = {"cdw10": FDP_EVENTS, "cdw11": len(numbers) << 16 | handle, "cdw12": int(enable)}
        done = completion(nvme0, lambda cb: nvme0.send_cmd(SET_FEATURES, buf, nsid, **words12, cb=cb))
        text = f"{'enabled' if enable else 'disabled'} {types}"
        report(nvme0, address, SET_FEATURES, done, as_json, text)
