# SPDX-License-Identifier: BSD-3-Clause
"""``dir-receive`` and ``dir-send``, in nvme-cli's words."""

from __future__ import annotations

from typing import Any

import click

from pynvme.cli import errors, options, output
from pynvme.cli.drive import opened
from pynvme.cli.identify import raw, show
from pynvme.cli.send import completion, explained, report

SEND, RECEIVE = 0x19, 0x1A
IDENTIFY, STREAMS = 0, 1
PARAMETERS, STATUS, RESOURCES = 1, 2, 3
ENABLE = 1
BYTES = {(IDENTIFY, PARAMETERS): 4096, (STREAMS, PARAMETERS): 32, (STREAMS, STATUS): 128 << 10}
"""What an operation of a directive returns, by DTYPE and DOPER."""


def _common(function: options.Function) -> options.Function:
    function = options.number("-O", "--dir-oper", "doper", bits=8, text="The operation.")(function)
    function = options.number("-S", "--dir-spec", "dspec", bits=16, text="Directive specific.")(function)
    function = options.number(
        "-D", "--dir-type", "dtype", bits=8, text="0 Identify, 1 Streams, 2 Data Placement."
    )(function)
    return options.pciaddr(options.namespace()(options.as_json(options.words("[ADDRESS]")(function))))


def _first(function: options.Function) -> options.Function:
    return click.option(
        "--enable-first", is_flag=True, help="Enable the directive before: opening the drive disables it."
    )(function)


def _enable(nvme0: Any, dtype: int, nsid: int) -> None:
    nvme0.directive_send(ENABLE, IDENTIFY, 0, dtype << 8 | 1, None, nsid).waitdone()


def _structure(dtype: int, doper: int) -> Any:
    from pynvme import spec

    kinds = {
        (IDENTIFY, PARAMETERS): spec.Directives,
        (STREAMS, PARAMETERS): spec.StreamsParameters,
        (STREAMS, STATUS): spec.StreamsStatus,
    }
    return kinds.get((dtype, doper))


@click.command("dir-receive", epilog="Example: pynvme dir-receive 01:00.0 -n 1 -D 1 -O 1")
@_common
@options.number("-r", "--req-resource", "resources", bits=16, text="Streams to allocate (-D 1 -O 3).")
@click.option(
    "-l", "--data-len", "length", type=click.IntRange(0, 1 << 20), metavar="BYTES", help="Of the data."
)
@_first
@raw
def dir_receive(
    pciaddr: str | None,
    nsid: int,
    dtype: int,
    dspec: int,
    doper: int,
    resources: int,
    length: int | None,
    enable_first: bool,
    as_json: bool,
    raw_binary: bool,
    words: tuple[str, ...],
) -> None:
    """Show what a directive returns (Base 5.1.6).

    -D 0 -O 1 shows which directives there are, -D 1 -O 1 the parameters of streams, -D 1 -O 2 the open
    streams, and -D 1 -O 3 allocates some.
    """
    address, _ = options.drive_of(pciaddr, words)
    size = BYTES.get((dtype, doper), 0) if length is None else length
    with opened(address) as nvme0:
        if enable_first:
            _enable(nvme0, dtype, nsid)
        size = min(size, nvme0.mdts or size)
        buf = errors.load("nvme").Buffer(size, ptype=0, pvalue=0) if size else None
        done = completion(
            nvme0, lambda cb: nvme0.directive_receive(doper, dtype, dspec, resources, buf, nsid, cb=cb)
        )
        if done["status"] or buf is None:
            report(nvme0, address, RECEIVE, done, as_json, f"dword 0 is {done['cdw0']:#x}")
        about = {"address": address, "opcode": RECEIVE, **explained(nvme0, done, RECEIVE)}
        kind = _structure(dtype, doper)
        found = bytes(buf) if kind is None or size < kind.SIZE else kind(bytearray(bytes(buf)))
        if as_json and not raw_binary and isinstance(found, bytes):
            output.json({**about, "data": found.hex()})
        else:
            show(found, about, as_json, raw_binary)


@click.command("dir-send", epilog="Example: pynvme dir-send 01:00.0 -n 1 -D 0 -O 1 -T 1 -e 1")
@_common
@options.number("-T", "--target-dir", "target", bits=8, text="The directive to enable (-D 0 -O 1).")
@options.number("-e", "--endir", "enable", bits=1, text="1 enable it, 0 disable it.")
@click.option("-i", "--input-file", "source", type=click.File("rb"), help="Data to the drive; - is stdin.")
@_first
def dir_send(
    pciaddr: str | None,
    nsid: int,
    dtype: int,
    dspec: int,
    doper: int,
    target: int,
    enable: int,
    source: Any,
    enable_first: bool,
    as_json: bool,
    words: tuple[str, ...],
) -> None:
    """Change a directive (Base 5.1.7).

    -D 0 -O 1 enables or disables one, -D 1 -O 1 -S N releases stream N, -D 1 -O 2 all resources of streams.
    """
    address, _ = options.drive_of(pciaddr, words)
    data = source.read() if source is not None else b""
    value = target << 8 | enable if (dtype, doper) == (IDENTIFY, ENABLE) else 0
    with opened(address) as nvme0:
        if enable_first:
            _enable(nvme0, dtype, nsid)
        buf = None
        if data:
            buf = errors.load("nvme").Buffer((len(data) + 3) // 4 * 4, ptype=0, pvalue=0)
            buf[: len(data)] = data
        done = completion(
            nvme0, lambda cb: nvme0.directive_send(doper, dtype, dspec, value, buf, nsid, cb=cb)
        )
        report(nvme0, address, SEND, done, as_json, "done")
