# SPDX-License-Identifier: BSD-3-Clause
"""The last commands of the queues that this process has, for a test that failed."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from pynvme.report.drives import address_of
from pynvme.report.run import Queue

if TYPE_CHECKING:
    from pynvme.trace.command import Command

COMMANDS = 20
"""How many commands of each queue are kept."""
MOST = 32
"""The most queues."""
WAITS = "Asynchronous Event Request"
"""A command that has not completed is no sign of trouble if it is this one."""


def snapshot(since: float, count: int = COMMANDS) -> list[Queue]:
    """The queues that were used since a moment of time.time(), each with its last commands, the latest first.

    The driver keeps no list of queues. The garbage collector knows all objects, and looking through them
    takes some 30 ms, so this is only done for a test that has failed.
    """
    found: dict[str, Queue] = {}
    for name, owner in _owners():
        commands = commands_of(owner, count)
        if commands and commands[0]["at"] >= since and _is_newer(commands, found.get(name)):
            found[name] = Queue(name, commands)
    return sorted(found.values(), key=lambda queue: -float(queue.commands[0]["at"]))[:MOST]


def _is_newer(commands: list[dict[str, Any]], known: Queue | None) -> bool:
    return known is None or bool(commands[0]["at"] > known.commands[0]["at"])


def _owners() -> Iterator[tuple[str, Any]]:
    """Controllers, queue pairs and workers, each with a name."""
    import nvme

    for one in gc.get_objects():
        kind = type(one)
        if not issubclass(kind, (nvme.Controller, nvme.Qpair, nvme.IOWorker)):
            continue
        with contextlib.suppress(Exception):  # never created, or closed
            if issubclass(kind, nvme.Qpair):
                yield f"queue pair {one.sqid}", one
            elif issubclass(kind, nvme.Controller):
                yield f"admin queue of {address_of(one)}", one
            else:
                yield f"queue pair {one.progress[0]} of an IO worker", one


def commands_of(owner: Any, count: int = COMMANDS) -> list[dict[str, Any]]:
    """The last commands of a queue, decoded, the newest first."""
    try:
        return [_plain(command) for command in reversed(owner.cmdlog_list(count))]
    except Exception:
        return []


def _plain(command: Command) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "time": command.submitted.strftime("%H:%M:%S.%f"),
        "at": command.submitted_ns / 1e9,
        "name": command.name,
        "opcode": command.opcode,
        "cid": command.cid,
        "nsid": command.nsid,
        "what": command.what(),
        "status": command.status_name,
        "good": command.status == 0 or command.name == WAITS,
    }
    if command.latency_ns is not None:
        plain["us"] = command.latency_ns / 1e3
        plain["cdw0"] = command.cdw0
    if command.faults:
        plain["fired"] = [fault.text for fault in command.faults]
    return plain


def text(queues: list[Queue], most: int = COMMANDS) -> str:
    """The queues as lines of text, for a terminal."""
    lines = []
    for queue in queues:
        lines.append(f"{queue.name}, the newest first")
        for one in queue.commands[:most]:
            end = one["status"] + (f" after {one['us']:.1f} us" if "us" in one else "")
            where = f"cid {one['cid']} nsid {one['nsid']:#x}"
            lines.append(f"  {one['time']}  {one['name']} ({one['opcode']:02x}) {where} {one['what']}: {end}")
            lines += [f"    fired: {rule}" for rule in one.get("fired", [])]
    return "\n".join(lines)
