# SPDX-License-Identifier: BSD-3-Clause
"""Tells which fault rules of a virtual SSD fired on the commands of a queue, for the command log.

CIDs are reused. But driver and virtual SSD run on one machine and read the same time stamp counter. So the
command of a rule is the last one with that CID that was submitted before the rule fired.
"""

from __future__ import annotations

import bisect
import os
from collections.abc import Sequence
from typing import NamedTuple

from pynvme import control
from pynvme.control import Fired, VirtualSsdError


class Sent(NamedTuple):
    """A command of the log. ``submitted`` are ticks, ``slba`` is CDW11:10."""

    submitted: int
    cid: int
    opcode: int
    nsid: int
    slba: int


def _log(path: str) -> tuple[list[Fired], dict[int, str]]:
    """What fired at the virtual SSD of an address, and the rules that are still planted, by number."""
    folder = path if os.path.isdir(path) else os.path.dirname(path) or "."
    if not os.path.exists(os.path.join(folder, control.SOCKET)):
        return [], {}
    try:
        fired = control.fired(folder)
        return fired, {rule.number: rule.text for rule in control.faults(folder)} if fired else {}
    except (VirtualSsdError, NotImplementedError, ValueError):
        return [], {}


def of_commands(path: str, qid: int, sent: Sequence[Sent]) -> dict[int, list[tuple[int, str]]]:
    """The rules that fired on each command, by its index in ``sent``, each as its ticks and a text.

    Empty if there is no virtual SSD at this address, or its control socket does not answer.
    """
    fired, texts = _log(path)
    by_cid: dict[int, list[tuple[int, int]]] = {}
    for index, command in enumerate(sent):
        by_cid.setdefault(command.cid, []).append((command.submitted, index))
    for uses in by_cid.values():
        uses.sort()
    found: dict[int, list[tuple[int, str]]] = {}
    for one in fired:
        uses = by_cid.get(-1 if one.cid is None else one.cid, []) if one.qid == qid else []
        at = bisect.bisect_right(uses, (one.ticks, len(sent))) - 1
        if at < 0:
            continue
        index = uses[at][1]
        if sent[index][2:] == (one.opcode, one.nsid, one.slba):
            text = texts.get(one.rule, "removed since")
            found.setdefault(index, []).append((one.ticks, f"rule {one.rule} ({one.place}): {text}"))
    return found
