# SPDX-License-Identifier: BSD-3-Clause
"""``pynvme rpmb``: replay protected memory blocks, in nvme-cli's words."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pynvme.cli import options, output
from pynvme.cli.drive import opened
from pynvme.cli.suite import confirm

if TYPE_CHECKING:
    from pynvme.rpmb import Rpmb

SECTOR = 512
KEY_SIZE = 32


@click.group(epilog="Example: pynvme rpmb info 01:00.0")
def rpmb() -> None:
    """Read and write replay protected memory blocks (Base 2.1, section 8.1.21).

    A key has 32 bytes: a file, 32 characters, or 64 hexadecimal digits.
    """


def _target(function: options.Function) -> options.Function:
    return options.number("-t", "--target", bits=3, text="The RPMB target.")(function)


def _key(function: options.Function) -> options.Function:
    file = click.option("-g", "--keyfile", type=click.File("rb"), help="A file with the key.")
    text = click.option("-k", "--key", metavar="KEY", help="The key.")
    return text(file(function))


def _message(function: options.Function) -> options.Function:
    file = click.option("-f", "--msgfile", type=click.File("rb"), help="A file with the data; - is stdin.")
    text = click.option("-d", "--msg", metavar="TEXT", help="The data, filled up with zeros.")
    return text(file(function))


def _key_of(key: str | None, keyfile: Any) -> bytes | None:
    """The bytes of a key, or None."""
    if key is not None and keyfile is not None:
        raise click.UsageError("give --key or --keyfile, not both")
    if keyfile is not None:
        found = bytes(keyfile.read())
    elif key is None:
        return None
    else:
        digits = len(key) == 2 * KEY_SIZE and all(one in "0123456789abcdefABCDEF" for one in key)
        found = bytes.fromhex(key) if digits else key.encode()
    if len(found) != KEY_SIZE:
        raise click.UsageError(f"a key has {KEY_SIZE} bytes, not {len(found)}")
    return found


def _data_of(msg: str | None, msgfile: Any) -> bytes:
    """The bytes to write, filled up to whole sectors."""
    if (msg is None) == (msgfile is None):
        raise click.UsageError("give --msg or --msgfile")
    data = msg.encode() if msg is not None else bytes(msgfile.read())
    if not data:
        raise click.UsageError("there are no data to write")
    return data + bytes(-len(data) % SECTOR)


@contextlib.contextmanager
def _opened(
    pciaddr: str | None, words: tuple[str, ...], target: int, key: bytes | None
) -> Iterator[tuple[str, Rpmb]]:
    """The address of the drive and a target. An RpmbError is one line."""
    from pynvme.rpmb import Rpmb, RpmbError

    address, _ = options.drive_of(pciaddr, words)
    try:
        with opened(address) as nvme0:
            yield address, Rpmb(nvme0, target, key)
    except RpmbError as error:
        raise click.ClickException(str(error)) from None


@rpmb.command(epilog="Example: pynvme rpmb info 01:00.0 --json")
@options.pciaddr
@options.as_json
@options.words("[ADDRESS]")
def info(pciaddr: str | None, as_json: bool, words: tuple[str, ...]) -> None:
    """Show how many targets the drive has, and how large they are."""
    from pynvme.rpmb import info as info_of

    address, _ = options.drive_of(pciaddr, words)
    with opened(address) as nvme0:
        found = info_of(nvme0)
    if as_json:
        output.json({"address": address, **found._asdict()})
    elif not found.targets:
        click.echo("no RPMB targets")
    else:
        click.echo(f"{found.targets} targets of {found.size} bytes, {found.access} bytes a request")


@rpmb.command("program-key", epilog="Example: pynvme rpmb program-key 01:00.0 -t 1 -g key.bin")
@options.pciaddr
@_target
@_key
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@options.words("[ADDRESS]")
def program_key(
    pciaddr: str | None, target: int, key: str | None, keyfile: Any, yes: bool, words: tuple[str, ...]
) -> None:
    """Program the key of a target. Nothing can change it afterwards."""
    found = _key_of(key, keyfile)
    if found is None:
        raise click.UsageError("give --key or --keyfile")
    with _opened(pciaddr, words, target, found) as (address, one):
        confirm(address, yes, f"programs the key of RPMB target {target} for ever into")
        one.program_key()
    click.echo("programmed")


@rpmb.command("read-counter", epilog="Example: pynvme rpmb read-counter 01:00.0 -t 1 --json")
@options.pciaddr
@_target
@_key
@options.as_json
@options.words("[ADDRESS]")
def read_counter(
    pciaddr: str | None, target: int, key: str | None, keyfile: Any, as_json: bool, words: tuple[str, ...]
) -> None:
    """Show the Write Counter of a target. With a key, the response is authenticated."""
    with _opened(pciaddr, words, target, _key_of(key, keyfile)) as (address, one):
        counter = one.counter()
    if as_json:
        output.json({"address": address, "target": target, "counter": counter})
    else:
        click.echo(f"Write Counter {counter}")


@rpmb.command("write-data", epilog="Example: pynvme rpmb write-data 01:00.0 -o 8 -d hello -g key.bin")
@options.pciaddr
@_target
@options.number("-o", "--address", "place", bits=32, text="The first sector.")
@_message
@_key
@options.words("[ADDRESS]")
def write_data(
    pciaddr: str | None,
    target: int,
    place: int,
    msg: str | None,
    msgfile: Any,
    key: str | None,
    keyfile: Any,
    words: tuple[str, ...],
) -> None:
    """Write sectors of 512 bytes."""
    data = _data_of(msg, msgfile)
    with _opened(pciaddr, words, target, _key_of(key, keyfile)) as (_, one):
        counter = one.write(place, data)
    click.echo(f"{len(data) // SECTOR} sectors written, Write Counter {counter}")


@rpmb.command("read-data", epilog="Example: pynvme rpmb read-data 01:00.0 -o 8 -b 2 -f data.bin")
@options.pciaddr
@_target
@options.number("-o", "--address", "place", bits=32, text="The first sector.")
@click.option("-b", "--blocks", type=options.Number(16), default=1, show_default=True, help="How many.")
@click.option("-f", "--msgfile", type=click.Path(dir_okay=False), help="A file for the data.")
@_key
@options.words("[ADDRESS]")
def read_data(
    pciaddr: str | None,
    target: int,
    place: int,
    blocks: int,
    msgfile: str | None,
    key: str | None,
    keyfile: Any,
    words: tuple[str, ...],
) -> None:
    """Read sectors of 512 bytes. With a key, the response is authenticated."""
    with _opened(pciaddr, words, target, _key_of(key, keyfile)) as (_, one):
        data = one.read(place, blocks)
    if msgfile is None:
        click.echo(output.dump(data))
    else:
        Path(msgfile).write_bytes(data)
        click.echo(f"{len(data)} bytes written to {msgfile}")


@rpmb.command("read-config", epilog="Example: pynvme rpmb read-config 01:00.0 --json")
@options.pciaddr
@_key
@options.as_json
@options.words("[ADDRESS]")
def read_config(
    pciaddr: str | None, key: str | None, keyfile: Any, as_json: bool, words: tuple[str, ...]
) -> None:
    """Show the Device Configuration Block: boot partitions and write protection."""
    with _opened(pciaddr, words, 0, _key_of(key, keyfile)) as (address, one):
        found, counter = one.configuration(), one.configuration_counter()
    if as_json:
        output.json({"address": address, "target": 0, "counter": counter, **output.structure(found)})
    else:
        click.echo(f"{found!r}\nWrite Counter {counter}")


@rpmb.command("write-config", epilog="Example: pynvme rpmb write-config 01:00.0 -f config.bin -g key.bin")
@options.pciaddr
@_message
@_key
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@options.words("[ADDRESS]")
def write_config(
    pciaddr: str | None,
    msg: str | None,
    msgfile: Any,
    key: str | None,
    keyfile: Any,
    yes: bool,
    words: tuple[str, ...],
) -> None:
    """Write the Device Configuration Block. Protection of boot partitions is for ever."""
    data = _data_of(msg, msgfile)
    with _opened(pciaddr, words, 0, _key_of(key, keyfile)) as (address, one):
        if data[0] & 1:
            confirm(address, yes, "makes RPMB protect for ever the boot partitions of")
        one.write_configuration(data)
    click.echo("written")
