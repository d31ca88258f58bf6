# SPDX-License-Identifier: BSD-3-Clause
"""``pynvme vssd`` runs virtual SSDs, and controls those that run."""

from __future__ import annotations

import os
import signal
import sys
import time
from typing import Any, NoReturn

import click

from pynvme.cli import found, options, output
from pynvme.vssd import VirtualSsd
from pynvme.vssd import options as _options

SEVERAL = ("fault",)
"""Options of a virtual SSD that can be given several times."""

COMMON = ("dir", "size", "lba_size", "namespaces", "file", "serial", "queues", "fault")
"""Options that the help of `vssd run` shows. `vssd options` shows all."""

USE = """\
A virtual SSD runs in {address}

  python    nvme0 = nvme.Controller("{address}")
  pytest    pytest --pciaddr {address}

One script at a time can have it open. Ctrl-C ends it."""


class _Vssd(click.Group):
    """Commands for virtual SSDs. Options without a command are those of `run`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put `run` before options, as in ``pynvme vssd --size 8G``."""
        known = {*self.commands, *ctx.help_option_names}
        if not ctx.resilient_parsing and (not args or args[0] not in known):
            args = ["run", *args]
        return super().parse_args(ctx, args)


@click.group(cls=_Vssd, epilog="Example: pynvme vssd run --size 8G --dir ./ssd")
def vssd() -> None:
    """Run a virtual SSD, or control one that runs.

    ADDRESS is its folder (default: the only one that runs).
    """


class _Run(click.Command):
    """A command with the options of the virtual SSD's program."""

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Ask the program for its options only when they are needed, since other commands do not need it."""
        for name, option in _options().items():
            if not any(one.name == name for one in self.params):
                self.params.append(
                    click.Option(
                        [f"--{name.replace('_', '-')}"],
                        help=option.help,
                        is_flag=not option.takes,
                        multiple=name in SEVERAL,
                        metavar=option.takes or None,
                        hidden=name not in COMMON,
                    )
                )
        return super().get_params(ctx)


@vssd.command(cls=_Run, epilog="Example: pynvme vssd run --size 64G --lba-size 4096 --dir ./ssd")
@click.option("--bug", multiple=True, metavar="NAME", help="Plant a bug; pynvme bugs lists them.")
def run(**chosen: Any) -> None:
    """Run a virtual SSD until Ctrl-C (the default command).

    It prints its folder, which is the address by which scripts open it. These are some of its options;
    pynvme vssd options lists all.
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
    raise click.ClickException("the virtual SSD has ended by itself")


def _end_by_signals() -> None:
    """Let SIGINT and SIGTERM end a drive cleanly. A shell's background jobs start with SIGINT ignored."""

    def end(number: int, frame: object) -> NoReturn:
        for again in (signal.SIGINT, signal.SIGTERM):
            signal.signal(again, signal.SIG_IGN)
        raise KeyboardInterrupt

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)


_complete = options.completing(options.folders)

address = click.argument("address", required=False, metavar="[ADDRESS]", shell_complete=_complete)


def _attached(where: str | None) -> VirtualSsd:
    if where is None:
        where = found.the_only_one()
    if where is None:
        running = found.folders()
        known = f"one of {', '.join(running)}" if running else "pynvme vssd run starts one"
        raise click.UsageError(f"name the folder of the virtual SSD: {known}")
    if not os.path.exists(where):
        raise click.ClickException(f"there is no folder {where}: pynvme vssd list shows those that run")
    return VirtualSsd.attach(where)


def _split(words: tuple[str, ...], least: int, most: int, metavar: str) -> tuple[str | None, list[str]]:
    """The address and the other words, of which there are from `least` to `most`."""
    where, rest = options.split(words)
    if not least <= len(rest) <= most:
        raise click.UsageError(f"give {metavar}")
    return where, rest


@vssd.command("options", epilog="Example: pynvme vssd options ./ssd shows those of a drive that runs")
@address
@options.as_json
def show_options(address: str | None, as_json: bool) -> None:
    """List all options of a virtual SSD, or the values of one that runs."""
    if address is not None:
        values = _attached(address).options()
        if as_json:
            output.json({"address": address, "options": values})
        else:
            click.echo("\n".join(f"--{name.replace('_', '-'):<20} {value}" for name, value in values.items()))
        return
    known = _options()
    if as_json:
        records = [
            {"name": name, "takes": one.takes or None, "help": one.help} for name, one in known.items()
        ]
        output.json({"options": records})
        return
    formatter = click.HelpFormatter(width=100)
    formatter.write_dl(
        [(f"--{name.replace('_', '-')} {one.takes}".strip(), one.help) for name, one in known.items()]
    )
    click.echo_via_pager(formatter.getvalue())


@vssd.command("list", epilog="Example: pynvme vssd list --json")
@options.as_json
def list_running(as_json: bool) -> None:
    """List the virtual SSDs that run, and who has them open."""
    running = found.virtual_ssds()
    if as_json:
        output.json({"virtual_ssds": running})
        return
    for one in running:
        power = "" if one["powered"] else ", power off"
        user = f", open in {', '.join(one['users'])}" if one["users"] else ""
        size = f"{one['namespaces']} × {output.size(one['size_bytes'])}"
        click.echo(f"{one['address']}  process {one['pid']}, {size}{power}{user}")
    if not running:
        click.echo("no virtual SSD runs: pynvme vssd run starts one")


@vssd.command(epilog="Example: pynvme vssd info ./ssd --json | jq .counters.commands_read")
@address
@options.as_json
def info(address: str | None, as_json: bool) -> None:
    """Show the process, the state and the counters of a virtual SSD."""
    drive = _attached(address)
    state, counters = drive.info()._asdict(), drive.counters()._asdict()
    if as_json:
        output.json({"address": drive.address, "info": state, "counters": counters})
        return
    click.echo(drive.address)
    for name, value in {**state, **counters}.items():
        shown = f"{value:#x}" if name == "nvme_version" else value
        click.echo(f"  {name:<16}{shown}")


@vssd.command(epilog="Example: pynvme vssd power ./ssd off")
@click.argument("words", nargs=-1, metavar="[ADDRESS] on|off|cycle", shell_complete=_complete)
def power(words: tuple[str, ...]) -> None:
    """Switch the power of a virtual SSD. Off loses data that were not flushed."""
    where, rest = _split(words, 1, 1, "on, off or cycle")
    if rest[0] not in ("on", "off", "cycle"):
        raise click.UsageError(f"the power can be switched on, off or cycle, not {rest[0]}")
    drive = _attached(where)
    if rest[0] in ("off", "cycle"):
        drive.power(False)
    if rest[0] in ("on", "cycle"):
        drive.power(True)
    click.echo(f"the power is {'on' if drive.info().powered else 'off'}")


@vssd.command(epilog="Example: pynvme vssd faults ./ssd --plant 'opcode=read lba=5 do status=02/81'")
@address
@click.option("--plant", multiple=True, metavar="RULE", help="Plant a rule, see docs/faults.md.")
@click.option("--remove", multiple=True, metavar="RULE", help="Remove a rule, by its number or name.")
@click.option("--release", multiple=True, metavar="RULE", help="Complete the commands that a rule holds.")
@click.option("--clear", is_flag=True, help="Remove all rules first.")
@click.option("--fired", is_flag=True, help="Show the log of rules that fired.")
@options.as_json
def faults(
    address: str | None,
    plant: tuple[str, ...],
    remove: tuple[str, ...],
    release: tuple[str, ...],
    clear: bool,
    fired: bool,
    as_json: bool,
) -> None:
    """Plant and remove fault rules, and show what there is.

    Each rule is shown with its number, how often its conditions held, and how often it fired.
    """
    from pynvme import control

    drive = _attached(address)
    if clear:
        drive.clear_faults()
    for rule in release:
        drive.release(_rule(rule))
    for rule in remove:
        control.remove_fault(drive.address, _rule(rule))
    if plant:
        control.plant(drive.address, "\n".join(plant))
    rules, log = drive.faults(), drive.fired() if fired else []
    if as_json:
        record = {"address": drive.address, "rules": [rule._asdict() for rule in rules]}
        output.json({**record, **({"fired": [one._asdict() for one in log]} if fired else {})})
        return
    for one in rules:
        click.echo(f"{one.number:>4}  matched {one.matched}, fired {one.fired}: {one.text}")
    for entry in log:
        at = time.strftime("%H:%M:%S", time.localtime(entry.time))
        command = (
            "" if entry.opcode is None else f", opcode {entry.opcode:02x}h cid {entry.cid} slba {entry.slba}"
        )
        click.echo(f"{at}  rule {entry.rule}, {entry.place}, queue {entry.qid}{command}")
    if not rules and not log:
        click.echo("no rule is planted")


def _rule(text: str) -> int | str:
    return int(text) if text.isdecimal() else text


@vssd.command(epilog="Example: pynvme vssd peek ./ssd 0 --count 8 > data.bin")
@click.argument("words", nargs=-1, metavar="[ADDRESS] LBA", shell_complete=_complete)
@click.option("-n", "--nsid", type=options.Number(32), default=1, show_default=True, metavar="N")
@click.option("--count", type=click.IntRange(1), default=1, show_default=True, help="How many LBAs.")
def peek(words: tuple[str, ...], nsid: int, count: int) -> None:
    """Show the stored data of LBAs, without a command. In a pipe, write the bytes."""
    where, rest = _split(words, 1, 1, "the LBA")
    drive = _attached(where)
    lba = options.Number(64).convert(rest[0], None, None)
    data = b"".join(drive.peek(nsid, one) for one in range(lba, lba + count))
    if sys.stdout.isatty():
        click.echo(output.dump(data))
    else:
        click.echo(data, nl=False)


@vssd.command(epilog="Example: pynvme vssd poke ./ssd 5 --input data.bin")
@click.argument("words", nargs=-1, metavar="[ADDRESS] LBA", shell_complete=_complete)
@click.option("-n", "--nsid", type=options.Number(32), default=1, show_default=True, metavar="N")
@click.option("-i", "--input", "source", type=click.File("rb"), required=True, help="The data; - is stdin.")
def poke(words: tuple[str, ...], nsid: int, source: Any) -> None:
    """Replace the stored data of LBAs, as a broken drive would."""
    where, rest = _split(words, 1, 1, "the LBA")
    drive = _attached(where)
    lba = options.Number(64).convert(rest[0], None, None)
    data, size = source.read(), drive.geometry(nsid).lba_size
    if not data or len(data) % size:
        raise click.UsageError(f"the input has {len(data)} bytes, which are no LBAs of {size} bytes")
    for number in range(len(data) // size):
        drive.poke(nsid, lba + number, data[number * size : (number + 1) * size])
    click.echo(f"{len(data) // size} LBAs were replaced")


@vssd.command(epilog="Example: pynvme vssd trace ./ssd on; run the script; pynvme vssd trace ./ssd")
@click.argument("words", nargs=-1, metavar="[ADDRESS] [on|off]", shell_complete=_complete)
@options.as_json
def trace(words: tuple[str, ...], as_json: bool) -> None:
    """Show the commands that failed, and why.

    "trace on" starts to trace them, and "trace off" stops. The reason is the wrong field of the command, and
    the section of the specification that requires the refusal. The trace keeps the last 256 commands.
    """
    where, rest = _split(words, 0, 1, "on, off, or nothing")
    drive = _attached(where)
    if rest:
        if rest[0] not in ("on", "off"):
            raise click.UsageError(f"the trace can be switched on or off, not {rest[0]}")
        drive.trace(rest[0] == "on")
        click.echo(f"the trace is {rest[0]}")
        return
    from pynvme import status

    try:
        refused = drive.refusals()
    except ValueError as error:
        raise click.ClickException("refusals are not traced: pynvme vssd trace on starts that") from error
    if as_json:
        records = [{**one._asdict(), "status_name": status.name(one.status)} for one in refused]
        output.json({"address": drive.address, "refusals": records})
        return
    for one in refused:
        where_ = f"queue {one.qid}, CID {one.cid}"
        click.echo(f"{one.command}, {where_}: {status.describe(one.status)}: {one.field} ({one.section})")
    if not refused:
        click.echo("no command failed")


@vssd.command(epilog="Example: pynvme vssd age ./ssd --hours 20000 --used 90")
@address
@click.option("--hours", type=click.IntRange(0), default=0, help="Add to the power-on hours.")
@click.option("--used", type=click.IntRange(0, 255), help="Percentage Used.")
@click.option("--spare", type=click.IntRange(0, 100), help="Available Spare, in percent.")
@click.option("--read-only/--writable", default=None, help="Whether writes fail with 00/20.")
@click.option("--backup-failed/--backup-works", default=None, help="Whether its capacitors are defective.")
@click.option(
    "--temperature", type=click.IntRange(233, 398), metavar="K", help="Of the idle drive, in Kelvin."
)
@click.option("--throttle/--no-throttle", default=None, help="Whether it is slow, as when it is hot.")
def age(address: str | None, hours: int, **wear: Any) -> None:
    """Let a virtual SSD grow old at once. What is not named stays as it is."""
    drive = _attached(address)
    drive.age(hours, **wear)
    click.echo("done: pynvme smart shows it")


@vssd.command(epilog="Example: pynvme vssd quit ./ssd")
@address
def quit(address: str | None) -> None:
    """End a virtual SSD. Its data are lost, unless they are in a file."""
    from pynvme import control

    drive = _attached(address)
    control.quit(drive.address)
    click.echo(f"{drive.address} has ended" if drive.wait(5) else f"{drive.address} still runs")
