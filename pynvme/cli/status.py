# SPDX-License-Identifier: BSD-3-Clause
"""``pynvme status`` explains a status."""

from __future__ import annotations

import re
from typing import Any

import click

from pynvme import status as _status
from pynvme.cli import options, output
from pynvme.spec.status import STATUS_NAMES

_PAIR = re.compile(r"(?:0x)?0?([0-7])h?/(?:0x)?([0-9a-f]{1,2})h?", re.IGNORECASE)


@click.command(
    epilog="Example: pynvme status 0x4281   or   pynvme status 02/81   or   pynvme status sanitize"
)
@click.option(
    "--phase", is_flag=True, help="Bit 0 is the phase tag, as in a callback and in the log page 01h."
)
@options.as_json
@click.argument("value", metavar="STATUS")
def status(phase: bool, as_json: bool, value: str) -> None:
    """Explain a status of a completion: its name, its parts, and the clause.

    STATUS is the status field without the phase tag, as nvme-cli and the kernel print it (0x4281), dword 3 of
    the completion (0x85030007), SCT/SC (02/81), or words of a name. Dword 3 and a value above 7fffh have the
    phase tag.
    """
    found = _statuses(value, phase)
    if as_json:
        output.json({"statuses": [_record(one) for one in found]})
        return
    for one in found:
        click.echo(f"{one}\n{_details(one)}" if len(found) == 1 else str(one))


def _statuses(value: str, phase: bool) -> list[_status.Status]:
    pair = _PAIR.fullmatch(value)
    if pair:
        return [_status.Status(int(pair[1], 8), int(pair[2], 16), 0, False, False)]
    try:
        number = options.number_of(value)
    except ValueError:
        return _named(value)
    if not 0 <= number < 1 << 32:
        raise click.UsageError(f"{value} is not from 0 to 0xffffffff")
    if number > 0xFFFF:
        return [_status.Status.of(number >> 17)]
    return [_status.Status.of(number >> 1 if phase or number > 0x7FFF else number)]


def _named(text: str) -> list[_status.Status]:
    words = re.findall(r"[a-z0-9]+", text.lower())
    found = [
        _status.Status.of(number)
        for number, name in STATUS_NAMES.items()
        if words and all(word in name.lower() for word in words)
    ]
    if not found:
        raise click.UsageError(f"{text} is no number, no SCT/SC, and in no name of a status")
    return found


def _type(sct: int) -> str:
    from pynvme import spec

    try:
        return spec.StatusCodeType(sct).name.lower()
    except ValueError:
        return "reserved"


def _details(one: _status.Status) -> str:
    flags = [
        f"DNR {int(one.dnr)} ({'do not retry' if one.dnr else 'a retry may succeed'})",
        f"More {int(one.more)}" + (" (the error log has more)" if one.more else ""),
        f"CRD {one.crd}" + (f" (retry after CRDT{one.crd})" if one.crd else ""),
    ]
    rows = [
        ("field", f"{one.field:#06x}"),
        ("SCT", f"{one.sct} ({_type(one.sct)})"),
        ("SC", f"{one.sc:02x}h"),
        ("flags", ", ".join(flags)),
        ("meaning", _status.meaning(one.number)),
        ("clause", _status.SECTION),
    ]
    return "\n".join(f"  {name:<8}{text}" for name, text in rows if text)


def _record(one: _status.Status) -> dict[str, Any]:
    return {
        "status": one.field,
        "sct": one.sct,
        "sc": one.sc,
        "crd": one.crd,
        "more": one.more,
        "dnr": one.dnr,
        "name": _status.name(one.number),
        "type": _type(one.sct),
        "meaning": _status.meaning(one.number) or None,
        "section": _status.SECTION,
    }
