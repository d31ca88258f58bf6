# SPDX-License-Identifier: BSD-3-Clause
"""``pynvme send`` sends any command."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import click

from pynvme.cli import errors, options, output
from pynvme.cli.drive import opened

DWORDS = (10, 2, 3, *range(11, 16))
TO_HOST = 2
"""Bit 1 of an opcode: the command returns data."""
PAGE = 4096


def _dwords(function: options.Function) -> options.Function:
    for number in reversed(DWORDS):
        option = click.option(
            f"--cdw{number}",
            type=options.Number(32),
            default=0,
            metavar="N",
            hidden=number != DWORDS[0],
            help="Dword 10, and so --cdw2, --cdw3, --cdw11 to --cdw15.",
        )
        function = option(function)
    return function


@click.command(
    epilog="Example: pynvme send 01:00.0 identify --cdw10 1 --as id_ctrl",
)
@options.pciaddr
@click.option("--io", is_flag=True, help="An I/O command (default: an admin command).")
@click.option("-n", "--nsid", type=options.Number(32), default=0, metavar="N", help="The namespace.")
@_dwords
@click.option("-l", "--length", type=click.IntRange(0, 1 << 30), metavar="BYTES", help="Of the data.")
@click.option("-i", "--input", "source", type=click.File("rb"), help="Data to the drive; - is stdin.")
@click.option("-o", "--output", "target", type=click.Path(dir_okay=False), help="Data from the drive.")
@click.option("--as", "kind", metavar="STRUCTURE", help="Decode the data as this, such as id_ctrl.")
@options.as_json
@options.words("[ADDRESS] OPCODE")
def send(
    pciaddr: str | None,
    io: bool,
    nsid: int,
    length: int | None,
    source: Any,
    target: str | None,
    kind: str | None,
    as_json: bool,
    words: tuple[str, ...],
    **dwords: int,
) -> None:
    """Send a command as it is, and show its completion and its data.

    OPCODE is a number or a name (identify, flush). The exit code is 1 if the command fails.
    """
    from pynvme import decode, spec

    address, rest = options.drive_of(pciaddr, words, most=1)
    if not rest:
        raise click.UsageError("Name the opcode, such as 06h or identify.")
    names = options.named(spec.IoOpcode if io else spec.AdminOpcode)
    opcode = options.number_or_name(rest[0], names, "opcode", 8)
    structure = decode.structure_called(kind, "--as") if kind else None
    data = source.read() if source is not None else b""
    size = length if length is not None else len(data) or (PAGE if opcode & TO_HOST else 0)
    if len(data) > size:
        raise click.UsageError(f"the input has {len(data)} bytes, but --length is {size}")
    with opened(address) as nvme0:
        buf = errors.load("nvme").Buffer(size, "send") if size else None
        if buf is not None and data:
            buf[: len(data)] = data
        done = _execute(nvme0, io, opcode, buf, nsid, dwords)
        found = explained(nvme0, done, opcode)
    received = bytes(buf[:]) if buf is not None and opcode & TO_HOST and not done["status"] else b""
    if target is not None and received:
        Path(target).write_bytes(received)
    decoded = structure(received) if structure is not None and received else None
    if as_json:
        shown = {} if decoded is None else output.structure(decoded)
        output.json({"address": address, "opcode": opcode, **found, **(shown or {"data": received.hex()})})
    else:
        click.echo(line(found))
        if decoded is not None:
            click.echo(repr(decoded))
        elif received and target is None:
            click.echo(output.dump(received))
    sys.exit(1 if done["status"] else 0)


def _execute(
    nvme0: Any, io: bool, opcode: int, buf: Any, nsid: int, dwords: dict[str, int]
) -> dict[str, Any]:
    """Send the command and wait for it."""
    if not io:
        return completion(nvme0, lambda cb: nvme0.send_cmd(opcode, buf, nsid=nsid, **dwords, cb=cb))
    nvme = errors.load("nvme")
    qpair = nvme.Qpair(nvme0, 16)
    ns = nvme.Namespace(nvme0, nsid or 1)
    return completion(qpair, lambda cb: ns.send_cmd(opcode, qpair, buf, nsid=nsid, **dwords, cb=cb))


def completion(queue: Any, submit: Callable[[Callable[..., None]], Any]) -> dict[str, Any]:
    """Wait for a command of a queue, which `submit` sends with the callback that it gets."""
    import warnings

    done: dict[str, Any] = {}

    def completed(cpl: tuple[int, int, int, int]) -> None:
        done.update(cdw0=cpl[0], dw1=cpl[1], sqid=cpl[2] >> 16, cid=cpl[3] & 0xFFFF, status=cpl[3] >> 17)

    submit(completed)

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "ERROR status", UserWarning)  # told below, with its place
        queue.waitdone()
    done["latency_us"] = queue.latest_latency
    return done


def explained(nvme0: Any, done: dict[str, Any], opcode: int) -> dict[str, Any]:
    """The completion with the name of its status, and the place of the error, if the error log tells it."""
    from pynvme import status

    found = status.Status.of(done["status"])
    place = ""
    if done["status"]:
        try:
            entry = status.entry_of(nvme0, done["sqid"], done["cid"])
            if entry is not None:
                place = status.place(int(entry.pel), opcode, bool(done["sqid"]))
        except OSError:
            place = ""
    return {
        "status": found.field,
        "sct": found.sct,
        "sc": found.sc,
        "more": found.more,
        "dnr": found.dnr,
        "status_name": status.name(found.number),
        "error_location": place or None,
        "cdw0": done["cdw0"],
        "dw1": done["dw1"],
        "sqid": done["sqid"],
        "cid": done["cid"],
        "latency_us": done["latency_us"],
    }


def line(found: dict[str, Any]) -> str:
    from pynvme.status import Status

    where = f", in {found['error_location']}" if found["error_location"] else ""
    return f"{Status.of(found['status'])}{where}; dword 0 {found['cdw0']:#x}, {found['latency_us']:.1f} us"


def report(nvme0: Any, address: str, opcode: int, done: dict[str, Any], as_json: bool, text: str) -> NoReturn:
    """Print how a command without data ended, text if it succeeded, and exit with 1 if it failed."""
    found = explained(nvme0, done, opcode)
    if as_json:
        output.json({"address": address, "opcode": opcode, **found, "data": ""})
    else:
        click.echo(line(found) if done["status"] else text)
    sys.exit(1 if done["status"] else 0)
